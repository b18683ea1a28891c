"""`cuelight why`: from one output back to the version, the people and the evidence behind it."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.look import day, short
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.show import Span, heading, light, say, show_json, table

_REBUILDS = {"identical": "go", "different": "hold", "verifiable": "standby", "not_reproducible": "off"}

_ORIGINS = {"as_released": "go", "other_release": "standby", "unknown": "hold", "not_recorded": "hold"}
_REFS = 20  # items of one variable that are named


@click.command("why")
@click.argument("output_id")
@click.option("--environment", type=ENVIRONMENTS, help="Where; without it production first, then the others.")
@json_option
@desk_options
@asks("desk.read")
def why_command(output_id: str, environment: str | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show which version made the output OUTPUT_ID, who released it on what evidence, and whether it can be rebuilt."""
    with where.admin() as admin:
        answer = admin.why(output_id, environment or "")
    show_json(answer) if as_json else _show_why(output_id, answer)


def _show_why(output_id: str, answer: Mapping[str, Any]) -> None:
    call = answer.get("call") or {}
    version = answer.get("version") or "no version: the prompt was switched off"
    say(
        (f"{answer['prompt']} {version}", "bold"),
        f"  made {output_id} on {day(call.get('at'))} in {answer.get('environment')}",
    )
    if answer.get("also_in"):
        say(f"another call has this id in {', '.join(answer['also_in'])}: name it with --environment", indent=2)
    say(
        f"content {answer.get('digest')}"
        + ("" if answer.get("digest_matches", True) else "  ■ NOT the digest of that version on this desk"),
        indent=2,
    )
    rows: list[tuple[str, str]] = [("written by", str(answer.get("author") or "unknown"))]
    release = answer.get("release")
    rows.append(
        (
            "released by",
            f"{release['actor']} on {day(release['at'])} ({release['id']})" if release else "not by a release",
        )
    )
    rows += [
        (
            "approved by",
            f"{one.get('name') or one['person']} as {str(one['role']).replace('_', ' ')}, {day(one['at'])}",
        )
        for one in answer.get("approvals") or ()
    ]
    report = answer.get("report")
    if report:
        rows.append(
            (
                "evidence",
                f"{report['id']}: {report['verdict']}{', recorded simulations' if report.get('recorded') else ''}",
            )
        )
    rows.append(("model", f"{answer.get('model') or 'unknown'} {_further(answer)}".rstrip()))
    if answer.get("model_retired"):
        rows.append(("not reproducible", str(answer["model_retired"])))
    table(("", ""), [(("  " + name, "dim"), value) for name, value in rows])
    _show_checks(answer)


def _further(answer: Mapping[str, Any]) -> str:
    """The settings beside the model, which stands in front of them."""
    settings = answer.get("settings") or {}
    return short({key: value for key, value in settings.items() if key != "model" or value != answer.get("model")})


def _show_checks(answer: Mapping[str, Any]) -> None:
    if answer.get("findings"):
        heading("The output broke its contract")
        for one in answer["findings"]:
            say(f"{one.get('path', '')} {one['message']} [{one.get('code', '')}]".strip(), indent=2)
    if answer.get("decisions"):
        heading("Authority")
        for one in answer["decisions"]:
            word: Span = ("● allowed", "green") if one.get("allowed") else ("■ refused", "red")
            say(word, f" {one['action']}: {one.get('reason', '')}", indent=2)
    if answer.get("knowledge"):
        heading("Knowledge")
        for one in answer["knowledge"]:
            sign, style = light(_ORIGINS.get(one["origin"], "off"))
            say((f"{sign} {one['variable']}", style), f"  {one['words']}", indent=2)
            say(", ".join(_ref(item) for item in one["items"][:_REFS]) or "no item", indent=4)
    rebuild = answer.get("rebuild")
    if rebuild:
        sign, style = light(_REBUILDS.get(rebuild["state"], "off"))
        say()
        say(
            (f"{sign} {rebuild['state'].replace('_', ' ')}", style),
            f"  {rebuild['reason']}" if rebuild.get("reason") else "",
        )


def _ref(item: Mapping[str, Any]) -> str:
    if item.get("number") is not None:
        return f"{item['ref']} (release {item['number']})"
    return f"not {item['claims']} as released" if item.get("claims") else "unknown"
