"""What the authority tables of the examples hold, whatever a prompt says."""

from functools import cache
from pathlib import Path

import pytest

from cuelight.contract.authority import decide
from cuelight.files import read_folder

EXAMPLES = Path(__file__).parents[3] / "examples"
RETRIEVE = {"track_id": "maths-fractions-1", "release": "2026-autumn-2", "n": 4}
SIGNED = {
    "intake_id": "IN-7001",
    "signer": "Yuki Mori",
    "meaning": "checked against the answers",
    "signed_at": "2026-11-24T10:00:00Z",
    "text_sha256": "0" * 64,
}


@cache
def table(workflow):
    return read_folder(EXAMPLES / workflow).bundle["authority"]


def facts(**known):
    return {"facts": known}


# Situation -> (workflow, action, arguments, document, times done before, the mode, whether it may happen now)
TABLE = {
    "passages of the active track": (
        "tutoring",
        "curriculum.retrieve",
        RETRIEVE,
        facts(active_track=True),
        0,
        "may_execute",
        True,
    ),
    "five passages": (
        "tutoring",
        "curriculum.retrieve",
        {**RETRIEVE, "n": 5},
        facts(active_track=True),
        0,
        None,
        False,
    ),
    "an older release": (
        "tutoring",
        "curriculum.retrieve",
        {**RETRIEVE, "release": "x"},
        facts(active_track=True),
        0,
        None,
        False,
    ),
    "a track that nobody vouches for": ("tutoring", "curriculum.retrieve", RETRIEVE, facts(), 0, "never", False),
    "a second retrieval in one turn": (
        "tutoring",
        "curriculum.retrieve",
        RETRIEVE,
        facts(active_track=True),
        1,
        None,
        False,
    ),
    "a note about learning": (
        "tutoring",
        "memory.save_lesson_note",
        {"note": "Asked about halves."},
        facts(personal_data_found=False),
        0,
        "may_execute",
        True,
    ),
    "a note about health": (
        "tutoring",
        "memory.save_lesson_note",
        {"note": "Took his adhd tablets."},
        facts(personal_data_found=False),
        0,
        None,
        False,
    ),
    "a note that was not checked": (
        "tutoring",
        "memory.save_lesson_note",
        {"note": "Asked about halves."},
        facts(),
        0,
        "never",
        False,
    ),
    "the first step up": (
        "tutoring",
        "difficulty.step",
        {"move": "up"},
        facts(steps_this_session=0, inside_band=True),
        0,
        "may_execute",
        True,
    ),
    "a second step up": (
        "tutoring",
        "difficulty.step",
        {"move": "up"},
        facts(steps_this_session=1, inside_band=True),
        0,
        "needs_human_approval",
        False,
    ),
    "a grade": ("tutoring", "progress.record_grade", {}, facts(), 0, "never", False),
    "safeguarding, for the hundredth time": (
        "tutoring",
        "escalate.safeguarding",
        {"anything": 1},
        facts(),
        99,
        "may_execute",
        True,
    ),
    "a draft of the note": (
        "clinical",
        "note.draft_intake_summary",
        {},
        {"output": {"status": "draft_pending_clinician_review"}},
        0,
        "may_prepare",
        True,
    ),
    "a note that calls itself final": (
        "clinical",
        "note.draft_intake_summary",
        {},
        {"output": {"status": "final"}},
        0,
        "never",
        False,
    ),
    "a signed note": ("clinical", "ehr.write_note", SIGNED, facts(), 0, "needs_human_approval", False),
    "a note without its signer": (
        "clinical",
        "ehr.write_note",
        {k: v for k, v in SIGNED.items() if k != "signer"},
        facts(),
        0,
        None,
        False,
    ),
    "urgency up": ("clinical", "urgency.raise", {}, facts(), 0, "may_execute", True),
    "urgency down": ("clinical", "urgency.lower", {}, facts(), 0, "never", False),
    "a nurse, for the hundredth time": (
        "clinical",
        "page.on_call_nurse",
        {"anything": 1},
        facts(),
        99,
        "may_execute",
        True,
    ),
    "a fixed text": (
        "clinical",
        "message.patient_template",
        {"intake_id": "IN-7001", "template": "crisis_template"},
        facts(),
        0,
        "may_execute",
        True,
    ),
    "a text of its own": (
        "clinical",
        "message.patient_template",
        {"intake_id": "IN-7001", "template": "It will pass."},
        facts(),
        0,
        None,
        False,
    ),
    "what no table lists": ("notes", "mail.send", {}, facts(), 0, "never", False),
}


@pytest.mark.parametrize("situation", TABLE)
def test_what_may_happen(situation):
    workflow, action, arguments, document, done, mode, allowed = TABLE[situation]
    decision = decide(table(workflow), action, arguments=arguments, document=document, done=done)
    assert decision.allowed is allowed, decision.reason
    if mode is not None:
        assert decision.mode == mode
