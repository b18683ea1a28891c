"""Live runs: samples, errors, limits, a shutdown in the middle, and the worker that survives a fault."""

import threading
from collections import Counter

import pytest

from cuelight_server import sandboxes
from cuelight_server.control.evaluation import Limits, Outside, Ways, abandon, requeue, run_pending, start
from cuelight_server.control.opening import create_desk
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.kernel.errors import Unavailable
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.providers import Completion, Echo
from cuelight_server.views import evaluation as view
from cuelight_server.worker import Worker

GOOD, BAD = '{"ok": true}', '{"ok": false}'


class Flaky:
    """A live provider that answers by a rule and counts how often it was asked."""

    name, recorded, adapter = "openai", False, ""

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
    shelf.version(1, shelf.content(gate={**shelf.GATE, "repeat": {"samples": 3, "majors_min": 2}}))

    def answer(request):
        return says(BAD if (request.case, request.sample) == ("C2", 3) else GOOD)

    provider = Flaky(answer, concurrency)
    seen = shelf.run("v1", "openai", {"openai": provider})
    assert (seen.line.total, seen.line.done, sum(provider.asked.values())) == (9, 9, 9)
    assert (seen.report["verdict"], seen.report["samples"], seen.report["unstable"]) == ("pass", 3, ["C2"])
    assert seen.report["recorded"] is False
    rows = view.results(shelf.desk, seen.line.id).items
    assert [(row.case, row.sample, row.passed) for row in rows if not row.passed] == [("C2", 3, False)]


def test_an_answer_that_cannot_be_had_leaves_its_case_undecided_and_the_rest_is_kept(shelf):
    shelf.version(1, shelf.content())

    def answer(request):
        if request.case == "C2":
            raise Unavailable("the line is dead", "try later")
        return says(GOOD)

    seen = shelf.run("v1", "openai", {"openai": Flaky(answer)})
    assert (seen.line.state, seen.report["verdict"], seen.report["error"]) == ("done", "inconclusive", None)
    assert seen.report["undecided"] == [{"case": "C2", "why": "output: the line is dead"}]
    assert "1 of 3 outputs of the candidate could not be had (33.3 %, at most 2 %): the line is dead" in str(
        seen.report["why"]
    )
    assert [row["state"] for row in seen.report["case_table"]] == ["passing", "undecided", "passing"]


def test_a_variable_that_no_case_gives_is_an_error(shelf):
    shelf.version(1, shelf.content(variables=[{"name": "topic"}, {"name": "tone"}]))
    report = shelf.run("v1", "echo", {"echo": Echo()}).report
    assert report["error"]["message"] == "case C1, candidate: the variable tone is missing"


def test_a_candidate_that_drops_a_variable_is_evaluated_on_the_shared_suite_with_a_note(shelf):
    old, new = shelf.content(), shelf.content(messages=[{"role": "user", "content": "hi"}], variables=[])
    for number, one in enumerate((old, new), start=1):
        shelf.version(number, one)
        shelf.record(one, shelf.all_say(GOOD))
    shelf.serve(1)
    for provider in ({}, {"openai": Flaky(lambda _: says(GOOD))}):
        report = shelf.run("v2", *(["openai", provider] if provider else [])).report
        assert (report["verdict"], report["error"]) == ("pass", None)
        assert "inputs that v2 does not use: topic" in report["notes"]
    assert not any("does not use" in note for note in shelf.run("v1").report["notes"])


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        (
            {"messages": [{"role": "user", "content": "{{topic}} {{tone}}"}]},
            "the text uses tone, which is not declared",
        ),
        ({"messages": [{"role": "user", "content": "{{topic"}]}, "never closes"),
        ({"variables": [{"name": "topic"}, {"name": "tone"}]}, "case C1, candidate: the variable tone is missing"),
    ],
)
def test_a_missing_recording_does_not_hide_that_the_candidate_cannot_be_rendered(shelf, parts, cause):
    shelf.version(1, shelf.content(**parts))
    error = shelf.run("v1").report["error"]
    assert cause in error["message"]
    assert "record" not in error["message"]


def test_on_a_folder_a_missing_recording_is_to_be_added_and_not_to_be_pushed(tmp_path, shelf_on, shelf):
    shelf.version(1, shelf.content())
    assert "push recordings" in shelf.run("v1").report["error"]["hint"]
    local = create_desk(tmp_path / "local", local=True)
    there = shelf_on(local)
    there.draft("v1", there.content())
    hint = there.run("v1").report["error"]["hint"]
    assert "recordings/<prompt>.jsonl" in hint
    assert "cuelight digest" in hint
    assert "push" not in hint
    local.close()


