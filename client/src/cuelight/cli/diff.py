"""`cuelight diff`: what changes between two versions, part by part, and what it could affect."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.names import full_prompt, label_in, prompt_in, reference
from cuelight.cli.options import Where, asks, json_option
from cuelight.cli.show import Span, clean, heading, say, show_json
from cuelight.contract.errors import Invalid
from cuelight.files import read_folder

_AROUND = 60  # characters of equal text kept on each side of a change
_LONG = 300
PRODUCTION = "production"


@click.command("diff")
@click.argument("what")
@click.argument("other", required=False)
@click.option("--prompt", metavar="P", help="In a folder: which prompt.")
@click.option(
    "--from", "before", metavar="LABEL", help="In a folder: the older label; production if --server is given."
)
@click.option("--to", "after", metavar="LABEL", help="In a folder: the newer label; the newest version if left out.")
@click.option("--server", envvar="CUELIGHT_URL", show_envvar=True, metavar="URL", help="The desk's address.")
@click.option("--token", envvar="CUELIGHT_TOKEN", show_envvar=True, metavar="TOKEN", help="A person's token.")
@click.option("--as", "as_", metavar="PERSON", help="Act as this person; on a demo desk only.")
@json_option
@click.pass_context
@asks("desk.read")
def diff_command(
    ctx: click.Context,
    /,
    what: str,
    other: str | None,
    as_json: bool,  # noqa: FBT001  click passes flags
    **named: str | None,
) -> None:
    """Show what changes: diff FOLDER --prompt P --from v1 --to v2, or diff P@v1 P@v2, or diff P@v3 against production.

    A folder needs no server; --server compares it with what is on that desk, for example with production.
    """
    typed = Where(named["server"], named["token"], named["as_"])
    if "@" in what and not Path(what).exists():
        with typed.admin() as admin:
            answer = _two(admin, what, other)
    else:
        if other is not None:
            raise Invalid(
                "two names, expected one folder", "diff FOLDER --prompt P --from v1 --to v2, or diff P@v1 P@v2"
            )
        said = ctx.get_parameter_source("server") is click.core.ParameterSource.COMMANDLINE
        where = typed if said else Where(None, None, None)
        answer = _in_folder(what, named["prompt"], named["before"], named["after"], where)
    show_json(answer) if as_json else show_diff(answer)


def _two(admin: Admin, what: str, other: str | None) -> dict[str, Any]:
    prompt, label = reference(what)
    if other is None:
        return admin.diff(prompt, PRODUCTION, label)
    second, after = reference(other)
    if full_prompt(second) != prompt:
        raise Invalid(f"{prompt} and {second} are two prompts, expected one", "name two labels of the same prompt")
    return admin.diff(prompt, label, after)


def _in_folder(folder: str, prompt: str | None, before: str | None, after: str | None, where: Where) -> dict[str, Any]:
    read = read_folder(folder)
    name = prompt_in(read, prompt)
    newer = label_in(read, name, after)
    if where.server:
        older = before or PRODUCTION
    elif before is None:
        raise Invalid("no older label, expected --from", f"there are: {', '.join(read.bundle['prompts'][name])}")
    else:
        older = label_in(read, name, before)
    with where.admin_or_local() as admin:
        return admin.diff(f"{read.workflow}.{name}", older, newer, read.bundle)


def show_diff(answer: Mapping[str, Any]) -> None:
    """The diff: its class first, then each part; removed text in [-...-], added text in {+...+}."""
    before, after = answer.get("from"), answer["to"]
    say((answer["prompt"], "bold"), f"  {before['label'] if before else 'nothing'} → {after['label']}")
    if not answer["parts"]:
        say("no change: both behave alike")
        return
    say(f"class of change: {answer.get('summary') or str(answer['change_class']).replace('_', ' ')}")
    for part in answer["parts"]:
        affects = ", ".join(part.get("could_affect", ()))
        heading(part["part"] + (f"  could affect: {affects}" if affects else ""))
        for change in part["changes"]:
            _change(change)


def _change(change: Mapping[str, Any]) -> None:
    if change.get("words"):
        say(change["path"], indent=2)
        for line in _words(change["words"]):
            say(*line, indent=4)
        return
    before, after = _value(change.get("before")), _value(change.get("after"))
    if "\n" not in before + after and len(before) + len(after) < _LONG:
        say(
            f"{change['path']}: ",
            (f"[-{before}-]", "red") if before else "",
            (f"{{+{after}+}}", "green") if after else "",
            indent=2,
        )
        return
    say(change["path"], indent=2)
    for sign, value, style in (("-", before, "red"), ("+", after, "green")):
        for row in value.split("\n") if value else ():
            say((f"{sign} {row}", style), indent=4)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(edits: Sequence[Mapping[str, str]]) -> list[list[Span]]:
    """Lines of spans; far equal text is left out."""
    spans: list[Span] = []
    for index, edit in enumerate(edits):
        if edit["op"] == "delete":
            spans.append((f"[-{edit['text']}-]", "red"))
        elif edit["op"] == "insert":
            spans.append((f"{{+{edit['text']}+}}", "green"))
        else:
            spans.append(_nearby(edit["text"], first=index == 0, last=index == len(edits) - 1))
    return _by_line(spans)


def _nearby(text: str, *, first: bool, last: bool) -> str:
    head = "" if first else text[:_AROUND]
    tail = "" if last else text[-_AROUND:]
    return text if len(text) <= len(head) + len(tail) + 5 else f"{head} … {tail}"


def _by_line(spans: Sequence[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        body = span[0] if isinstance(span, tuple) else span
        style = span[1] if isinstance(span, tuple) else ""
        first, *more = clean(body).split("\n")
        lines[-1].append((first, style))
        lines.extend([[(row, style)] for row in more])
    return [line for line in lines if any(span[0] for span in line)]
