"""A release of knowledge from its push to the calls that used it: pinned, told, and never silently another."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from cuelight.contract.content import parse
from cuelight.contract.knowledge import sources, uses
from cuelight.contract.rendering import render
from cuelight.contract.snapshot import parse as read
from cuelight.files import read_folder
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, check, release
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, NotFound
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views import evaluation as reports
from cuelight_server.views import knowledge as view
from cuelight_server.views.prompts import card
from cuelight_server.views.runtime import current
from cuelight_server.views.traces import Rebuilt, why
from server.tests.control.test_light_and_heavy import FOUR
from server.tests.reviewing import read_what_is_asked

EXAMPLES = Path(__file__).parents[3] / "examples"
PROMPT = "clinical.intake_summary"
APP = Actor("app:intake", "intake", ActorKind.APP, environment=Environment.PRODUCTION)


def bundle(trace="hash_only", protocol=None):
    made = read_folder(EXAMPLES / "clinical").bundle
    made["prompts"] = {"intake_summary": {"v1": made["prompts"]["intake_summary"]["v1"]}}
    made["workflow"]["trace"]["content"] = trace
    return {**made, "knowledge": {**made["knowledge"], **({"protocol": protocol} if protocol else {})}}


def second():
    """The protocol with one red flag reworded."""
    made = deepcopy(bundle()["knowledge"]["protocol"])
    made["items"][0]["red_flags"][0]["text"] += ", or to the back"
    return made


@pytest.fixture
def luca(demo_desk, person):
    return person("luca.romano", of=demo_desk)


@pytest.fixture
def evaluated(demo_desk, luca):
    """A function that puts the workflow on the desk and evaluates v1."""

    def one(**how):
        answer = push(demo_desk, luca, bundle(**how))
        id = start(demo_desk, luca, PROMPT, "v1", "recorded")
        assert run_pending(demo_desk, {})
        return answer, reports.show(demo_desk, id).report

    return one


@pytest.fixture
def go_live(demo_desk, person, evaluated):
    """A function that brings v1 to production."""

    def one(**how):
        evaluated(**how)
        for role, who in FOUR.items():
            approve(demo_desk, person(who, of=demo_desk), PROMPT, "v1", role=role)
        read_what_is_asked(demo_desk, PROMPT, "v1")
        release(demo_desk, person("ravi.menon", of=demo_desk), PROMPT, "v1")

    return one


def item(checklist, id):
    return next(one for one in checklist.items if one.id == id)


def snapshot(desk):
    return read(json.loads(current(desk, "production").body))


def call(desk, protocol, **changes):
    """Record a call as the app's client does, and ask why."""
    held = snapshot(desk)
    made = parse(held.content(PROMPT, "v1"))
    case = next(iter(bundle()["suites"]["intake_summary"]["cases"]))["input"]
    values = {**bundle()["suites"]["intake_summary"]["defaults"], **case, "protocol": protocol}
    # what the rule in the version would refuse is recorded all the same: an old client may have sent it
    loose = parse({**made.to_json(), "context": [one for one in made.context if one.get("rule") != "pinned_value"]})
    today = desk.clock().date()
    sent = {
        "id": "out_1",
        "at": "2026-01-05T09:00:00Z",
        "prompt": PROMPT,
        "version": "v1",
        "digest": made.digest,
        "reason": "stable",
        "today": today.isoformat(),
        "values": values,
        "rendered_digest": render(loose, values, today).digest,
        "knowledge": [one.to_json() for one in uses(sources(made), values, held.knowledge(PROMPT, "v1"))],
        **changes,
    }
    record_calls(desk, APP, json.dumps({"calls": [{k: v for k, v in sent.items() if v is not None}]}).encode())
    return why(desk, "out_1")


def test_a_report_and_a_checklist_name_the_release_that_was_measured(demo_desk, evaluated):
    _, report = evaluated()
    (line,) = report["knowledge"]
    assert (line["name"], line["number"], line["as_released"]) == ("protocol", 1, line["cases"])
    found = item(check(demo_desk, PROMPT, "v1"), "knowledge:protocol")
    assert (found.ok, found.words) == (
        True,
        f"{line['cases']} of {line['cases']} cases give protocol as release 1 has it",
    )


