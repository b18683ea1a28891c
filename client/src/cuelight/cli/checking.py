"""`cuelight ci check`: what a pull request changes meets its test sets, and the pull request says how it went."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli import ending
from cuelight.cli.lint import located
from cuelight.cli.names import prompt_in
from cuelight.cli.options import Where, asks, folder_options, json_option
from cuelight.cli.reports import places, report_option
from cuelight.cli.running import PRODUCTION, PROVIDERS, Asked, run
from cuelight.cli.show import counted, heading, light, say, show_json
from cuelight.contract.errors import Invalid
from cuelight.files import Folder, read_folder

_EXITS = {"pass": ending.OK, "fail": ending.FAIL, "inconclusive": ending.INCONCLUSIVE}
_LIGHTS = {"pass": "go", "fail": "hold", "inconclusive": "standby"}
_ESCAPED = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_MOST_NOTES = 50  # a pipeline shows no more anyway


@dataclass(frozen=True, slots=True)
class _Checked:
    """One prompt of the folder and how it went."""

    prompt: str
    label: str
    done: Mapping[str, Any]
    markdown: str

    @property
    def report(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.done["report"]
        return found


@click.command("check")
@click.argument("folder", type=click.Path())
@click.option("--prompt", "prompts", multiple=True, metavar="P", help="Only these prompts.")
@click.option("--provider", type=PROVIDERS, default="recorded", show_default=True, help="Where outputs come from.")
@click.option("--summary", type=click.Path(dir_okay=False), help="Add the Markdown to this file; GITHUB_STEP_SUMMARY.")
@report_option
@json_option
@folder_options
@asks("evaluation.run")
def ci_check(
    folder: str,
    prompts: Sequence[str],
    provider: str,
    summary: str | None,
    report_files: tuple[str, ...],
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Check a pull request: lint FOLDER, then evaluate what is new in it against production.

    With --server the changed versions go to the desk as drafts; without it a temporary desk compares each newest version
    with the one before. Findings become annotations where GitHub reads along. The exit code is the worst of: 0 pass,
    10 fail, 11 inconclusive, 20 a file that is wrong.
    """
    files = places(report_files)
    read = read_folder(folder)
    wanted = [prompt_in(read, one) for one in prompts] or list(read.bundle["prompts"])
    with where.admin_or_local() as admin:
        findings = located(read, admin.lint(read.bundle)["findings"])
        errors = [one for one in findings if one["severity"] == "error"]
        checked = [] if errors else list(_check(admin, read, wanted, provider, local=not where.server))
        _write(admin, checked, files)
    _tell(findings, checked, as_json=as_json)
    _summarise(summary or os.environ.get("GITHUB_STEP_SUMMARY"), findings, checked)
    worst = max(
        (_EXITS.get(one.report["verdict"], ending.INCONCLUSIVE) for one in checked), key=_rank, default=ending.OK
    )
    if errors or worst:
        raise ending.Finish(ending.INVALID if errors else worst)


def _check(admin: Admin, read: Folder, wanted: Sequence[str], provider: str, *, local: bool) -> Iterator[_Checked]:
    pushed = admin.push(read.bundle, as_drafts=True)
    for one in pushed.get("refused", ()):
        raise Invalid(f"{one['prompt']} {one['label']}: {one['why']}", one.get("hint", ""))
    new = {(one["prompt"], one["label"]) for one in pushed.get("drafts", ())}
    for short in wanted:
        name = f"{read.workflow}.{short}"
        labels = sorted(read.bundle["prompts"][short], key=_order)
        mine = [label for label in labels if (name, label) in new]
        if not mine:
            continue
        before = labels[labels.index(mine[-1]) - 1] if local and mine[-1] != labels[0] else PRODUCTION
        done = run(admin, name, mine[-1], Asked(provider, before))
        yield _Checked(name, mine[-1], done, admin.written_report(done["id"], "markdown"))


