"""`cuelight import`: test sets of other tools become files of ours, and what could not be carried is named."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.ending import BLOCKED, Finish
from cuelight.cli.names import full_prompt, prompt_in
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.show import counted, heading, say, show_json
from cuelight.contract.errors import Invalid
from cuelight.files import read_folder, write_folder
from cuelight.moving import Finding, Report
from cuelight.moving.names import identifier

_SHOWN = 3
_HEADINGS = {
    "refused": "Refused: not in the folder",
    "approximated": "Carried with a difference",
    "aside": "Left aside: set elsewhere",
}
_PERSON = r"[a-z0-9][a-z0-9._-]{0,79}"


@click.group("import")
def import_command() -> None:
    """Bring test sets from elsewhere into files of ours. Nothing that is imported is ever run."""


@import_command.command("promptfoo")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The new folder; ./<name> if left out.")
@click.option("--name", help="Name of the workflow and its prompt; the config's folder if left out.")
@click.option("--owner", default="owner", show_default=True, metavar="PERSON", help="Who owns it at first.")
@click.option("--allow-outside", is_flag=True, help="Read files outside of the config's folder too.")
@click.option(
    "--strict", is_flag=True, help="Exit with 24 if anything was refused; the folder is written all the same."
)
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

    if not re.fullmatch(_PERSON, owner):
        raise Invalid(f"the owner {owner!r}", "a person's id has lower-case letters, digits, . _ -, such as mei.tanaka")
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


@import_command.command("suite")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="The workflow folder; . if left out.")
@click.option("--prompt", metavar="P", help="Which prompt the inputs are for; not needed where there is one.")
@click.option("--name", help="Name of the suite; the file's name if left out.")
@click.option("--strict", is_flag=True, help="Exit with 24 if anything was refused; the suite is written all the same.")
@json_option
@asks("")
def suite_command(
    file: Path,
    folder: Path,
    prompt: str | None,
    name: str | None,
    strict: bool,  # noqa: FBT001  click passes flags
    as_json: bool,  # noqa: FBT001  click passes flags
) -> None:
    """Write the rows of FILE (.csv, .jsonl, .json, .yaml) as a new suite of a workflow folder.

    Columns called as the prompt's variables are inputs. id, title, category, tags and label.<x> are what they say;
    expected and expected.<path> ask for an equal output, __expected cells are read as promptfoo reads them. Any other
    column is named and left out.
    """
    from cuelight.moving.report import CannotCarry
    from cuelight.moving.suites import Table, declared_in
    from cuelight.moving.tables import rows_of

    read = read_folder(folder)
    short = prompt_in(read, prompt)
    report = Report()
    try:
        rows = rows_of(file)
        document = Table(declared_in(read.bundle["prompts"][short]), report).suite(
            _suite_name(name, file), rows, file.name
        )
    except CannotCarry as bad:
        raise Invalid(bad.why, "correct the file; see: docs/guides/promptfoo.md") from bad
    _finish(folder, document, report, strict=strict, as_json=as_json)


@import_command.command("calls")
@click.argument("prompt")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="The workflow folder; . if left out.")
@click.option("--name", help="Name of the suite; calls if left out.")
@click.option(
    "--environment", type=ENVIRONMENTS, default="production", show_default=True, help="Where the calls were made."
)
@click.option("--since", metavar="DATE", default="", help="Only calls from this day on, such as 2026-05-01.")
@click.option("--limit", type=click.IntRange(1, 5000), default=100, show_default=True, help="At most so many calls.")
@json_option
@desk_options
@asks("desk.read")
def calls_command(
    prompt: str,
    folder: Path,
    name: str | None,
    environment: str,
    since: str,
    limit: int,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Write recorded calls of PROMPT as a new suite, for people to label: inputs only, never an expected output.

    Only calls whose variables the workflow's policy keeps (trace.content: full) can become cases; the others are counted.
    """
    from cuelight.moving.suites import from_calls

    full_prompt(prompt)
    if since and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", since):
        raise Invalid(f"--since {since}", "write a day, such as 2026-05-01")
    report = Report()
    with where.admin() as admin:
        document = from_calls(name or "calls", _calls(admin, prompt, environment, since, limit), report)
    _finish(folder, document, report, strict=False, as_json=as_json)


def _calls(admin: Admin, prompt: str, environment: str, since: str, limit: int) -> Iterator[dict[str, Any]]:
    """Calls from the newest back to `since`, at most `limit`."""
    before, left = "", limit
    while left > 0:
        page = admin.calls(prompt, environment, before, min(left, 200))
        for one in page["items"]:
            if since and str(one["at"])[:10] < since:
                return
            yield one
        left -= len(page["items"])
        before = page["next"] or ""
        if not before:
            return


def _suite_name(name: str | None, file: Path) -> str:
    return _fit(name) or identifier(file.stem, "imported")


def _finish(folder: Path, document: dict[str, Any], report: Report, *, strict: bool, as_json: bool) -> None:
    """Write the suite, which is new, and say what came of it."""
    from cuelight.moving.tables import write_suite

    if not document["cases"]:
        first = next(iter(report.findings), None)
        raise Invalid(
            "not one case could be made", f"{first.what}: {first.why}" if first else "there is nothing to make one of"
        )
    path = write_suite(folder, document)
    if as_json:
        show_json({"file": str(path), "suite": document["suite"], "cases": len(document["cases"]), **report.to_json()})
    else:
        said = report.assertions()
        say(("● ", "green"), f"wrote {path}: {counted(len(document['cases']), 'case')}")
        if any(said.values()):
            say(
                f"assertions: {said['carried']} carried, {said['approximated']} approximated, {said['refused']} refused"
            )
        for state, title in _HEADINGS.items():
            found = list(report.named(state))
            if found:
                heading(f"{title} ({len(found)})")
                show_findings(found)
        say()
        say(("next: ", "bold"), f"name it in a version: evaluation.suite: {document['suite']}")
    if strict and report.refused:
        raise Finish(BLOCKED)