def test_a_new_release_makes_the_evidence_old_and_lists_who_reads_it(demo_desk, luca, go_live):
    go_live()
    (told,) = push(demo_desk, luca, bundle(protocol=second())).to_json()["knowledge_dependants"]
    assert (told["knowledge"], told["before"], told["number"], told["changes"]) == ("protocol", 1, 2, "1 changed")
    (reader,) = told["readers"]
    assert (reader["prompt"], reader["label"], reader["released_with"]) == (PROMPT, "v1", {"production": 1})
    assert reader["holds_old"] == ["INTAKE-P-2026-03"]


def test_evidence_from_before_a_new_release_does_not_count_any_more(demo_desk, luca, person, evaluated):
    evaluated()
    for role, who in FOUR.items():
        approve(demo_desk, person(who, of=demo_desk), PROMPT, "v1", role=role)
    read_what_is_asked(demo_desk, PROMPT, "v1")
    assert check(demo_desk, PROMPT, "v1").ok
    push(demo_desk, luca, bundle(protocol=second()))
    checklist = check(demo_desk, PROMPT, "v1")
    assert "knowledge changed since: protocol is at release 2" in item(checklist, "report").words
    assert item(checklist, "knowledge:protocol").words == (
        "the report was measured on protocol release 1, the newest is release 2"
    )
    assert not item(checklist, "approval:risk_owner").ok


def test_a_report_on_cases_that_give_another_release_does_not_release(demo_desk, evaluated, luca):
    _, report = evaluated(protocol=second())
    (line,) = report["knowledge"]
    assert (line["number"], line["as_released"]) == (1, 0)
    assert any("give protocol in other words than release 1" in note for note in report["notes"])
    assert not item(check(demo_desk, PROMPT, "v1"), "knowledge:protocol").ok
    with pytest.raises(Blocked):
        release(demo_desk, luca, PROMPT, "v1")


def test_what_serves_stays_tied_to_the_release_it_was_approved_with(demo_desk, luca, go_live):
    go_live()
    first = snapshot(demo_desk).knowledge(PROMPT, "v1")["protocol"]
    push(demo_desk, luca, bundle(protocol=second()))
    again = snapshot(demo_desk).knowledge(PROMPT, "v1")["protocol"]
    assert (first.number, again) == (1, first)
    assert set(first.items) == {"INTAKE-P-2026-03"}


def test_the_same_knowledge_again_lists_nobody(demo_desk, luca, go_live):
    go_live()
    assert push(demo_desk, luca, bundle()).to_json()["knowledge_dependants"] == []


def test_why_names_the_release_of_each_item_where_no_value_is_kept(demo_desk, go_live):
    go_live()
    found = call(demo_desk, bundle()["knowledge"]["protocol"]["items"][0])
    (used,) = found.knowledge
    assert (used.origin, used.number, [one.ref for one in used.items]) == ("as_released", 1, ["INTAKE-P-2026-03"])
    assert "values" not in found.call
    assert found.rebuild.state is Rebuilt.VERIFIABLE
    assert found.rebuild.reason.endswith("of them the desk holds: protocol is protocol release 1")
    json.dumps(found.to_json())


def test_why_rebuilds_with_the_release_where_values_are_kept(demo_desk, go_live):
    go_live(trace="full")
    found = call(demo_desk, bundle()["knowledge"]["protocol"]["items"][0])
    assert (found.rebuild.state, found.rebuild.reason) == (
        Rebuilt.IDENTICAL,
        "rendered again, byte for byte the same, with protocol release 1",
    )


def test_a_call_with_a_later_release_than_its_version_was_released_with_is_told_apart(demo_desk, luca, go_live):
    go_live()
    push(demo_desk, luca, bundle(protocol=second()))
    (used,) = call(demo_desk, second()["items"][0]).knowledge
    assert (used.origin, used.words) == (
        "other_release",
        "from protocol release 2; its version was released with 1",
    )


