"""Evaluations from the asking to the report: baselines, gates, expected failures, pages and what is written down."""

import pytest

from cuelight.contract.canonical import canonical_text, digest
from cuelight_server.audit import store as audit
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.trial import joint_gate
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.evaluation.report import evidence
from cuelight_server.kernel.errors import Blocked, Invalid, NotFound
from cuelight_server.kernel.terms import EvaluationState, Tier
from cuelight_server.prompts import store as prompts
from cuelight_server.views import evaluation as view

GOOD, BAD = '{"ok": true}', '{"ok": false}'


def test_a_first_version_is_judged_by_absolute_gates_and_notes_that_there_is_no_baseline(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    seen = shelf.run("v1")
    report = seen.report
    assert (seen.line.state, seen.line.verdict, report["why"]) == ("done", "pass", [])
    assert report["baseline"] is None
    assert [report[name] for name in ("fixed", "newly_failing", "cost_delta_pct", "p95_delta_pct")] == [None] * 4
    assert "no baseline" in report["notes"]
    assert (report["cost_per_case_usd"], report["p95_ms"], report["cases"], report["samples"]) == (0.00012, 500, 3, 1)
    assert (seen.line.done, seen.line.total) == (3, 3)


def test_the_baseline_is_what_production_serves(shelf):
    old, new = shelf.content("old"), shelf.content("new")
    shelf.version(1, shelf.content("older"))
    shelf.version(2, old)
    shelf.version(3, new)
    shelf.serve(2)
    shelf.record(old, shelf.all_say(GOOD))
    shelf.record(new, {**shelf.all_say(GOOD), ("C2", 1): BAD}, latency_ms=600)
    report = shelf.run("v3").report
    assert report["baseline"]["version"] == "v2"
    assert (report["verdict"], report["newly_failing"], report["fixed"]) == ("fail", ["C2"], [])
    assert report["why"] == ["1 newly failing", "p95 +20%"]
    assert [row["state"] for row in report["case_table"]] == ["passing", "newly_failing", "passing"]
    assert report["case_table"][1]["failed"] == [
        {"name": "equals:ok", "severity": "major", "message": "ok is false, wanted true", "samples": [1]}
    ]


def test_a_version_that_production_serves_is_compared_with_itself(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.serve(1)
    shelf.record(made, shelf.all_say(GOOD))
    report = shelf.run("v1").report
    assert (report["verdict"], report["cost_delta_pct"], report["p95_delta_pct"]) == ("pass", 0.0, 0.0)
    assert (report["fixed"], report["newly_failing"]) == ([], [])


def test_productions_gate_counts_where_it_is_stricter(shelf):
    old, new = (
        shelf.content("old", {**shelf.GATE, "min_pass_rate": 0.9}),
        shelf.content("new", {**shelf.GATE, "newly_failing_max": 9}),
    )
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.serve(1)
    shelf.record(old, shelf.all_say(GOOD))
    shelf.record(new, {**shelf.all_say(GOOD), ("C1", 1): BAD})
    report = shelf.run("v2").report
    assert report["why"] == ["pass rate 0.67", "1 newly failing"]
    assert (report["gate"]["min_pass_rate"], report["gate"]["newly_failing_max"]) == (0.9, 0)


def test_on_a_local_desk_the_lowest_label_stands_in_for_production(make_desk, shelf_on):
    desk = make_desk("local", local=True)
    shelf = shelf_on(desk)
    for label in ("v10", "v2", "next"):
        shelf.draft(label, shelf.content(label))
        shelf.record(shelf.content(label), shelf.all_say(GOOD))
    report = shelf.run("v10").report
    assert (report["local"], report["baseline"]["version"], report["verdict"]) == (True, "v2", "pass")
    assert "v2 stands in for production, which a local desk does not have" in report["notes"]
    assert shelf.run("v2").report["baseline"]["version"] == "v2"
    assert shelf.run("v2", baseline="next").report["baseline"]["version"] == "next"


def test_a_missing_recording_is_an_error_that_names_it_and_never_another_versions(shelf):
    old, new = shelf.content("old"), shelf.content("new")
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.record(old, shelf.all_say(GOOD))
    shelf.record(new, {("C1", 1): GOOD})
    seen = shelf.run("v2")
    assert (seen.line.state, seen.line.verdict) == ("error", "inconclusive")
    why = f"shop.talk@v2: there is no recorded output for case C2 (sample 1) and one more case of content {new.digest}"
    assert seen.report["error"]["message"] == why
    assert seen.report["why"] == [f"error: {why}"]
    assert seen.report["pass_rate"] is None


def test_promise_4_an_unknown_price_or_latency_or_an_empty_suite_is_inconclusive(shelf):
    gate = {**shelf.GATE, "cost": {"mean_max_usd": 9}, "latency": {"p95_max_ms": 9000}}
    made = shelf.content(gate=gate, settings={"model": "dearer"})
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD), model="dearer")
    report = shelf.run("v1").report
    assert (report["verdict"], report["why"]) == ("inconclusive", ["the candidate's cost is not known"])
    assert report["cost_per_case_usd"] is None
    assert "cost not known: no price or no token count for dearer" in report["notes"]
    unmeasured = shelf.content("unmeasured", made.evaluation["gate"])
    shelf.version(2, unmeasured)
    known = {"content": unmeasured.digest, "provenance": "test", "model": "m-1", "input_tokens": 1, "output_tokens": 1}
    rows = {
        (unmeasured.digest, f"C{n}", 1): canonical_text({**known, "case": f"C{n}", "output": GOOD}) for n in (1, 2, 3)
    }
    shelf.put(prompts.save_recordings, "shop", rows, {})
    assert shelf.run("v2").report["why"] == ["the candidate's p95 is not known"]
    shelf.suite(shelf.cases(0), number=2)
    report = shelf.run("v2").report
    assert report["verdict"] == "inconclusive"
    assert report["why"][0] == "the suite has no cases"