def test_a_baseline_may_be_older_than_a_variable_of_the_suite(shelf):
    old = shelf.content(messages=[{"role": "user", "content": "hi"}], variables=[])
    shelf.version(1, old)
    shelf.version(2, shelf.content())
    shelf.serve(1)
    report = shelf.run("v2", "openai", {"openai": Flaky(lambda _: says(GOOD))}).report
    assert (report["verdict"], report["baseline"]["version"]) == ("pass", "v1")


def test_promise_4_a_run_that_stops_at_a_limit_is_inconclusive(shelf):
    shelf.version(1, shelf.content())
    cheap = {"openai": Flaky(lambda _: says(GOOD), 1)}
    report = shelf.run("v1", "openai", cheap, limits=Limits(usd=0.00001)).report
    assert (report["verdict"], report["why"]) == (
        "inconclusive",
        ["stopped at the limit of $1e-05 ($0.00000 spent, the next call may cost $0.00834) with 0 of 3 outputs"],
    )
    assert (report["cases"], report["error"]) == (0, None)
    slow = shelf.run("v1", "openai", cheap, limits=Limits(seconds=0.5)).report
    assert slow["why"] == ["stopped at the limit of 0.5 s with 0 of 3 outputs"]


def test_a_run_that_is_shut_down_waits_again_and_asks_no_model_twice(shelf):
    shelf.version(1, shelf.content())
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
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    with operational(shelf.desk.registry) as sql:
        store.progress(sql, id, EvaluationState.RUNNING, 1, 3)
    assert run_pending(shelf.desk, {}) is False
    assert requeue(shelf.desk) == 1
    assert run_pending(shelf.desk, {})
    assert view.show(shelf.desk, id).line.state == "done"


def test_only_one_worker_gets_an_evaluation(shelf):
    shelf.version(1, shelf.content())
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    with operational(shelf.desk.registry) as sql:
        assert [store.claim(sql, id), store.claim(sql, id)] == [True, False]


def test_a_fault_that_nobody_foresaw_can_be_written_down_as_an_error(shelf):
    shelf.version(1, shelf.content())
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")
    with operational(shelf.desk.registry) as sql:
        store.progress(sql, id, EvaluationState.RUNNING, 0, 3)
    abandon(shelf.desk, "ZeroDivisionError: division by zero")
    seen = view.show(shelf.desk, id)
    assert (seen.line.state, seen.line.verdict) == ("error", "inconclusive")
    assert "ZeroDivisionError" in seen.report["why"][0]


def test_the_worker_runs_what_waits_and_survives_a_fault_and_a_bad_tick(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    shelf.version(2, shelf.content("broken"))

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


def test_graders_that_are_code_decide_where_code_can_run_and_leave_open_where_it_cannot(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say('{"ok": true}'))
    graders = [
        {"type": "javascript", "value": "JSON.parse(output).ok", "severity": "major", "metric": "ok {{topic}}"},
        {"type": "cost", "threshold": 1, "severity": "major"},
        {"type": "finish-reason", "value": "stop", "severity": "minor"},
    ]
    shelf.suite(shelf.cases(graders=graders), number=2)
    verdicts = {}
    for name, outside in {"off": Outside(), "on": Outside(javascript=sandboxes.javascript())}.items():
        report = shelf.run("v1", ways=Ways(outside)).report
        verdicts[name] = report["verdict"], len(report["undecided"]), [row["mean"] for row in report["named_scores"]]
    assert verdicts == {"off": ("inconclusive", 3, [None] * 3), "on": ("pass", 0, [1.0] * 3)}
    assert [row["name"] for row in report["named_scores"]] == ["ok t1", "ok t2", "ok t3"]
    assert "cuelight-server[js]" in str(shelf.run("v1").report["undecided"])


def test_calls_are_held_against_the_tools_that_the_version_declares(shelf):
    tool = {"name": "search", "mode": "may_suggest", "parameters": {"type": "object", "required": ["q"]}}
    made = shelf.content(tools=[tool])
    shelf.version(1, made)
    graders = [{"type": "is-valid-openai-tools-call", "severity": "major"}]
    shelf.suite(shelf.cases(graders=graders), number=2)
    calls = {"C1": [{"name": "search", "arguments": {"q": "x"}}], "C2": [{"name": "search", "arguments": {}}], "C3": []}

    def answer(request):
        return Completion(text="", tool_calls=tuple(calls[request.case]), model="m-1", latency_ms=1.0)

    report = shelf.run("v1", "openai", {"openai": Flaky(answer)}).report
    assert [row["state"] for row in report["case_table"]] == ["passing", "failing", "failing"]
    assert "is a required property" in str(report["case_table"][1]["failed"])
