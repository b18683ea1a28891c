"""`cuelight models`: which models the prompts lean on, and which of them are no longer offered."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.look import day
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import Span, say, show_json, table

_SHOWN = 5


@click.group("models", invoke_without_command=True)
@json_option
@desk_options
@click.pass_context
@asks("desk.read")
def models_command(context: click.Context, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show every model in use, with the versions on it and where they serve."""
    if context.invoked_subcommand is not None:
        return
    with where.admin() as admin:
        answer = admin.models()
    if as_json:
        show_json(answer)
        return
    rows = answer.get("items", [])
    table(("model", "state", "versions", "serves"), [_row(one) for one in rows])
    if not rows:
        say("no version is on the desk yet")


@models_command.command("retire")
@click.argument("model")
@click.option("--why", required=True, metavar="TEXT", help="One sentence, such as when its provider ends it.")
@json_option
@desk_options
@asks("model.retire")
def retire(model: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Record that MODEL is no longer offered, and list what leans on it. New versions on it are refused."""
    with where.admin() as admin:
        done = admin.retire_model(model, why)
        line: Mapping[str, Any] = next((one for one in admin.models().get("items", ()) if one["model"] == model), {})
    if as_json:
        show_json({**done, "versions": line.get("versions", []), "live": line.get("live", [])})
        return
    say(("· retired", "bright_black"), f"  {model}; no new version may name it")
    live = line.get("live") or ()
    for one in live:
        say(
            ("■ ", "red"),
            f"{one['prompt']}@{one['label']} serves in {one['environment']}: it needs another model",
            indent=2,
        )
    versions = line.get("versions") or ()
    say(f"{line.get('count', 0)} versions are on it{': ' + ', '.join(versions) if versions else ''}", indent=2)


def _row(one: Mapping[str, Any]) -> list[Span]:
    gone, versions = one.get("retired"), one.get("versions") or ()
    state: Span = (f"■ retired {day(gone['at'])[:10]}", "red") if gone else ("● offered", "green")
    more = f", and {one['count'] - _SHOWN} more" if one["count"] > _SHOWN else ""
    places = sorted({f"{each['prompt']}@{each['label']} in {each['environment']}" for each in one.get("live") or ()})
    return [one["model"], state, ", ".join(versions[-_SHOWN:]) + more, "; ".join(places) or "–"]
