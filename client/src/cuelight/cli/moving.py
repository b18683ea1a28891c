"""`cuelight import`: test sets of other tools become files of ours, and what could not be carried is named."""

from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import Any

import click

from cuelight.cli.ending import BLOCKED, Finish
from cuelight.cli.options import asks, json_option
from cuelight.cli.show import counted, heading, say, show_json
from cuelight.contract.errors import Invalid
from cuelight.files import write_folder
from cuelight.moving import Finding, Report
from cuelight.moving.names import identifier

_SHOWN = 3
_HEADINGS = {
    "refused": "Refused: not in the folder",
    "approximated": "Carried with a difference",
    "aside": "Left aside: set elsewhere",
}
_PERSON = r"^[a-z0-9][a-z0-9._-]{0,79}$"


@click.group("import")
def import_command() -> None:
    """Bring test sets from elsewhere into files of ours. Nothing that is imported is ever run."""


@import_command.command("promptfoo")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The new folder; ./<name> if left out.")
@click.option("--name", help="Name of the workflow and its prompt; the config's folder if left out.")
@click.option("--owner", default="owner", show_default=True, metavar="PERSON", help="Who owns it at first.")
@click.option("--allow-outside", is_flag=True, help="Read files outside of the config's folder too.")
@click.option("--strict", is_flag=True, help="Exit with 24 if anything was refused; the folder is written all the same.")
@json_option
@asks("")
def promptfoo_command(
    config: Path,
    folder: Path | None,
    name: str | None,
    owner: str,
    allow_outside: bool,  # noqa: FBT001  click passes flags
    strict: bool,  # noqa: FBT001  click passes flags
    as_json: bool,  # noqa: FBT001  click passes flags
) -> None:
    """Write the promptfoo CONFIG (a file, or a folder that holds promptfooconfig.yaml) as a workflow folder.

    Prints how many assertions were carried, approximated and refused, and names every difference. Code in the config
    is never run: assertions in JavaScript and Python become graders, everything else in code is refused by name.
    """
    from cuelight.moving.promptfoo import import_config

    moved = import_config(config, name=_fit(name), owner=owner, allow_outside=allow_outside)
    workflow = moved.bundle["workflow"]["workflow"]
    target = folder or Path(workflow)
    written = write_folder(moved.bundle, target)
    report = moved.report
    if as_json:
        show_json({"folder": str(target), "workflow": workflow, "files": written, **moved.counts, **report.to_json()})
    else:
        _show(report, moved.counts, target)
    if strict and report.refused:
        raise Finish(BLOCKED)


def _fit(name: str | None) -> str:
    if name and identifier(name, "") != name:
        raise Invalid(f"the name {name!r}", "a lower-case letter, then lower-case letters, digits and _")
    return name or ""


def _show(report: Report, counts: dict[str, int], target: Path) -> None:
    said = report.assertions()
    words = [counted(counts[key], key.removesuffix("s")) for key in ("versions", "cases", "recordings") if counts[key]]
    say(("● ", "green"), f"{target} holds {', '.join(words)}")
    say(f"assertions: {said['carried']} carried, {said['approximated']} approximated, {said['refused']} refused")
    for state, title in _HEADINGS.items():
        found = list(report.named(state))
        if found:
            heading(f"{title} ({len(found)})")
            show_findings(found)
    say()
    say(("next: ", "bold"), f"cuelight lint {quote(str(target))}")
    say(f"then: cuelight eval {quote(str(target))}")


def show_findings(found: Iterable[Finding]) -> None:
    """One line for all that have the same name and reason, with the first places."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        groups.setdefault((one.kind, one.what, one.why), []).append(one.where)
    for (kind, what, why), places in groups.items():
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        where = ", ".join(places[:_SHOWN]) + more
        say(f"{kind} {what} ({where})" + (f": {why}" if why else ""), indent=2)


def refuse_moved(report: Report) -> dict[str, Any]:
    """The findings for `--json`."""
    return report.to_json()