def test_expected_failures_of_production_are_shown_and_do_not_block_it_but_block_a_candidate(shelf):
    failures = [{"case": "C1", "versions": ["v1", "v2"], "reason": "known since the start"}]
    shelf.suite(shelf.cases(expected_failures=failures), number=2)
    old, new = shelf.content("old"), shelf.content("new")
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.serve(1)
    for made in (old, new):
        shelf.record(made, {**shelf.all_say(GOOD), ("C1", 1): "no JSON"})
    first = shelf.run("v1").report
    assert (first["verdict"], first["blockers"], first["pass_rate"]) == ("pass", [], 0.667)
    assert first["expected_failures"] == [
        {"case": "C1", "reason": "known since the start", "passed": False, "blockers": ["json_only"]}
    ]
    assert first["case_table"][0]["state"] == "expected_failure"
    second = shelf.run("v2").report
    assert (second["verdict"], second["why"]) == ("fail", ["1 blocker grader failing"])
    assert (second["blocked_cases"], second["blocked_cases_max"]) == (1, 0)
    assert (first["blocked_cases"], second["categories"][0]["passed"]) == (0, 2)
    assert (second["newly_failing"], second["expected_failures"]) == ([], [])


def test_a_draft_that_changes_while_it_waits_is_not_evaluated_under_its_old_name(shelf):
    shelf.draft("next", shelf.content("one"))
    id = start(shelf.desk, shelf.mei, "shop.talk", "next", "recorded")
    shelf.draft("next", shelf.content("two"))
    run_pending(shelf.desk, {})
    assert "was changed after this evaluation was asked for" in view.show(shelf.desk, id).report["error"]["message"]


def test_the_suite_is_the_one_that_was_newest_when_it_was_asked_for(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD, cases=9))
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    shelf.suite(shelf.cases(9), number=2)
    run_pending(shelf.desk, {})
    assert view.show(shelf.desk, id).report["cases"] == 3


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        (("shop.talk", "v9", "recorded"), NotFound, "there is no shop.talk@v9"),
        (("shop.other", "v1", "recorded"), NotFound, "there is no shop.other@v1"),
        (("shop.talk", "v1", "guess"), Invalid, "there is no provider 'guess'"),
        (("shop.talk", "v1", "recorded", "v7"), NotFound, "there is no shop.talk@v7"),
    ],
)
def test_what_does_not_exist_is_not_queued(shelf, asked, kind, words):
    shelf.version(1, shelf.content())
    with pytest.raises(kind, match=words):
        start(shelf.desk, shelf.mei, *asked)
    assert run_pending(shelf.desk, {}) is False


