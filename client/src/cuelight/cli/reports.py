"""`cuelight report`: what an evaluation said, on the screen, in a pull request, in a pipeline or as one HTML file."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from cuelight.admin import Admin
from cuelight.cli.names import is_prompt, reference
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.report import show_report
from cuelight.cli.show import heading, say, show_json, tell
from cuelight.contract.errors import Conflict, Invalid, NotFound

Files = Mapping[Path, str]  # file -> form
_Command = TypeVar("_Command", bound=Callable[..., Any])
_FORMS = {".html": "html", ".htm": "html", ".md": "markdown", ".xml": "junit", ".json": "json"}
_SIGNS = {"same": ("", ""), "gone": ("-", "red"), "new": ("+", "green")}


def report_option(command: _Command) -> _Command:
    """--report FILE, as often as one likes; the command gets `report_files`."""
    words = "Write the report there too: .html, .md (Markdown), .xml (JUnit) or .json."
    return click.option("--report", "report_files", multiple=True, type=click.Path(dir_okay=False), help=words)(command)


@click.command("report")
@click.argument("what", metavar="EVALUATION|REFERENCE")
@click.option("--case", metavar="ID", help="One case: both outputs, and what differs.")
@click.option("--output", "-o", "files", multiple=True, type=click.Path(dir_okay=False), help="Write it to this file.")
@click.option("--form", type=click.Choice(["markdown", "junit", "html"]), help="Print it in this form.")
@json_option
@desk_options
@asks("desk.read")
def report_command(
    what: str,
    case: str | None,
    files: Sequence[str],
    form: str | None,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Show the report of an evaluation: report eval_0123…, or report sales.lead_qualification@v2 for its newest."""
    wanted = places(files)
    if form and as_json:
        raise Invalid("--form and --json, expected one of them", "--json is a form of its own")
    with where.admin() as admin:
        id = _newest(admin, *reference(what)) if "@" in what or is_prompt(what) else what
        if case is not None:
            found = admin.evaluated_case(id, case)
            show_json(found) if as_json else _show_case(found)
            return
        done = admin.evaluation(id)
        if not isinstance(done.get("report"), Mapping):
            raise Conflict(f"{id} has not ended: {done.get('done')} of {done.get('total')} outputs", "ask again later")
        write_reports(admin, done, wanted)
        text = admin.written_report(id, form) if form else ""
    if as_json:
        show_json(done)
    elif form:
        click.echo(text, nl=False)
    elif not wanted:
        show_report(done["report"])


def places(files: Sequence[str]) -> Files:
    """Which form each file gets, by the end of its name; Invalid for a name that says none."""
    made: dict[Path, str] = {}
    for name in files:
        path = Path(name)
        if path.suffix.lower() not in _FORMS:
            raise Invalid(f"{name} does not say what it is", f"let its name end with one of {', '.join(_FORMS)}")
        if not path.resolve().parent.is_dir():
            raise Invalid(f"{name} lies in no folder that there is", "make the folder first")
        made[path] = _FORMS[path.suffix.lower()]
    return made


def write_reports(admin: Admin, done: Mapping[str, Any], files: Files) -> None:
    """Write the report of a run that has ended in each of the forms that are wanted."""
    for path, form in files.items():
        as_json = json.dumps(done["report"], ensure_ascii=False, indent=2) + "\n"
        text = as_json if form == "json" else admin.written_report(done["id"], form)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as bad:
            raise Invalid(f"{path} cannot be written: {bad.strerror}", "name another file") from bad
        tell(f"wrote {path}")


def _newest(admin: Admin, prompt: str, label: str) -> str:
    """The newest evaluation of a version that has ended."""
    before = ""
    while True:
        page = admin.evaluations(prompt, before)
        for one in page["items"]:
            if one["label"] == label and one["finished_at"]:
                return str(one["id"])
        if not page["next"]:
            raise NotFound(f"{prompt} {label} was never evaluated", f"cuelight eval {prompt}@{label}")
        before = page["next"]


def _show_case(found: Mapping[str, Any]) -> None:
    heading(f"{found['id']}  {found['title']}")
    say(found["category"].replace("_", " "), indent=2)
    for pair in found["pairs"]:
        if len(found["pairs"]) > 1:
            say(f"sample {pair['sample']}", indent=2)
        for side in ("baseline", "candidate"):
            if pair[side] is not None:
                _show_side("production" if side == "baseline" else "this version", pair, side)


def _show_side(title: str, pair: Mapping[str, Any], side: str) -> None:
    hidden = "new" if side == "baseline" else "gone"
    say((title, "bold"), indent=2)
    pieces = [piece for piece in pair["pieces"] if piece["part"] != hidden]
    spans = [(piece["text"], _SIGNS[piece["part"]][1]) for piece in pieces] or [(pair[side]["output"], "")]
    say(*spans, indent=4)
    for one in pair[side].get("failed") or ():
        say(("■ ", "red"), f"{one['name']} ({one['severity']}): {one['message']}", indent=4)
