"""Evaluations from the asking to the report: recorded and live, with and without a baseline, stopped, broken, resumed."""

import json
import random
import threading
from collections import Counter

import pytest

from cuelight.contract.canonical import canonical_text, digest
from cuelight.contract.content import parse
from cuelight_server.audit import store as audit
from cuelight_server.control.evaluation import Limits, abandon, requeue, run_pending, start
from cuelight_server.control.opening import create_desk
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.evaluation.report import evidence
from cuelight_server.kernel.errors import Blocked, Denied, Invalid, NotFound, Unavailable
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Draft, Numbered, Prompt, Version
from cuelight_server.providers import Completion, Echo
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from cuelight_server.views import evaluation as view
from cuelight_server.worker import Worker

AT = "2026-01-05T09:00:00.000000Z"
GATE = {"min_pass_rate": 0.5, "cost": {"mean_increase_max_pct": 10}, "latency": {"p95_increase_max_pct": 10}}
PRICES = {"models": [{"model": "m-1", "input_per_1k": 0.001, "output_per_1k": 0.002}]}


def content(words="hello", gate=GATE, **parts):
    document = {
        "messages": [{"role": "user", "content": words + " {{topic}}"}],
        "variables": [{"name": "topic", "type": "string", "trust": "internal"}],
        "settings": {"model": "m-1"},
        "evaluation": {"suite": "main", "gate": gate},
    }
    return parse({**document, **parts})


def suite_document(count=3, **more):
    cases = [
        {"id": f"C{n}", "category": "edge", "title": f"Case {n}", "input": {"topic": f"t{n}"}}
        for n in range(1, count + 1)
    ]
    graders = [
        {"type": "json_only", "severity": "blocker"},
        {"type": "equals", "severity": "major", "path": "ok", "value": True},
    ]
    return {"suite": "main", "graders": graders, "cases": cases, **more}


class Shelf:
    """A desk with one workflow `shop` and one prompt `shop.talk`, filled past the door."""

    def __init__(self, desk, mei):
        self.desk, self.mei = desk, mei

    def put(self, save, *rows):
        with transaction(self.desk.registry, Intent.WRITE) as sql:
            save(sql, *rows)

    def suite(self, document, number=1):
        row = Numbered(
            workflow="shop",
            name="main",
            number=number,
            digest=digest(document),
            document=document,
            actor="x",
            created_at=AT,
        )
        self.put(prompts.save_suite, row)
        return row.digest

    def prices(self, document):
        self.put(
            prompts.save_prices,
            Numbered(
                workflow="shop", name="", number=1, digest=digest(document), document=document, actor="x", created_at=AT
            ),
        )

    def version(self, number, made):
        row = Version(
            prompt="shop.talk",
            number=number,
            digest=made.digest,
            content=made.to_json(),
            author="x",
            release_note="",
            created_at=AT,
        )
        self.put(prompts.save_version, row)
        return made.digest

    def draft(self, label, made):
        row = Draft(
            prompt="shop.talk", label=label, digest=made.digest, content=made.to_json(), author="x", updated_at=AT
        )
        self.put(prompts.save_draft, row)

    def serve(self, number):
        row = Deployment(
            prompt="shop.talk",
            environment="production",
            tenant="",
            weights=((number, 100000),),
            rollback_target=None,
            kill=None,
            release=None,
            revision=1,
            since=AT,
        )
        self.put(routing.save, row)

    def record(self, made, outputs, **facts):
        """outputs: (case, sample) -> text."""
        known = {"model": "m-1", "input_tokens": 100, "output_tokens": 10, "latency_ms": 500}
        rows = {
            (made.digest, case, number): canonical_text(
                {
                    "content": made.digest,
                    "case": case,
                    "sample": number,
                    "output": text,
                    "provenance": "test",
                    **known,
                    **facts,
                }
            )
            for (case, number), text in outputs.items()
        }
        self.put(prompts.save_recordings, "shop", rows, {})

    def run(self, label, provider="recorded", providers=None, baseline="production", **how):
        id = start(self.desk, self.mei, "shop.talk", label, provider, baseline)
        assert run_pending(self.desk, providers or {}, **how)
        return view.show(self.desk, id)


def shelf_on(desk, person, workflow):
    mei = person("mei.tanaka", of=desk)
    workflow("shop", workflow_owner="mei.tanaka", of=desk)
    made = Shelf(desk, mei)
    made.put(prompts.save_prompt, Prompt(name="shop.talk", workflow="shop", created_at=AT))
    return made


