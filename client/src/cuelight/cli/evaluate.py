"""`cuelight eval`: a version meets its suite, on a local desk or on the real one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from shlex import quote
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli import ending
from cuelight.cli.local import local_desk
from cuelight.cli.names import is_prompt, label_in, prompt_in, reference
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.report import show_report
from cuelight.cli.reports import Files, places, report_option, write_reports
from cuelight.cli.running import PRODUCTION, Asked, run, run_options
from cuelight.cli.show import show_json
from cuelight.contract.errors import KINDS, CuelightError, Invalid, Unavailable
from cuelight.files import Folder, read_folder

_EXITS = {"pass": ending.OK, "fail": ending.FAIL, "inconclusive": ending.INCONCLUSIVE}
_RECORD = "--provider openai asks a model instead"


@dataclass(frozen=True, slots=True)
class How:
    """How a run is asked for; `compare` is (A, B) where B is to be evaluated against A."""

    asked: Asked
    compare: tuple[str, str] | None
    files: Files

    def between(self, label: str | None) -> tuple[str | None, str]:
        """(label, baseline) as they were asked for. Invalid where they were asked for twice."""
        if self.compare is None:
            return label, self.asked.baseline
        if label or self.asked.baseline != PRODUCTION:
            raise Invalid("--compare and --baseline or --version, expected one of them", "--compare A B says both")
        return self.compare[1], self.compare[0]


def how_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a run, --compare and --report; the command gets `how`."""

    @run_options
    @click.option("--compare", nargs=2, metavar="A B", help="Evaluate label B against label A of the same prompt.")
    @report_option
    @wraps(command)
    def with_how(
        *args: Any, asked: Asked, compare: tuple[str, str] | None, report_files: tuple[str, ...], **named: Any
    ) -> Any:
        return command(*args, how=How(asked, compare or None, places(report_files)), **named)

    return with_how


@click.command("eval")
@click.argument("what", metavar="FOLDER|REFERENCE")
@click.option("--prompt", metavar="P", help="In a folder: which prompt.")
@click.option("--version", "label", metavar="V", help="In a folder: which label; the newest version if left out.")
@how_options
@json_option
@desk_options
@click.pass_context
@asks("evaluation.run")
def eval_command(
    ctx: click.Context,
    what: str,
    prompt: str | None,
    label: str | None,
    how: How,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Run the suite on a version: eval FOLDER --prompt P --version V locally, eval sales.lead_qualification@v2 on the desk.

    Exit code 0 is a pass, 10 a fail, 11 inconclusive, 20 and above an error. Only a run on the desk counts for a release.
    """
    if Path(what).is_dir() or not ("@" in what or (how.compare and is_prompt(what))):
        if ctx.get_parameter_source("server") is click.core.ParameterSource.COMMANDLINE:
            raise Invalid(
                "a folder and --server, expected a reference",
                "push the folder, then: cuelight eval <workflow>.<prompt>@<label>",
            )
        report, command = _in_folder(what, prompt, label, how)
    else:
        _refuse_folder_options(prompt, label)
        name, label, baseline = _on_desk(what, how)
        with where.admin() as admin:
            done = run(admin, name, label, replace(how.asked, baseline=baseline))
            write_reports(admin, done, how.files)
        report, command = done["report"], ""
    finish(report, command, as_json=as_json)


def _on_desk(what: str, how: How) -> tuple[str, str, str]:
    """(prompt, label, baseline) of what is to be evaluated on the desk."""
    if how.compare and "@" in what:
        name = what.partition("@")[0]
        raise Invalid(f"{what} and --compare, expected one label", f"cuelight eval {name} --compare A B")
    name, named = (what, None) if how.compare else reference(what)
    label, baseline = how.between(None)
    return name, label or named or "", baseline


def _in_folder(what: str, prompt: str | None, label: str | None, how: How) -> tuple[dict[str, Any], str]:
    if is_prompt(what) and not Path(what).exists():
        raise Invalid(f"{what} names a prompt but no version of it", f"cuelight eval {what}@<label>")
    read = read_folder(what)
    short = prompt_in(read, prompt)
    typed, baseline = how.between(label)
    label = label_in(read, short, typed)
    if baseline != PRODUCTION:
        label_in(read, short, baseline)
    with local_desk() as admin:
        done = drafted(admin, read, short, label, replace(how.asked, baseline=baseline))
        write_reports(admin, done, how.files)
    return done["report"], f"cuelight try {quote(what)} --prompt {short} --version {label}"


def drafted(admin: Admin, folder: Folder, prompt: str, label: str, asked: Asked) -> dict[str, Any]:
    """Push the folder as drafts, then run."""
    name = f"{folder.workflow}.{prompt}"
    pushed = admin.push(folder.bundle, as_drafts=True)
    for one in pushed.get("refused", ()):
        if one["prompt"] == name and one["label"] in (label, asked.baseline):
            raise Invalid(f"{name} {one['label']}: {one['why']}", one.get("hint", ""))
    return run(admin, name, label, asked)


def finish(report: Mapping[str, Any], command: str, *, as_json: bool) -> None:
    """Show the report and end with its exit code."""
    if as_json:
        show_json(report)
    else:
        show_report(report, command=command)
    refuse_error(report)
    raise ending.Finish(_EXITS.get(report["verdict"], ending.INCONCLUSIVE))


def refuse_error(report: Mapping[str, Any]) -> None:
    """A run that could not be done is an error of its own, never a verdict."""
    found = report.get("error")
    if isinstance(found, Mapping):
        kind: type[CuelightError] = KINDS.get(str(found.get("kind")), Unavailable)
        message = str(found.get("message") or "the evaluation could not be done")
        hint = "; ".join(filter(None, [str(found.get("hint") or ""), _RECORD if "record" in message else ""]))
        raise kind(message, hint)


def _refuse_folder_options(prompt: str | None, label: str | None) -> None:
    if prompt or label:
        raise Invalid(
            "a reference and --prompt or --version, expected one of them",
            "a reference names prompt and version already",
        )