def _order(label: str) -> tuple[int, str]:
    """Versions by number, drafts after them: a draft is what one works on."""
    number = label.removeprefix("v")
    return (int(number), "") if label.startswith("v") and number.isdigit() else (10**9, label)


def _rank(code: int) -> int:
    return (ending.OK, ending.INCONCLUSIVE, ending.FAIL).index(code)


def _write(admin: Admin, checked: Sequence[_Checked], files: Mapping[Path, str]) -> None:
    """One file of each form; several prompts get a number before the end of the name."""
    from cuelight.cli.reports import write_reports

    for number, one in enumerate(checked, 1):
        named = {
            path if len(checked) == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}"): form
            for path, form in files.items()
        }
        write_reports(admin, one.done, named)


def _tell(findings: Sequence[Mapping[str, Any]], checked: Sequence[_Checked], *, as_json: bool) -> None:
    if as_json:
        reports = [{"prompt": one.prompt, "version": one.label, "report": one.report} for one in checked]
        show_json({"findings": list(findings), "checked": reports})
        return
    notes = [*_finding_notes(findings), *(note for one in checked for note in _report_notes(one))]
    for level, place, words in notes[:_MOST_NOTES]:
        click.echo(_note(level, place, words))
    if len(notes) > _MOST_NOTES:
        say(f"and {len(notes) - _MOST_NOTES} more")
    heading(f"Checked {counted(len(checked), 'prompt')}" if checked else "Nothing was evaluated")
    for one in checked:
        sign, style = light(_LIGHTS.get(one.report["verdict"], "standby"))
        say((f"{sign} {one.report['verdict']}", style), f"  {one.prompt} {one.label}", indent=2)
        for why in one.report.get("why") or ():
            say(f"- {why}", indent=6)


def _finding_notes(findings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for one in findings:
        words = f"{'; '.join(filter(None, [one['message'], one.get('hint')]))} [{one['code']}]"
        yield ("error" if one["severity"] == "error" else "warning"), str(one["at"]), words


def _report_notes(checked: _Checked) -> Iterator[tuple[str, str, str]]:
    verdict = checked.report["verdict"]
    if verdict != "pass":
        why = "; ".join(checked.report.get("why") or ())
        yield ("error" if verdict == "fail" else "warning"), "", f"{checked.prompt} {checked.label}: {verdict}: {why}"
    rows = {row["id"]: row for row in checked.report.get("case_table") or ()}
    for case in checked.report.get("newly_failing") or ():
        row = rows.get(case, {})
        words = "; ".join(f"{one['name']}: {one.get('message', '')}" for one in row.get("failed") or ())
        yield "error", "", f"{checked.prompt} {checked.label}: {case} {row.get('title', '')} is newly failing ({words})"


def _note(level: str, place: str, words: str) -> str:
    """One finding: as GitHub reads it where GitHub reads along, else as an editor opens it.

    What a model said may look like a command to the pipeline: line ends and per cents are escaped.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return f"{place}: {level}: {words}" if place else f"{level}: {' '.join(words.split())}"
    file, _, line = place.rpartition(":")
    where = f" file={_property(file)},line={line}" if file and line.isdigit() else ""
    return f"::{level}{where}::{words.translate(_ESCAPED)}"


def _property(text: str) -> str:
    return text.translate(_ESCAPED).replace(":", "%3A").replace(",", "%2C")


def _summarise(file: str | None, findings: Sequence[Mapping[str, Any]], checked: Sequence[_Checked]) -> None:
    """Add the reports to the summary of the pull request."""
    if not file:
        return
    errors = [one for one in findings if one["severity"] == "error"]
    parts = [f"### 🟥 {counted(len(errors), 'error')} in the files; nothing was evaluated\n"] if errors else []
    parts += [one.markdown for one in checked]
    if not parts:
        parts = ["Nothing in this change needs an evaluation.\n"]
    try:
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write("\n".join(parts))
    except OSError as bad:
        raise Invalid(f"{file} cannot be written: {bad.strerror}", "name another with --summary") from bad