@pytest.fixture
def shelf(desk, person, workflow):
    made = shelf_on(desk, person, workflow)
    made.suite(suite_document())
    made.prices(PRICES)
    return made


def all_say(text, cases=3, samples=1):
    return {(f"C{n}", s): text for n in range(1, cases + 1) for s in range(1, samples + 1)}


GOOD, BAD = '{"ok": true}', '{"ok": false}'


def test_a_first_version_is_judged_by_absolute_gates_and_notes_that_there_is_no_baseline(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
    seen = shelf.run("v1")
    report = seen.report
    assert (seen.line.state, seen.line.verdict, report["why"]) == ("done", "pass", [])
    assert report["baseline"] is None
    assert [report[name] for name in ("fixed", "newly_failing", "cost_delta_pct", "p95_delta_pct")] == [None] * 4
    assert "no baseline" in report["notes"]
    assert (report["cost_per_case_usd"], report["p95_ms"], report["cases"], report["samples"]) == (0.00012, 500, 3, 1)
    assert (seen.line.done, seen.line.total) == (3, 3)


def test_the_baseline_is_what_production_serves(shelf):
    old, new = content("old"), content("new")
    shelf.version(1, content("older"))
    shelf.version(2, old)
    shelf.version(3, new)
    shelf.serve(2)
    shelf.record(old, all_say(GOOD))
    shelf.record(new, {**all_say(GOOD), ("C2", 1): BAD}, latency_ms=600)
    report = shelf.run("v3").report
    assert report["baseline"]["version"] == "v2"
    assert (report["verdict"], report["newly_failing"], report["fixed"]) == ("fail", ["C2"], [])
    assert report["why"] == ["1 newly failing", "p95 +20%"]
    assert [row["state"] for row in report["case_table"]] == ["passing", "newly_failing", "passing"]
    assert report["case_table"][1]["failed"] == [
        {"name": "equals:ok", "severity": "major", "message": "ok is false, wanted true", "samples": [1]}
    ]


def test_a_version_that_production_serves_is_compared_with_itself(shelf):
    made = content()
    shelf.version(1, made)
    shelf.serve(1)
    shelf.record(made, all_say(GOOD))
    report = shelf.run("v1").report
    assert (report["verdict"], report["cost_delta_pct"], report["p95_delta_pct"]) == ("pass", 0.0, 0.0)
    assert (report["fixed"], report["newly_failing"]) == ([], [])


def test_productions_gate_counts_where_it_is_stricter(shelf):
    old, new = content("old", {**GATE, "min_pass_rate": 0.9}), content("new", {**GATE, "newly_failing_max": 9})
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.serve(1)
    shelf.record(old, all_say(GOOD))
    shelf.record(new, {**all_say(GOOD), ("C1", 1): BAD})
    report = shelf.run("v2").report
    assert report["why"] == ["pass rate 0.67", "1 newly failing"]
    assert (report["gate"]["min_pass_rate"], report["gate"]["newly_failing_max"]) == (0.9, 0)


def test_on_a_local_desk_the_lowest_label_stands_in_for_production(tmp_path, person, workflow):
    desk = create_desk(tmp_path / "local", local=True)
    shelf = shelf_on(desk, person, workflow)
    shelf.suite(suite_document())
    shelf.prices(PRICES)
    for label in ("v10", "v2", "next"):
        shelf.draft(label, content(label))
        shelf.record(content(label), all_say(GOOD))
    report = shelf.run("v10").report
    assert (report["local"], report["baseline"]["version"], report["verdict"]) == (True, "v2", "pass")
    assert "v2 stands in for production, which a local desk does not have" in report["notes"]
    assert shelf.run("v2").report["baseline"]["version"] == "v2"
    assert shelf.run("v2", baseline="next").report["baseline"]["version"] == "next"
    desk.close()


def test_a_missing_recording_is_an_error_that_names_it_and_never_another_versions(shelf):
    old, new = content("old"), content("new")
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.record(old, all_say(GOOD))
    shelf.record(new, {("C1", 1): GOOD})
    seen = shelf.run("v2")
    assert (seen.line.state, seen.line.verdict) == ("error", "inconclusive")
    why = f"shop.talk@v2: there is no recorded output for case C2 (sample 1) and one more case of content {new.digest}"
    assert seen.report["error"]["message"] == why
    assert seen.report["why"] == [f"error: {why}"]
    assert seen.report["pass_rate"] is None


def test_promise_4_an_unknown_price_or_latency_or_an_empty_suite_is_inconclusive(shelf):
    made = content(gate={**GATE, "cost": {"mean_max_usd": 9}, "latency": {"p95_max_ms": 9000}})
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD), model="dearer")
    report = shelf.run("v1").report
    assert (report["verdict"], report["why"]) == ("inconclusive", ["the candidate's cost is not known"])
    assert report["cost_per_case_usd"] is None
    assert "cost not known: no price or no token count for dearer" in report["notes"]
    unmeasured = content("unmeasured", made.evaluation["gate"])
    shelf.version(2, unmeasured)
    known = {"content": unmeasured.digest, "provenance": "test", "model": "m-1", "input_tokens": 1, "output_tokens": 1}
    rows = {
        (unmeasured.digest, f"C{n}", 1): canonical_text({**known, "case": f"C{n}", "output": GOOD}) for n in (1, 2, 3)
    }
    shelf.put(prompts.save_recordings, "shop", rows, {})
    assert shelf.run("v2").report["why"] == ["the candidate's p95 is not known"]
    shelf.suite(suite_document(0), number=2)
    report = shelf.run("v2").report
    assert report["verdict"] == "inconclusive"
    assert report["why"][0] == "the suite has no cases"


