"""`cuelight knowledge`: what a workflow knows, one release of it, and what differs between two."""

import json
import re
from collections.abc import Mapping
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.look import day
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import counted, heading, say, show_json, table
from cuelight.contract.errors import Invalid

_NAME = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)(?:@v?([1-9][0-9]{0,8}))?")
_WIDE = 160


@click.group("knowledge")
def knowledge_command() -> None:
    """Look at what a workflow knows: immutable, numbered releases that every call is tied to."""


@knowledge_command.command("list")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many lines.")
@click.option("--after", default="", metavar="NAME", help="Go on behind this name.")
@click.option("--before", type=click.IntRange(1), help="Go on below this number.")
@json_option
@desk_options
@asks("desk.read")
def list_command(name: str, limit: int, after: str, before: int | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """List what the workflow NAME knows, or the releases of the knowledge NAME (sales.icp)."""
    with where.admin() as admin:
        if "." in name:
            workflow, short, _ = _named(name)
            page = admin.knowledge_releases(workflow, short, before or "", limit)
        else:
            page = admin.knowledge(name, after, limit)
    if as_json:
        show_json(page)
        return
    _show_releases(page) if "." in name else _show_names(name, page)
    if page.get("next"):
        say()
        say(f"there is more: --{'before' if '.' in name else 'after'} {page['next']}")


@knowledge_command.command("show")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many items.")
@click.option("--after", type=click.IntRange(0), default=0, help="Go on behind this many items.")
@json_option
@desk_options
@asks("desk.read")
def show_command(name: str, limit: int, after: int, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show one release: NAME is sales.icp for the newest, sales.icp@2 for release 2."""
    workflow, short, number = _named(name)
    with where.admin() as admin:
        answer = admin.knowledge_release(workflow, short, number, after, limit)
    if as_json:
        show_json(answer)
        return
    say(
        (f"{workflow}.{short} release {answer['number']}", "bold"),
        f"  {counted(answer['items'], 'item')}, pushed by {answer['actor']} on {day(answer['at'])}",
    )
    say(
        answer["digest"] + ("" if answer["intact"] else "  ■ NOT what was pushed: run cuelight-server verify"), indent=2
    )
    if answer["description"]:
        say(answer["description"], indent=2)
    table(("ref", "item"), [(str(one["ref"]), _item(one)) for one in answer["shown"]])
    for rule in answer["rules"]:
        say(f"declared only: {rule['declared_only']}", indent=2)
    if answer.get("next"):
        say(f"there is more: --after {answer['next']}")


@knowledge_command.command("diff")
@click.argument("name")
@click.option("--from", "old", type=click.IntRange(1), help="The older release; the one before, if left out.")
@click.option("--to", "new", type=click.IntRange(1), help="The newer release; the newest, if left out.")
@json_option
@desk_options
@asks("desk.read")
def diff_command(name: str, old: int | None, new: int | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show what differs between two releases of the knowledge NAME (sales.icp), item by item."""
    workflow, short, number = _named(name)
    with where.admin() as admin:
        last = new or number or _newest(admin, workflow, short)
        if old is None and last == 1:
            raise Invalid(f"{workflow}.{short} release 1 has none before it", "name two with --from and --to")
        answer = admin.knowledge_diff(workflow, short, old or last - 1, last)
    if as_json:
        show_json(answer)
        return
    ends = f"release {answer['from']['number']} to {answer['to']['number']}"
    say((f"{workflow}.{short}", "bold"), f"  {ends}: {answer['changes']}")
    for kind, sign in (("added", "+"), ("removed", "-"), ("changed", "~")):
        for one in answer[kind]:
            heading(f"{sign} {one['ref']}")
            for side, mark in (("before", "-"), ("after", "+")):
                for item in one.get(side, ()):
                    say(f"{mark} {_item(item)}", indent=2)
    if answer["left_out"]:
        say(f"{counted(answer['left_out'], 'further item')} not shown")


def _named(typed: str) -> tuple[str, str, int | None]:
    found = _NAME.fullmatch(typed)
    if found is None:
        raise Invalid(
            f"{typed!r} is no knowledge, expected <workflow>.<knowledge> or <workflow>.<knowledge>@<number>",
            "for example sales.icp@2; see them with: cuelight knowledge list <workflow>",
        )
    return found[1], found[2], int(found[3]) if found[3] else None


def _newest(admin: Admin, workflow: str, name: str) -> int:
    return int(admin.knowledge_release(workflow, name, limit=1)["number"])


def _show_names(workflow: str, page: Mapping[str, Any]) -> None:
    rows = [
        (one["name"], f"release {one['number']}", str(one["items"]), day(one["at"]), ", ".join(one["read_by"]) or "–")
        for one in page["items"]
    ]
    if not rows:
        say(f"{workflow} has no knowledge; add knowledge/<name>.yaml to its folder and push")
        return
    table(("knowledge", "newest", "items", "since", "read by"), rows)


def _show_releases(page: Mapping[str, Any]) -> None:
    rows = [
        (str(one["number"]), day(one["at"]), one["actor"], str(one["items"]), one["changes"], one["digest"][:19])
        for one in page["items"]
    ]
    table(("release", "since", "by", "items", "changes", "digest"), rows, right=(0,))


def _item(one: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in one.items() if key != "ref"}
    text = str(rest["text"]) if set(rest) == {"text"} else json.dumps(rest, ensure_ascii=False)
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"