def test_a_prompt_without_its_suite_is_not_queued(shelf):
    shelf.version(1, shelf.content(evaluation={"suite": "gone", "gate": shelf.GATE}))
    with pytest.raises(NotFound, match="the suite gone"):
        start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")


def test_someone_without_a_role_may_not_evaluate(shelf, person):
    shelf.version(1, shelf.content())
    with pytest.raises(NotFound):
        start(shelf.desk, person("passer.by"), "shop.talk", "v1", "recorded")


def test_asking_and_ending_leave_audit_lines_and_a_finished_report_never_changes(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    seen = shelf.run("v1")
    with reading(shelf.desk.registry) as sql:
        lines = {line.verb: line for line in audit.newest(sql, None, 10).items}
    ended = lines["evaluation.finish"]
    assert lines["evaluation.run"].actor == "mei.tanaka"
    assert (ended.actor, ended.facts["verdict"], ended.facts["evidence"]) == (
        "system",
        "pass",
        seen.line.evidence_digest,
    )
    with pytest.raises(Blocked, match="never changes"), operational(shelf.desk.registry) as sql:
        store.progress(sql, seen.line.id, EvaluationState.QUEUED, 0, 0)


def test_the_same_outputs_give_the_same_evidence_whenever_they_are_judged(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    one, two = shelf.run("v1"), shelf.run("v1")
    assert one.line.evidence_digest == two.line.evidence_digest == digest(evidence(two.report))
    assert one.report["at"] != two.report["at"]


def test_the_newest_passing_report_is_found_for_exactly_this_content_suite_and_baseline(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    suite = digest(shelf.cases())
    first, last = shelf.run("v1"), shelf.run("v1")
    with reading(shelf.desk.registry) as sql:
        assert store.newest_passing(sql, "shop.talk", made.digest, suite, None).id == last.line.id != first.line.id
        assert store.newest_finished(sql, "shop.talk", made.digest, suite, None).id == last.line.id
        for other in (
            ("shop.talk", "x", suite, None),
            ("shop.talk", made.digest, "x", None),
            ("shop.talk", made.digest, suite, "x"),
        ):
            assert store.newest_passing(sql, *other) is None


def test_evaluations_and_results_are_listed_in_pages(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    ids = [shelf.run("v1").line.id for _ in range(3)]
    first = view.listing(shelf.desk, "shop.talk", size=2)
    rest = view.listing(shelf.desk, "shop.talk", first.next, 2)
    assert [one.id for one in (*first.items, *rest.items)] == ids[::-1]
    assert rest.next is None
    page = view.results(shelf.desk, ids[0], size=2)
    more = view.results(shelf.desk, ids[0], page.next, 2)
    assert [one.case for one in (*page.items, *more.items)] == ["C1", "C2", "C3"]
    assert page.items[0].document["passed"] == ["json_only", "equals:ok"]
    for bad in ("x", "candidate/x/C1"):
        with pytest.raises(Invalid, match="no cursor"):
            view.results(shelf.desk, ids[0], bad)
    for look in (view.show, view.results):
        with pytest.raises(NotFound):
            look(shelf.desk, "eval_none")


def test_from_tier_high_up_another_model_must_be_shown_to_be_no_worse_where_the_suite_can_show_it(shelf):
    now, before = shelf.content(), shelf.content("hi")
    other = shelf.content(settings={"model": "m-2"})
    rules = {
        "another model": joint_gate(other, before, Tier.HIGH, 300),
        "other words": joint_gate(now, before, Tier.HIGH, 300),
        "a small suite": joint_gate(other, before, Tier.HIGH, 30),
        "a first version": joint_gate(other, None, Tier.HIGH, 300),
        "a lower tier": joint_gate(other, before, Tier.ELEVATED, 300),
    }
    asked = {name for name, gate in rules.items() if gate["comparison"]["rule"] == "required"}
    assert asked == {"another model"}