def test_expected_failures_of_production_are_shown_and_do_not_block_it_but_block_a_candidate(shelf):
    failures = [{"case": "C1", "versions": ["v1", "v2"], "reason": "known since the start"}]
    shelf.suite(suite_document(expected_failures=failures), number=2)
    old, new = content("old"), content("new")
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.serve(1)
    for made in (old, new):
        shelf.record(made, {**all_say(GOOD), ("C1", 1): "no JSON"})
    first = shelf.run("v1").report
    assert (first["verdict"], first["blockers"], first["pass_rate"]) == ("pass", [], 0.667)
    assert first["expected_failures"] == [
        {"case": "C1", "reason": "known since the start", "passed": False, "blockers": ["json_only"]}
    ]
    assert first["case_table"][0]["state"] == "expected_failure"
    second = shelf.run("v2").report
    assert (second["verdict"], second["why"]) == ("fail", ["1 blocker grader failing"])
    assert (second["newly_failing"], second["expected_failures"]) == ([], [])


class Flaky:
    """A live provider that answers by a rule and counts how often it was asked."""

    name, recorded = "openai", False

    def __init__(self, answer, concurrency=4):
        self.answer, self.concurrency = answer, concurrency
        self.asked, self.lock = Counter(), threading.Lock()

    def complete(self, request):
        with self.lock:
            self.asked[request.content_digest, request.case, request.sample] += 1
        return self.answer(request)


def says(text):
    return Completion(text=text, input_tokens=10, output_tokens=10, latency_ms=5.0, model="m-1")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_live_run_takes_as_many_samples_as_the_gate_asks_and_names_unstable_cases(shelf, concurrency):
    shelf.version(1, content(gate={**GATE, "repeat": {"samples": 3, "majors_min": 2}}))

    def answer(request):
        return says(BAD if (request.case, request.sample) == ("C2", 3) else GOOD)

    provider = Flaky(answer, concurrency)
    seen = shelf.run("v1", "openai", {"openai": provider})
    assert (seen.line.total, seen.line.done, sum(provider.asked.values())) == (9, 9, 9)
    assert (seen.report["verdict"], seen.report["samples"], seen.report["unstable"]) == ("pass", 3, ["C2"])
    assert seen.report["recorded"] is False
    rows = view.results(shelf.desk, seen.line.id).items
    assert [(row.case, row.sample, row.passed) for row in rows if not row.passed] == [("C2", 3, False)]


def test_an_answer_that_cannot_be_had_ends_the_run_as_an_error_with_its_case(shelf):
    shelf.version(1, content())

    def answer(request):
        if request.case == "C2":
            raise Unavailable("the line is dead", "try later")
        return says(GOOD)

    seen = shelf.run("v1", "openai", {"openai": Flaky(answer)})
    assert (seen.line.state, seen.report["verdict"]) == ("error", "inconclusive")
    assert seen.report["error"]["message"] == "case C2: the line is dead"


