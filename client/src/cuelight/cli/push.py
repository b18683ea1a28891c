"""`cuelight push`: a folder goes onto the desk."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cuelight.cli.ending import BLOCKED, INVALID, Finish
from cuelight.cli.lint import located, show_findings, show_ignored, show_rules, show_unread
from cuelight.cli.names import full_prompt
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import Span, heading, say, show_json, table
from cuelight.files import Folder, read_folder

_EXPLAINED = ("minted", "unchanged")  # a refusal has its own heading


@click.command("push")
@click.argument("folder", type=click.Path())
@click.option("--drafts", is_flag=True, help="Save every label as a draft; mint nothing.")
@click.option("--rules", is_flag=True, help="List every rule and what enforces it.")
@click.option(
    "--revive", multiple=True, metavar="PROMPT", help="Bring this retired prompt back; by its workflow owner."
)
@json_option
@desk_options
@asks("workflow.push")
def push_command(
    folder: str,
    drafts: bool,  # noqa: FBT001  click passes flags
    rules: bool,  # noqa: FBT001  click passes flags
    revive: tuple[str, ...],
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Put FOLDER on the desk. prompts/<name>/v<N>.yaml are minted for ever; other file names are drafts.

    Where a version was refused, everything else was still stored, and the exit code is 20; it is 24 where nothing is
    wrong with the files, and only the versions that are there already stand in the way.
    """
    read = read_folder(folder)
    with where.admin() as admin:
        answer = admin.push(read.bundle, as_drafts=drafts, revive=[full_prompt(one) for one in revive])
    if as_json:
        show_json({**answer, "unread": dict(read.unread)})
    else:
        _show(read, answer, rules=rules)
    if answer.get("refused"):
        raise Finish(_exit(answer["refused"]))


def _exit(refused: Sequence[Mapping[str, Any]]) -> int:
    """20 where a file is to be corrected; 24 where only what is stored already stands in the way."""
    return INVALID if any(one.get("findings") for one in refused) else BLOCKED


def _show(folder: Folder, answer: Mapping[str, Any], *, rules: bool) -> None:
    rows = [*_prompts(answer), *_others(answer)]
    table(("", "", ""), rows)
    for one in answer.get("refused", ()):
        heading(f"Refused: {one['prompt']} {one['label']}")
        _show_refused(folder, one)
    _show_dependants(answer.get("dependants", ()))
    _show_readers(answer.get("knowledge_dependants", ()))
    told = [finding for one in answer.get("refused", ()) for finding in one.get("findings", ())]
    findings = located(folder, [one for one in answer.get("findings", ()) if one not in told])
    if findings:
        heading("Other findings" if told else "Findings")
        show_findings(findings, indent=2)
    show_ignored(answer.get("ignored", ()))
    show_unread(folder)
    show_rules(answer.get("rules", ()), in_full=rules)
    _show_proposal(answer.get("proposal"))
    _next(answer)


def _show_refused(folder: Folder, one: Mapping[str, Any]) -> None:
    """Why a file was refused: its findings where there are some, else one sentence and what to do."""
    if one.get("findings"):
        show_findings(located(folder, one["findings"]), indent=2)
        return
    say(one["why"], indent=2)
    if one.get("hint"):
        say(one["hint"], indent=2)


def _show_dependants(changed: Sequence[Mapping[str, Any]]) -> None:
    """Per changed fragment, the versions that still include another text of it."""
    for one in changed:
        heading(f"The fragment {one['fragment']} changed; these still include another text of it")
        for at in one["behind"]:
            say(f"{at['prompt']} {at['label']}", indent=2)


def _show_readers(changed: Sequence[Mapping[str, Any]]) -> None:
    """Per knowledge with a new release, who reads it and what that means for them."""
    for one in changed:
        heading(f"Knowledge {one['knowledge']} is now release {one['number']} ({one['changes']}); it is read by")
        for at in one["readers"]:
            say(f"{at['prompt']} {at['label']}: {at['means']}", indent=2)
        if not one["readers"]:
            say("no prompt names it as the source of a variable", indent=2)


def _prompts(answer: Mapping[str, Any]) -> list[Sequence[Span]]:
    states = (("minted", "go"), ("unchanged", "off"), ("drafts", "standby"), ("refused", "hold"))
    words = {"drafts": "draft"}
    return [
        (
            _light(state, words.get(kind, kind)),
            f"{one['prompt']} {one['label']}",
            "  ".join(filter(None, [str(one.get("digest", ""))[:19], one.get("why", "") * (kind in _EXPLAINED)])),
        )
        for kind, state in states
        for one in answer.get(kind, ())
    ]


def _others(answer: Mapping[str, Any]) -> list[Sequence[Span]]:
    rows: list[Sequence[Span]] = []
    for kind, name in (("suites", "suite"), ("knowledge", "knowledge")):
        rows += [
            (_state(one["state"]), f"{name} {one['name']}", f"number {one['number']}") for one in answer.get(kind, ())
        ]
    if answer.get("prices"):
        rows.append((_state(str(answer["prices"].get("state", ""))), "prices", ""))
    recordings = answer.get("recordings") or {}
    if any(recordings.values()):
        counts = ", ".join(f"{count} {state}" for state, count in recordings.items() if count)
        rows.append((_state("new" if recordings.get("new") else "unchanged"), "recordings", counts))
    rows.append((_state(str(answer.get("governance", ""))), "owners, tier and authority", ""))
    return rows


def _state(word: str) -> Span:
    return _light("go" if word in ("new", "changed") else "standby" if word in ("proposed", "waiting") else "off", word)


def _light(state: str, word: str) -> Span:
    from cuelight.cli.show import light

    sign, style = light(state)
    return f"{sign} {word}", style


def _show_proposal(proposal: Mapping[str, Any] | None) -> None:
    """What of the folder was not stored, since others have to say yes to it first."""
    if proposal is None:
        return
    heading("Who decides changes only with the yes of others; everything else is stored")
    for line in proposal["changes"]:
        say(line, indent=2)
    say(f"cuelight govern show {proposal['id']} says who is asked", indent=2)


def _next(answer: Mapping[str, Any]) -> None:
    minted = answer.get("minted", ())
    if minted:
        say()
        say(("next: ", "bold"), f"cuelight eval {minted[-1]['prompt']}@{minted[-1]['label']}")
