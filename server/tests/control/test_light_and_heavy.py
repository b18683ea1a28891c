"""The same kind of change, one kinder sentence, in two tiers: one person and no yes in notes, four roles in clinical."""

from copy import deepcopy
from pathlib import Path

import pytest

from cuelight.contract.content import parse
from cuelight.files import read_folder
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.prompts import diff_labels
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, check, release
from cuelight_server.kernel.errors import Blocked
from cuelight_server.kernel.terms import ChangeClass
from server.tests.reviewing import read_what_is_asked

EXAMPLES = Path(__file__).parents[3] / "examples"
NOTES, CLINICAL = "notes.meeting_summary", "clinical.intake_summary"
FOUR = {
    "workflow_owner": "ifeoma.adeyemi",
    "domain_expert": "anna.lindqvist",
    "engineering_owner": "ravi.menon",
    "risk_owner": "marta.silva",
}


def kinder():
    """The clinical workflow with its first version, and a second one that says one sentence more kindly."""
    bundle = read_folder(EXAMPLES / "clinical").bundle
    first = bundle["prompts"]["intake_summary"]["v1"]
    second = {**deepcopy(first), "release_note": "Kinder words: one sentence, nothing else."}
    tone = second["messages"][0]["parts"][0]
    assert tone["block"] == "tone"
    tone["text"] += "Use plain, kind words. "
    spoken = [one for one in bundle["recordings"] if one["content"] == parse(first).digest]
    again = [{**one, "content": parse(second).digest} for one in spoken]
    return {**bundle, "prompts": {"intake_summary": {"v1": first, "v2": second}}, "recordings": [*spoken, *again]}


def evaluate(desk, actor, prompt, label):
    start(desk, actor, prompt, label, "recorded")
    assert run_pending(desk, {})


def asked(desk, prompt, label):
    """The roles whose yes the checklist of a version asks for."""
    return {one.id.partition(":")[2] for one in check(desk, prompt, label).items if one.id.startswith("approval:")}


@pytest.fixture
def notes_live(demo_desk, person):
    nora = person("nora.blum", of=demo_desk)
    push(demo_desk, nora, read_folder(EXAMPLES / "notes").bundle)
    evaluate(demo_desk, nora, NOTES, "v1")
    release(demo_desk, nora, NOTES, "v1")
    return demo_desk, nora


@pytest.fixture
def clinical_live(demo_desk, person):
    luca = person("luca.romano", of=demo_desk)
    push(demo_desk, luca, kinder())
    evaluate(demo_desk, luca, CLINICAL, "v1")
    for role, who in FOUR.items():
        approve(demo_desk, person(who, of=demo_desk), CLINICAL, "v1", role=role)
    read_what_is_asked(demo_desk, CLINICAL, "v1")
    release(demo_desk, person("ravi.menon", of=demo_desk), CLINICAL, "v1")
    return demo_desk, luca


def test_in_notes_one_person_evaluates_and_releases_it(notes_live):
    desk, nora = notes_live
    assert diff_labels(desk, NOTES, "production", "v2").diff.change_class is ChangeClass.WORDING
    evaluate(desk, nora, NOTES, "v2")
    assert asked(desk, NOTES, "v2") == set()
    assert release(desk, nora, NOTES, "v2").previous == "v1"


def test_in_notes_too_nothing_goes_live_without_its_evaluation(notes_live):
    desk, nora = notes_live
    with pytest.raises(Blocked, match="report"):
        release(desk, nora, NOTES, "v2")


def test_in_clinical_the_same_kind_of_change_needs_four_roles(clinical_live, person):
    desk, luca = clinical_live
    assert diff_labels(desk, CLINICAL, "production", "v2").diff.change_class is ChangeClass.WORDING
    evaluate(desk, luca, CLINICAL, "v2")
    assert asked(desk, CLINICAL, "v2") == set(FOUR)
    ravi = person("ravi.menon", of=desk)
    for role, who in FOUR.items():
        with pytest.raises(Blocked, match=role.replace("_", " ")):
            release(desk, ravi, CLINICAL, "v2")
        approve(desk, person(who, of=desk), CLINICAL, "v2", role=role)
    read_what_is_asked(desk, CLINICAL, "v2")
    assert release(desk, ravi, CLINICAL, "v2").previous == "v1"