def test_a_variable_that_the_candidate_does_not_declare_is_an_error(shelf):
    shelf.version(1, content(variables=[{"name": "topic"}, {"name": "tone"}]))
    report = shelf.run("v1", "echo", {"echo": Echo()}).report
    assert report["error"]["message"] == "case C1, candidate: the variable tone is missing"
    made = content(messages=[{"role": "user", "content": "hi"}], variables=[])
    shelf.version(2, made)
    shelf.record(made, all_say(GOOD))
    assert "the variable topic is not declared" in shelf.run("v2").report["error"]["message"]


def test_a_baseline_may_be_older_than_a_variable_of_the_suite(shelf):
    old = content(messages=[{"role": "user", "content": "hi"}], variables=[])
    shelf.version(1, old)
    shelf.version(2, content())
    shelf.serve(1)
    report = shelf.run("v2", "openai", {"openai": Flaky(lambda _: says(GOOD))}).report
    assert (report["verdict"], report["baseline"]["version"]) == ("pass", "v1")


def test_promise_4_a_run_that_stops_at_a_limit_is_inconclusive(shelf):
    shelf.version(1, content())
    cheap = {"openai": Flaky(lambda _: says(GOOD), 1)}
    report = shelf.run("v1", "openai", cheap, limits=Limits(usd=0.00001)).report
    assert (report["verdict"], report["why"]) == (
        "inconclusive",
        ["stopped at the limit of $1e-05 with 1 of 3 outputs"],
    )
    assert (report["cases"], report["error"]) == (1, None)
    slow = shelf.run("v1", "openai", cheap, limits=Limits(seconds=0.5)).report
    assert slow["why"] == ["stopped at the limit of 0.5 s with 0 of 3 outputs"]


def test_a_run_that_is_shut_down_waits_again_and_asks_no_model_twice(shelf):
    shelf.version(1, content())
    provider = Flaky(lambda _: says(GOOD), 1)
    stops = iter([False, False, True])
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "openai")
    assert run_pending(shelf.desk, {"openai": provider}, lambda: next(stops))
    waiting = view.show(shelf.desk, id)
    assert (waiting.line.state, waiting.line.done, waiting.report) == ("queued", 2, None)
    assert run_pending(shelf.desk, {"openai": provider})
    assert view.show(shelf.desk, id).report["verdict"] == "pass"
    assert set(provider.asked.values()) == {1}
    assert run_pending(shelf.desk, {}) is False


