"""The story of the demo: a chapter for each example workflow; each ends in checks, and one that fails ends it with an error."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cuelight.admin import Admin
from cuelight_server.control.access import add_actor, issue_key
from cuelight_server.control.members import appoint_auditor
from cuelight_server.control.opening import create_desk
from cuelight_server.demo import clinical, notes, sales, tutoring
from cuelight_server.demo.stage import Narrator, Stage, find_example, fresh_folder, running_server
from cuelight_server.demo.steps import PASS, Chapter
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment

CHAPTERS: Mapping[str, Callable[[Chapter], None]] = {
    "sales": sales.play,
    "tutoring": tutoring.play,
    "clinical": clinical.play,
    "notes": notes.play,
}
_PEOPLE = {
    "sales": ((sales.AUTHOR, "Leon Abara"), (sales.RELEASER, "Mei Tanaka")),
    "tutoring": ((tutoring.AUTHOR, "Martin Hale"), (tutoring.RELEASER, "Elif Demir")),
    "clinical": ((clinical.AUTHOR, "Luca Romano"), (clinical.RELEASER, "Ravi Menon")),
    "notes": ((notes.NORA, "Nora Blum"),),
}
_AUDITOR = "ines.duarte"
# What the desk must show when the story is over: the cue light of each prompt in production.
_ENDS = {
    "sales.lead_qualification": "go",
    "sales.outreach_draft": "go",
    "sales.research_summary": "hold",
    "tutoring.lesson_turn": "go",
    "clinical.intake_summary": "go",
    "notes.meeting_summary": "standby",
}


def main(folder: Path, only: str = "") -> int:
    """Play the story on a new demo desk in `folder`, or `only` one chapter of it; 0 when every promise held, 1 otherwise."""
    narrator = Narrator()
    wanted = [only] if only else list(CHAPTERS)
    sources = {name: find_example(name) for name in wanted}
    fresh_folder(folder)
    keys = _open_desk(folder, wanted)
    with tempfile.TemporaryDirectory(prefix="cuelight-demo-") as scratch, running_server(folder) as url:
        stage = Stage(folder, Path(scratch), url, narrator)
        narrator.act(
            "Cuelight",
            f"A new desk, and {_counted(wanted)}. Every output is a recorded one, written by hand: a simulation.\n"
            "No model is asked, so nothing here says how a model behaves.",
        )
        for name in wanted:
            with narrator.chapter(name):
                CHAPTERS[name](Chapter(stage, sources[name], keys[name]))
        with narrator.chapter("the desk"):
            _in_the_end(stage, wanted)
    return _close(narrator, folder)


def _in_the_end(stage: Stage, wanted: list[str]) -> None:
    """What the auditor sees now, and that nothing was changed behind the desk's back."""
    stage.narrator.act(
        "The end · What serves where",
        "People see the workflows in which they hold something. Ines is an auditor: she sees all, and changes nothing.\n"
        "The desk's page shows her the same.",
    )
    for line in stage.cuelight(_AUDITOR, "status").text.splitlines():
        stage.narrator.show(f"    {line}")
    with Admin(stage.url, as_=_AUDITOR) as asking:
        rows = asking.status()["rows"]
    lights = {one["prompt"]: one["state"] for one in rows if one["environment"] == Environment.PRODUCTION.value}
    ends = {prompt: state for prompt, state in _ENDS.items() if prompt.partition(".")[0] in wanted}
    stage.narrator.check("every prompt ended in the state that the story says", holds=lights == ends)
    verified = stage.server("verify")
    stage.narrator.check("every stored version and the audit log verify", holds=verified.code == PASS)


def _open_desk(folder: Path, wanted: list[str]) -> dict[str, str]:
    """A new demo desk with the people who push and release, and an auditor; the key of each workflow's app."""
    desk = create_desk(folder, demo=True)
    try:
        for name in wanted:
            for person, said in _PEOPLE[name]:
                add_actor(desk, SYSTEM, person, said)
        add_actor(desk, SYSTEM, _AUDITOR, "Ines Duarte")
        appoint_auditor(desk, SYSTEM, _AUDITOR)
        keys = {name: issue_key(desk, SYSTEM, f"{name}-app", Environment.PRODUCTION) for name in wanted}
    finally:
        desk.close()
    mark = folder / "demo"
    mark.touch(mode=0o600)
    mark.write_text(json.dumps({"keys": keys}), "utf-8")
    return keys


def _counted(wanted: list[str]) -> str:
    if len(wanted) == 1:
        return f"the workflow {wanted[0]}"
    return f"{len(wanted)} workflows with their own people: {', '.join(wanted[:-1])} and {wanted[-1]}"


def _close(narrator: Narrator, folder: Path) -> int:
    held, broken = len(narrator.held), len(narrator.broken)
    if broken:
        narrator.act("This did not hold", "\n".join(f"  ✗ {words}" for words in narrator.broken))
        return 1
    narrator.act(
        f"All {held} checks held",
        f"Open the desk on this data: make serve   (or cuelight-server serve --data {folder})",
    )
    return 0
