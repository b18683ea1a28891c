"""`cuelight lint` and `cuelight digest`: what is wrong in a folder, and under which digests its prompts would go."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cuelight.cli.ending import INVALID, Finish
from cuelight.cli.options import Where, asks, folder_options, json_option
from cuelight.cli.show import Span, counted, heading, say, show_json, table
from cuelight.files import Folder, read_folder

_SIGNS: Mapping[str, Span] = {"error": ("■ error", "red"), "warning": ("○ warning", "yellow")}
_STATES = ("enforced", "not yet enforced", "declared only")


@click.command("lint")
@click.argument("folder", type=click.Path())
@click.option("--rules", is_flag=True, help="List every rule and what enforces it.")
@json_option
@folder_options
@asks("desk.read")
def lint_command(folder: str, rules: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Say what is wrong in FOLDER. Errors end with exit code 20; warnings alone with 0."""
    read = read_folder(folder)
    with where.admin_or_local() as admin:
        answer = admin.lint(read.bundle)
    findings = located(read, answer["findings"])
    errors = sum(one["severity"] == "error" for one in findings)
    if as_json:
        show_json({**answer, "findings": findings, "unread": dict(read.unread)})
    else:
        show_findings(findings)
        show_ignored(read.bundle["ignored"])
        show_unread(read)
        show_rules(answer.get("rules", ()), in_full=rules)
        say()
        say(
            f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')} in {counted(len(read.sources), 'file')}"
            if findings
            else "nothing to say: all is well"
        )
    if errors:
        raise Finish(INVALID)


@click.command("digest")
@click.argument("folder", type=click.Path())
@click.option("--prompt", metavar="P", help="Only this prompt.")
@json_option
@asks("desk.read")
def digest_command(folder: str, prompt: str | None, as_json: bool) -> None:  # noqa: FBT001  click passes flags
    """Show the digest of each label of each prompt in FOLDER. Needs no server."""
    from cuelight.cli.names import prompt_in

    read = read_folder(folder)
    chosen = [prompt_in(read, prompt)] if prompt else list(read.digests)
    digests = {f"{read.workflow}.{name}": dict(read.digests[name]) for name in chosen}
    if as_json:
        show_json({"prompts": digests, "fragments": dict(read.fragments)})
        return
    for name, labels in digests.items():
        for label, digest in labels.items():
            say(f"{name}@{label}  {digest}")
    for name, digest in read.fragments.items():
        say(f"include: {name}@{digest}")


def located(folder: Folder, findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The findings with `at`, the `file:line` that they are about, in the order of files and lines."""
    told = [{**one, "at": folder.where(one.get("document", ""), one.get("path", ()))} for one in findings]
    return sorted(told, key=_place)


def _place(finding: Mapping[str, Any]) -> tuple[str, int]:
    """(file, line) of `file:line`; what has no line comes first in its file."""
    file, _, line = str(finding["at"]).rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (str(finding["at"]), 0)


def show_findings(findings: Sequence[Mapping[str, Any]], indent: int = 0) -> None:
    """One line a finding, as an editor opens it, and below it what to do."""
    for one in sorted(findings, key=_place):
        say(
            f"{one['at']}: ",
            _SIGNS.get(one["severity"], one["severity"]),
            f" {one['message']} [{one['code']}]",
            indent=indent,
        )
        if one.get("hint"):
            say(one["hint"], indent=indent + 4)


def show_ignored(ignored: Sequence[Mapping[str, str]]) -> None:
    """Facts that a file claims and that only the desk knows."""
    if ignored:
        heading("Ignored: facts of the desk, not of a file")
        for one in ignored:
            say(f"{one['file']}: {one['key']}", indent=2)


def show_unread(folder: Folder) -> None:
    """What stands among the files of the folder and is none of them."""
    if folder.unread:
        heading("Ignored: not read")
        for file, why in folder.unread.items():
            say(f"{file}: {why}", indent=2)


def show_rules(rules: Sequence[Mapping[str, Any]], *, in_full: bool) -> None:
    """How many rules are enforced; each with its enforcer where `in_full`."""
    if not rules:
        return
    counts = [f"{sum(one['state'] == state for one in rules)} {state}" for state in _STATES]
    heading(f"Rules: {', '.join(counts)}" + ("" if in_full else " (--rules lists them)"))
    if in_full:
        table(
            ("where", "rule", "state", "by"),
            [(one["where"], one["rule"], one["state"], one.get("by") or "") for one in rules],
        )