def test_a_run_that_a_dead_process_left_behind_waits_again(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    with operational(shelf.desk.registry) as sql:
        store.progress(sql, id, EvaluationState.RUNNING, 1, 3)
    assert run_pending(shelf.desk, {}) is False
    assert requeue(shelf.desk) == 1
    assert run_pending(shelf.desk, {})
    assert view.show(shelf.desk, id).line.state == "done"


def test_a_fault_that_nobody_foresaw_can_be_written_down_as_an_error(shelf):
    shelf.version(1, content())
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    with operational(shelf.desk.registry) as sql:
        store.progress(sql, id, EvaluationState.RUNNING, 0, 3)
    abandon(shelf.desk, "ZeroDivisionError: division by zero")
    seen = view.show(shelf.desk, id)
    assert (seen.line.state, seen.line.verdict) == ("error", "inconclusive")
    assert "ZeroDivisionError" in seen.report["why"][0]


def test_the_worker_runs_what_waits_and_survives_a_fault_and_a_bad_tick(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
    shelf.version(2, content("broken"))

    def broken(_request):
        raise ZeroDivisionError("a bug in a provider")

    ticked = threading.Event()

    def tick(_desk):
        ticked.set()
        raise ZeroDivisionError("a bug in a tick")

    bad = start(shelf.desk, shelf.mei, "shop.talk", "v2", "openai")
    good = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    worker = Worker(shelf.desk, {"openai": Flaky(broken, 1)}, every_s=0.01, ticks=[tick])
    worker.start()
    worker.wake()
    pause = threading.Event()
    for _ in range(500):
        if all(view.show(shelf.desk, id).report for id in (bad, good)):
            break
        pause.wait(0.02)
    assert worker.stop()
    assert view.show(shelf.desk, bad).line.state == "error"
    assert "ZeroDivisionError" in view.show(shelf.desk, bad).report["why"][0]
    assert view.show(shelf.desk, good).line.verdict == "pass"
    assert ticked.is_set()


def test_a_draft_that_changes_while_it_waits_is_not_evaluated_under_its_old_name(shelf):
    shelf.draft("next", content("one"))
    id = start(shelf.desk, shelf.mei, "shop.talk", "next", "recorded")
    shelf.draft("next", content("two"))
    run_pending(shelf.desk, {})
    assert "was changed after this evaluation was asked for" in view.show(shelf.desk, id).report["error"]["message"]


def test_the_suite_is_the_one_that_was_newest_when_it_was_asked_for(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD, cases=9))
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    shelf.suite(suite_document(9), number=2)
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
    shelf.version(1, content())
    with pytest.raises(kind, match=words):
        start(shelf.desk, shelf.mei, *asked)
    assert run_pending(shelf.desk, {}) is False


def test_a_prompt_without_its_suite_is_not_queued(shelf):
    shelf.version(1, content(evaluation={"suite": "gone", "gate": GATE}))
    with pytest.raises(NotFound, match="the suite gone"):
        start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")


def test_someone_without_a_role_may_not_evaluate(shelf, person):
    shelf.version(1, content())
    with pytest.raises(Denied):
        start(shelf.desk, person("passer.by"), "shop.talk", "v1", "recorded")


def test_asking_and_ending_leave_audit_lines_and_a_finished_report_never_changes(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
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
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
    one, two = shelf.run("v1"), shelf.run("v1")
    assert one.line.evidence_digest == two.line.evidence_digest == digest(evidence(two.report))
    assert one.report["at"] != two.report["at"]


def test_the_newest_passing_report_is_found_for_exactly_this_content_suite_and_baseline(shelf):
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
    suite = digest(suite_document())
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
    made = content()
    shelf.version(1, made)
    shelf.record(made, all_say(GOOD))
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


@pytest.mark.parametrize("seed", range(12))
def test_an_unseen_workflow_gives_the_numbers_that_a_plain_recount_gives(shelf, seed):
    dice = random.Random(seed)
    count = dice.randint(1, 40)
    shelf.suite(suite_document(count), number=2)
    gate = {
        "min_pass_rate": dice.random(),
        "newly_failing_max": dice.randint(0, 3),
        "cost": {"mean_increase_max_pct": dice.randint(0, 40)},
    }
    made = {"v1": content("old", gate), "v2": content("new", gate)}
    rows = {}
    for number, (label, one) in enumerate(made.items(), 1):
        shelf.version(number, one)
        for n in range(1, count + 1):
            known = {
                "input_tokens": dice.randint(1, 900),
                "output_tokens": dice.randint(0, 900),
                "latency_ms": dice.randint(1, 3000),
            }
            output = dice.choice([GOOD, GOOD, GOOD, BAD, "oops", '{"ok": 1}', f"```\n{GOOD}\n```"])
            rows[label, f"C{n}"] = {"output": output, **known}
            shelf.record(one, {(f"C{n}", 1): output}, **known)
    shelf.serve(1)
    report = shelf.run("v2").report

    def right(label, case):
        try:
            value = json.loads(rows[label, case]["output"])
        except ValueError:
            return False
        return isinstance(value, dict) and value.get("ok") is True

    cases = [f"C{n}" for n in range(1, count + 1)]
    parsed = [case for case in cases if rows["v2", case]["output"] in (GOOD, BAD, '{"ok": 1}')]
    rate = sum(right("v2", case) for case in cases) / count
    newly = [case for case in cases if right("v1", case) and not right("v2", case)]

    def cost(label):
        each = [rows[label, case]["input_tokens"] * 1e-6 + rows[label, case]["output_tokens"] * 2e-6 for case in cases]
        return sum(each) / count

    def p95(label):
        return sorted(rows[label, case]["latency_ms"] for case in cases)[-(-95 * count // 100) - 1]

    dearer = (cost("v2") / cost("v1") - 1) * 100
    assert report["pass_rate"] == round(rate, 3)
    assert report["newly_failing"] == newly
    assert report["fixed"] == [case for case in cases if right("v2", case) and not right("v1", case)]
    assert report["cost_per_case_usd"] == round(cost("v2"), 5)
    assert report["cost_delta_pct"] == round(dearer, 1)
    assert (report["p95_ms"], report["p95_delta_pct"]) == (p95("v2"), round((p95("v2") / p95("v1") - 1) * 100, 1))
    assert report["blockers"] == ([] if len(parsed) == count else ["json_only"])
    broken = [
        len(parsed) < count,
        rate < gate["min_pass_rate"],
        len(newly) > gate["newly_failing_max"],
        dearer > gate["cost"]["mean_increase_max_pct"],
    ]
    assert report["verdict"] == ("fail" if any(broken) else "pass")
    assert len(report["why"]) == sum(broken)
