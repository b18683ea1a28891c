"""Promise 4 against people in a hurry: unjudged cases, tiny suites, a gate of one's own, another model, other outputs."""

import pytest
from sqlalchemy import update

from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.evaluation.models import is_pinned
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.patterns import compiled
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Workflow
from cuelight_server.providers import Completion
from cuelight_server.releases import store as releases
from cuelight_server.releases.model import Release, ReleaseState
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Kill
from cuelight_server.routing.rules import killed

GOOD, BAD = '{"ok": true}', '{"ok": false}'
AT = "2026-01-05T09:00:00.000000Z"
OPEN = {"min_pass_rate": 0, "blocker_failures_max": 10**6, "newly_failing_max": 10**6}


class Model:
    name, recorded, concurrency, adapter = "openai", False, 1, ""

    def __init__(self, **facts):
        self.facts = {"model": "m-1", "finish_reason": "stop", **facts}

    def complete(self, _request):
        return Completion(text=GOOD, input_tokens=1, output_tokens=1, latency_ms=1.0, **self.facts)


def tiered(shelf, tier):
    found = Workflow(
        name="shop", revision=2, digest="d2", document={"tier": tier, "owners": {"workflow_owner": {"person": "mei.tanaka"}}},
        authority={}, actor="x", created_at=AT,
    )  # fmt: skip
    shelf.put(prompts.save_workflow, found)


def live(shelf, **facts):
    return shelf.run("v1", "openai", {"openai": Model(**facts)}).report


def recorded(shelf, number, made, text):
    shelf.version(number, made)
    shelf.record(made, shelf.all_say(text, 12))


def switched_off(shelf, number):
    """As a rollback leaves it: nothing served, the release that was live still named."""
    made = Release(
        id="rel_1", prompt="shop.talk", number=number, environment="production", previous=None, binding="b",
        checklist={}, state=ReleaseState.ROLLED_BACK, actor="x", note="", created_at=AT,
    )  # fmt: skip
    shelf.put(releases.save, made)
    with transaction(shelf.desk.registry, Intent.WRITE) as sql:
        sql.execute(update(schema.deployment).values(release="rel_1"))
        here = routing.deployment(sql, "shop.talk", "production")
        routing.save(sql, killed(here, Kill(reason="x", by="x", at=AT)))


def test_promise_4_cases_that_no_blocker_or_major_grader_judges_are_no_evidence(shelf):
    shelf.suite(shelf.cases(graders=[{"type": "json_only", "severity": "minor"}]), number=2)
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    report = shelf.run("v1").report
    assert report["verdict"] == "inconclusive"
    assert report["why"] == ["3 cases are judged by no blocker or major grader: C1, C2, C3"]


@pytest.mark.parametrize(("tier", "count"), [("standard", 4), ("elevated", 9), ("high", 19), ("regulated", 19)])
def test_promise_4_fewer_cases_than_the_tier_asks_for_are_inconclusive_and_enough_are_not(shelf, tier, count):
    tiered(shelf, tier)
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD, count + 1))
    shelf.suite(shelf.cases(count), number=2)
    report = shelf.run("v1").report
    assert (report["verdict"], report["why"]) == (
        "inconclusive",
        [f"{count} cases, the tier asks for {count + 1}"],
    )
    shelf.suite(shelf.cases(count + 1), number=3)
    assert shelf.run("v1").report["verdict"] == "pass"


@pytest.mark.parametrize("tier", [one for one in Tier if one >= Tier.STANDARD])
def test_promise_4_a_gate_that_allows_everything_is_held_to_the_floor_of_its_tier(shelf, tier):
    tiered(shelf, tier.value)
    shelf.suite(shelf.cases(20), number=2)
    made = shelf.content(gate=OPEN)
    shelf.version(1, made)
    shelf.record(made, {**shelf.all_say(GOOD, 20), **shelf.all_say("garbage", 5)})
    report = shelf.run("v1").report
    assert report["verdict"] == "fail"
    assert any(
        note.startswith(f"from the tier {tier}, not from a gate: blocker_failures_max 0") for note in report["notes"]
    )


def test_promise_4_switching_production_off_does_not_take_its_gate_and_its_baseline_away(shelf):
    shelf.suite(shelf.cases(12), number=2)
    recorded(shelf, 1, shelf.content("old"), GOOD)
    recorded(shelf, 2, shelf.content("new", gate=OPEN), BAD)
    shelf.serve(1)
    switched_off(shelf, 1)
    report = shelf.run("v2").report
    assert (report["baseline"]["version"], report["verdict"]) == ("v1", "fail")
    assert "12 newly failing" in report["why"]


def test_promise_4_an_answer_of_another_model_than_the_pinned_one_says_nothing_about_it(shelf):
    shelf.version(1, shelf.content())
    report = live(shelf, model="m-2")
    assert (report["verdict"], report["why"]) == ("inconclusive", ["answered by m-2, pinned is m-1"])
    assert live(shelf, model="m-1-2026-06-01")["verdict"] == "pass"
    unknown = live(shelf, model="")
    assert "the model of 3 answers is unknown: the provider does not name it" in unknown["notes"]


@pytest.mark.parametrize(
    ("answered", "same"),
    [("m-1", True), ("m-1-20260601", True), ("m-1@20260601", True), ("m-1-0613", True), ("m-1-mini", False),
     ("m-10", False), ("m", False), ("m-1-9999", False), ("m-1-2026-06-01-mini", False)],
)  # fmt: skip
def test_a_date_after_the_pinned_name_is_the_same_model_and_nothing_else_is(answered, same):
    assert is_pinned(answered, "m-1") is same


def test_answers_that_were_cut_off_are_judged_as_they_are_and_noted(shelf):
    shelf.version(1, shelf.content())
    report = live(shelf, finish_reason="length")
    assert report["verdict"] == "pass"
    assert "3 answers were cut off at the token limit (finish_reason length)" in report["notes"]


def test_the_same_numbers_on_other_outputs_are_other_evidence(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    one = shelf.run("v1")
    with transaction(shelf.desk.registry, Intent.WRITE) as sql:
        texts = prompts.recording_texts(sql, "shop", [made.digest])
        changed = {key: text.replace("true}", "true }") for key, text in texts.items()}
        prompts.save_recordings(sql, "shop", {}, changed)
    two = shelf.run("v1")
    assert one.report["pass_rate"] == two.report["pass_rate"] == 1.0
    for name in ("outputs_digest", "recordings_digest"):
        assert one.report[name] != two.report[name]
    assert one.line.evidence_digest != two.line.evidence_digest


def test_a_latency_that_no_clock_shows_is_said_in_a_few_characters(shelf):
    made = shelf.content(gate={"min_pass_rate": 0, "latency": {"p95_max_ms": 100}})
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD), latency_ms=1e308)
    assert shelf.run("v1").report["why"] == ["p95 1e+308 ms, at most 100 ms"]


@pytest.mark.parametrize("pattern", ["(?:" * 450 + "a" + ")" * 450, "(?:" * 2000 + ")" * 2000, "(", "a" * 10_001])
def test_a_pattern_that_cannot_be_compiled_is_refused_in_words(pattern):
    with pytest.raises(Invalid):
        compiled(pattern)
