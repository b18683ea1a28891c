"""`cuelight review`: outputs read blind in a terminal, answered case by case, and signed."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from cuelight.admin import Admin
from cuelight.cli.look import day
from cuelight.cli.names import reference
from cuelight.cli.options import ROLES, Where, asks, desk_options, json_option
from cuelight.cli.show import counted, heading, say, show_json, table
from cuelight.contract.errors import CuelightError, NotFound

_BETTER = click.Choice(["a", "b", "both", "neither"])
_LIVE = click.Choice(["both", "a", "b", "none"])
_PREFERS = {
    "candidate": "the new one is better",
    "baseline": "production is better",
    "both": "both are fine",
    "neither": "neither is acceptable",
}


def _known(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of reviews for the shell; none where the desk does not answer."""
    where = Where(ctx.params.get("server"), ctx.params.get("token"), ctx.params.get("as_"))
    try:
        with where.admin() as admin:
            return [CompletionItem(one["id"]) for one in admin.reviews()["items"] if one["id"].startswith(incomplete)]
    except CuelightError:
        return []


_id = click.argument("id", shell_complete=_known)


@click.group("review")
def review_command() -> None:
    """Blind reviews: people of a role read outputs without knowing which version wrote them, and sign."""


@review_command.command("open")
@click.argument("what", metavar="REFERENCE|EVALUATION")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Who reads.")
@click.option(
    "--cases", type=click.IntRange(1, 500), metavar="N", help="How many are drawn; as the gate asks if left out."
)
@click.option("--case", "named", multiple=True, metavar="ID", help="One more case, by name; counts for no gate.")
@click.option("--question", default="", metavar="TEXT", help="The one question; as the gate asks if left out.")
@json_option
@desk_options
@asks("review.open")
def open_command(
    what: str,
    role: str,
    cases: int | None,
    named: Sequence[str],
    question: str,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Ask the holders of a role to read cases of the newest report of a REFERENCE, or of an EVALUATION.

    Newly failing cases are drawn first, then those whose output changed.
    """
    with where.admin() as admin:
        made = admin.open_review(_report(admin, what) if "@" in what else what, role, cases, named, question)
    if as_json:
        show_json(made)
        return
    say(
        (made["id"], "bold"), f"  {counted(made['cases'], 'case')} for the {role.replace('_', ' ')}: {made['question']}"
    )
    say(
        ("next: ", "bold"),
        f"cuelight review answer {made['id']}, by them; or /reviews/{made['id']} on the desk's pages",
    )


@review_command.command("list")
@click.argument("prompt", required=False, default="")
@json_option
@desk_options
@asks("desk.read")
def list_command(prompt: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """List reviews, newest first, of every prompt or of PROMPT."""
    with where.admin() as admin:
        found = admin.reviews(prompt)
    if as_json:
        show_json(found)
        return
    rows = [[one["id"], one["prompt"], one["role"].replace("_", " "), *_state(one)] for one in found["items"]]
    table(("review", "prompt", "role", "state", "asked"), rows)
    if not rows:
        say("no review was asked for")


@review_command.command("show")
@_id
@click.argument("number", type=click.IntRange(1, 10_000), required=False)
@json_option
@desk_options
@asks("review.answer")
def show_command(id: str, number: int | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show a review, or open its case NUMBER to read it; once you have signed, everything in the open."""
    with where.admin() as admin:
        found = admin.open_case(id, number) if number else admin.review(id)
    if as_json:
        show_json(found)
    elif number:
        _show_case(found)
    else:
        _show(found)


@review_command.command("answer")
@_id
@click.argument("number", type=click.IntRange(1, 10_000), required=False)
@click.option("--better", type=_BETTER, help="Which is better; both = both are fine, neither = neither is acceptable.")
@click.option("--live", type=_LIVE, help="The question: yes of both, of one, of none. Needed where one is better.")
@click.option("--note", default="", metavar="TEXT", help="A remark that is signed with it.")
@json_option
@desk_options
@asks("review.answer")
def answer_command(
    id: str,
    number: int | None,
    better: str | None,
    live: str | None,
    note: str,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Answer case NUMBER, or go through all that are open, one after the other.

    Only a case that you opened can be answered: `cuelight review show ID NUMBER` opens one, going through them does too.
    """
    with where.admin() as admin:
        if number and better:
            admin.answer_case(id, number, better, live or "", note)
        else:
            _go_through(admin, id, number)
        found = admin.review(id)
    if as_json:
        show_json(found)
    else:
        _show(found)


@review_command.command("sign")
@_id
@json_option
@desk_options
@asks("review.sign")
def sign_command(id: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Sign your answers, for good; then you see which output was which, and how others answered."""
    with where.admin() as admin:
        found = admin.sign_review(id)
    if as_json:
        show_json(found)
        return
    say(("● signed", "green"))
    _show(found)


def _report(admin: Admin, typed: str) -> str:
    """The newest finished evaluation of a reference."""
    prompt, label = reference(typed)
    for one in admin.evaluations(prompt, limit=200)["items"]:
        if one["label"] == label and one["state"] == "done":
            return str(one["id"])
    raise NotFound(f"{typed} has no report yet", f"cuelight eval {typed}")


def _go_through(admin: Admin, id: str, only: int | None) -> None:
    """Ask at the terminal, case by case."""
    open_ = [number for number, _, done in admin.review(id)["numbers"] if not done]
    for number in [only] if only else open_:
        case = admin.open_case(id, number)
        _show_case(case)
        paired = case["b"] is not None
        choices = ["a", "b", "both", "neither"] if paired else ["both", "neither"]
        words = "which is better" if paired else f"{case['question']} (both = yes, it is fine)"
        better = click.prompt(words, type=click.Choice(choices), err=True)
        live = ""
        if better in ("a", "b"):
            live = click.prompt(case["question"], type=_LIVE, err=True)
        note = click.prompt("a note", default="", show_default=False, err=True)
        admin.answer_case(id, number, better, live, note)


def _state(one: Mapping[str, Any]) -> list[Any]:
    if one["blind"]:
        return [(f"○ waits for you, {one['answered']} of {one['cases']}", "yellow"), day(one["created_at"])]
    signed = len(one["signed_by"])
    word = (f"● signed by {signed}", "green") if signed else "· nobody signed yet"
    return [word, day(one["created_at"])]


def _show(found: Mapping[str, Any]) -> None:
    label = f"@{found['label']}" if found["label"] else ""
    say(
        (f"{found['prompt']}{label}", "bold"), f"  {counted(found['cases'], 'case')}, {found['role'].replace('_', ' ')}"
    )
    say(found["question"], indent=2)
    if found["blind"]:
        left = [number for number, _, done in found["numbers"] if not done]
        say(f"{found['answered']} of {found['cases']} answered", indent=2)
        after = f"cuelight review answer {found['id']}" if left else f"cuelight review sign {found['id']}"
        say(("next: ", "bold"), after, indent=2)
        return
    say(f"signed by {', '.join(found['signed_by']) or 'nobody yet'}", indent=2)
    for one in found["revealed"]:
        _show_revealed(one)


def _show_case(case: Mapping[str, Any]) -> None:
    heading(f"Case {case['number']} of {case['of']}")
    for name, value in case["input"].items():
        say((f"{name}: ", "dim"), str(value), indent=2)
    for letter in ("a", "b"):
        if case[letter] is not None:
            say((letter.upper() if case["b"] is not None else "output", "bold"))
            _show_text(case[letter])


def _show_text(output: Mapping[str, Any]) -> None:
    for line in str(output["text"]).split("\n"):
        say(line, indent=4)
    for call in output["tool_calls"]:
        say(f"calls {call['name']} {call.get('arguments')}", indent=4)


def _show_revealed(one: Mapping[str, Any]) -> None:
    heading(f"{one['case']}  {one['title']}")
    for side in (one["candidate"], one["baseline"]):
        if side is not None:
            sign = ("● ", "green") if side["passed"] else ("■ ", "red")
            say(sign, (str(side["label"]), "bold"), indent=2)
            _show_text(side)
    for said in one["said"]:
        ok = "" if said["candidate_ok"] else "; cannot live with the new one"
        say(f"{said['name']}: {_PREFERS.get(said['prefers'], said['prefers'])}{ok}", indent=2)
        if said["note"]:
            say(said["note"], indent=4)
    if one["disagree"]:
        say(("reviewers disagree", "yellow"), indent=2)