def test_knowledge_of_no_release_is_unknown_and_names_what_it_claims_to_be(demo_desk, go_live):
    go_live()
    (used,) = call(demo_desk, second()["items"][0]).knowledge
    assert (used.origin, used.items[0].ref, used.items[0].claims) == ("unknown", None, "INTAKE-P-2026-03")


def test_a_call_that_says_nothing_of_its_knowledge_is_not_taken_for_a_good_one(demo_desk, go_live):
    go_live()
    (used,) = call(demo_desk, second()["items"][0], knowledge=None).knowledge
    assert (used.origin, used.words) == ("not_recorded", "the app did not record what it used: not known")


def test_an_app_that_calls_made_up_words_known_is_not_believed(demo_desk, go_live):
    go_live()
    pin = snapshot(demo_desk).knowledge(PROMPT, "v1")["protocol"]
    lie = {"known": True, "digest": "sha256:" + "0" * 64, "ref": "INTAKE-P-2026-03"}
    told = {"variable": "protocol", "name": "protocol", "number": 1, "release": pin.digest, "items": [lie]}
    (used,) = call(demo_desk, second()["items"][0], knowledge=[told]).knowledge
    assert used.origin == "unknown"


def test_kept_values_that_do_not_hold_the_told_knowledge_are_different(demo_desk, go_live):
    go_live(trace="full")
    item = bundle()["knowledge"]["protocol"]["items"][0]
    held = snapshot(demo_desk)
    told = uses(
        sources(parse(held.content(PROMPT, "v1"))), {"protocol": second()["items"][0]}, held.knowledge(PROMPT, "v1")
    )
    found = call(demo_desk, item, knowledge=[one.to_json() for one in told])
    assert found.rebuild.state is Rebuilt.DIFFERENT
    assert "does not hold the knowledge that the call told" in found.rebuild.reason


def test_knowledge_is_listed_shown_and_compared(demo_desk, luca, go_live):
    go_live()
    push(demo_desk, luca, bundle(protocol=second()))
    page = view.listing(demo_desk, "clinical", size=1)
    assert ([one.name for one in page.items], page.next) == (["patient_templates"], "patient_templates")
    (line,) = view.listing(demo_desk, "clinical", page.next).items
    assert (line.name, line.number, line.read_by) == ("protocol", 2, (f"{PROMPT}@v1",))
    newest = view.releases(demo_desk, "clinical", "protocol", size=1)
    assert ([(one.number, one.changes) for one in newest.items], newest.next) == ([(2, "1 changed")], "2")
    (first,) = view.releases(demo_desk, "clinical", "protocol", 2).items
    assert (first.number, first.changes, first.actor) == (1, "the first release", "luca.romano")
    shown = view.release(demo_desk, "clinical", "patient_templates", size=2)
    assert (len(shown["shown"]), shown["items"], shown["next"], shown["intact"]) == (2, 3, 2, True)
    compared = view.compared(demo_desk, "clinical", "protocol", 1, 2)
    assert [one["ref"] for one in compared["changed"]] == ["INTAKE-P-2026-03"]
    (read_here,) = card(demo_desk, PROMPT).knowledge
    assert (read_here.variable, read_here.refs, read_here.newest) == ("protocol", ("INTAKE-P-2026-03",), 2)


@pytest.mark.parametrize(
    ("name", "number", "words", "hint"),
    [
        ("protocol", 9, "clinical.protocol has no release 9", "its newest is 1"),
        ("protocols", None, "the workflow clinical has no knowledge protocols", "it has: patient_templates, protocol"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(demo_desk, luca, name, number, words, hint):
    push(demo_desk, luca, bundle())
    with pytest.raises(NotFound) as refused:
        view.release(demo_desk, "clinical", name, number)
    assert (refused.value.message, refused.value.hint) == (words, hint)
    with pytest.raises(NotFound):
        view.listing(demo_desk, "nowhere")
