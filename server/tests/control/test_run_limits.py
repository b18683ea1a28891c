"""What a run may cost and what it keeps: limits, the cache, an end by hand, arms in turns; at a real HTTP provider."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cuelight_server.control.evaluation import Ways, cancel, run_pending, start
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.evaluation.plan import AS_ALWAYS, Plan
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound
from cuelight_server.providers import Pace, Rates, Remote, openai
from cuelight_server.views import evaluation as view
from server.tests.faulty import line
from server.tests.tampering import behind_our_back

# A call costs 10 * 0.001 / 1000 + 10 * 0.002 / 1000 = 0.00003 USD.
CALL_USD = 0.00003


def says(text, **usage):
    used = {"prompt_tokens": 10, "completion_tokens": 10, **usage}
    return {"model": "m-1", "choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": used}


GOOD = says('{"ok": true}')


def case_of(body):
    return body["messages"][-1]["content"]


def model(made, at_once=1, **how):
    return {"openai": Remote(openai.FAMILY, made.url, None, pace=Pace(Rates(at_once=at_once)), **how)}


@pytest.fixture
def tight(shelf):
    """A version whose calls cannot cost much, and for which a limit can be kept closely."""
    made = shelf.content(settings={"model": "m-1", "max_output_tokens": 10})
    shelf.version(1, made)
    return shelf


def run(shelf, made, plan=AS_ALWAYS, label="v1", at_once=1, **how):
    return shelf.run(label, "openai", model(made, at_once), plan=plan, **how)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_limit_of_calls_is_not_crossed_and_the_rest_is_told(tight, at_once):
    with line((200, GOOD)) as made:
        seen = run(tight, made, Plan(max_calls=2), at_once=at_once)
    assert len(made.asked) == 2
    assert seen.report["why"] == ["stopped at the limit of 2 calls with 2 of 3 outputs"]
    assert seen.report["verdict"] == "inconclusive"
    assert seen.report["spend"]["calls"] == 2
    assert seen.report["spend"]["limit"] == {"calls": 2, "seconds": 21600}


def test_tries_count_as_calls(tight):
    with line((500, {}), (200, GOOD)) as made:
        one = model(made, sleep=lambda _: None)
        seen = tight.run("v1", "openai", one, plan=Plan(max_calls=2))
    assert len(made.asked) == 2
    assert (seen.line.spend["calls"], seen.line.spend["retried"], seen.line.done) == (1, 1, 1)


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("limit", [CALL_USD * 1.5, 0.0001, 0.0002])
def test_a_limit_of_money_is_never_crossed_whatever_is_under_way(tight, at_once, limit):
    with line((200, GOOD)) as made:
        seen = run(tight, made, Plan(max_usd=limit), at_once=at_once)
    spent = seen.report["spend"]["usd"]
    assert spent == pytest.approx(len(made.asked) * CALL_USD)
    assert spent <= limit
    assert (seen.report["verdict"] == "inconclusive") is (len(made.asked) < 3)


def test_where_a_price_is_not_known_a_limit_of_money_makes_no_call(tight):
    tight.prices({"models": [{"model": "other", "input_per_1k": 1, "output_per_1k": 1}]}, 2)
    with line((200, GOOD)) as made:
        seen = run(tight, made, Plan(max_usd=1))
    assert made.asked == []
    assert "nobody knows what a call may cost" in seen.report["why"][0]


@pytest.mark.parametrize("plan", [Plan(repeat=0), Plan(max_usd=float("nan")), Plan(max_calls=-1), Plan(max_seconds=0)])
def test_a_limit_that_is_none_is_refused(tight, plan):
    with pytest.raises(Invalid):
        start(tight.desk, tight.mei, "shop.talk", "v1", "openai", plan=plan)


def test_cases_are_asked_as_often_as_is_said_and_never_less_than_the_gate_wants(shelf):
    shelf.version(1, shelf.content(gate={**shelf.GATE, "repeat": {"samples": 2, "majors_min": 1}}))
    with line((200, GOOD)) as made:
        seen = run(shelf, made, Plan(repeat=4))
        assert len(made.asked) == 12
        assert seen.report["samples"] == 4
        assert seen.report["gate"]["repeat"] == {"samples": 4, "majors_min": 2}
        with pytest.raises(Invalid, match="fewer than the gate asks for"):
            run(shelf, made, Plan(repeat=1))


def test_an_answer_that_was_paid_for_stands_in_and_the_report_says_how_many(tight):
    with line((200, GOOD)) as made:
        run(tight, made)
        again = run(tight, made)
        assert len(made.asked) == 3
        assert again.report["spend"]["cached"] == {"candidate": 3}
        assert again.report["spend"]["calls"] == 0
        assert again.report["verdict"] == "pass"
        fresh = run(tight, made, Plan(cache=False))
        assert len(made.asked) == 6
        assert fresh.report["spend"]["cached"] == {}
        run(tight, made, Plan(max_age_days=0))
        assert len(made.asked) == 9


def test_an_answer_older_than_three_days_does_not_stand_in(tight):
    with line((200, GOOD)) as made:
        run(tight, made)
        old = (tight.desk.clock() - timedelta(days=3, hours=1)).isoformat().replace("+00:00", "Z")
        with operational(tight.desk.registry) as sql:
            sql.execute(schema.answer_cache.update().values(made_at=old))
        run(tight, made)
    assert len(made.asked) == 6


def test_other_words_other_settings_and_another_sample_are_other_answers(tight):
    for number, parts in enumerate(
        (
            {"settings": {"model": "m-1", "max_output_tokens": 11}},
            {"messages": [{"role": "user", "content": "x{{topic}}"}]},
        ),
        2,
    ):
        tight.version(number, tight.content(**parts))
    with line((200, GOOD)) as made:
        for label in ("v1", "v2", "v3"):
            run(tight, made, label=label)
        assert len(made.asked) == 9
        run(tight, made, Plan(repeat=2))
        assert len(made.asked) == 12


def test_the_cache_forgets_what_is_old_and_what_is_too_much(desk):
    with operational(desk.registry) as sql:
        for number in range(10):
            store.keep_answer(sql, f"k{number}", "x" * 10, f"2026-01-0{number}T00:00:00Z")
        store.forget_answers(sql, "2026-01-02T00:00:00Z", 45)
        assert sorted(sql.scalars(select(schema.answer_cache.c.key))) == ["k6", "k7", "k8", "k9"]


def test_recordings_are_not_cached(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say('{"ok": true}'))
    report = shelf.run("v1").report
    assert report["spend"] == {
        "calls": 0,
        "cached": {},
        "retried": 0,
        "errors": 0,
        "usd": 0.0,
        "unpriced": 0,
        "limit": {"seconds": 21600},
    }
    with reading(shelf.desk.registry) as sql:
        assert sql.execute(select(func.count()).select_from(schema.answer_cache)).scalar_one() == 0


def test_candidate_and_production_are_asked_in_turns(tight):
    tight.version(2, tight.content("other"))
    tight.serve(1)
    with line((200, GOOD)) as made:
        run(tight, made, label="v2")
    assert ["other" in case_of(body) for *_, body in made.asked] == [True, False] * 3


def test_an_end_by_hand_keeps_what_was_answered_and_is_inconclusive(tight):
    id = start(tight.desk, tight.mei, "shop.talk", "v1", "openai")
    first = threading.Event()

    def answer(_body):
        if not first.is_set():
            first.set()
            cancel(tight.desk, tight.mei, id)
        return GOOD

    with line((200, answer)) as made:
        assert run_pending(tight.desk, model(made))
    seen = view.show(tight.desk, id)
    assert len(made.asked) == 1
    assert (seen.line.state, seen.line.done, seen.line.cancelled_by) == ("done", 1, tight.mei.id)
    assert (seen.report["verdict"], seen.report["cases"]) == ("inconclusive", 1)
    assert seen.report["why"] == [f"cancelled by {tight.mei.id} with 1 of 3 outputs"]
    assert len(view.results(tight.desk, id).items) == 1
    with pytest.raises(Conflict, match="has ended"):
        cancel(tight.desk, tight.mei, id)


def test_one_that_waits_and_is_cancelled_asks_nobody_and_comes_first(tight, person):
    earlier = start(tight.desk, tight.mei, "shop.talk", "v1", "openai")
    id = start(tight.desk, tight.mei, "shop.talk", "v1", "openai")
    with pytest.raises(NotFound, match="here for you"):
        cancel(tight.desk, person("eve.stranger"), id)
    with pytest.raises(NotFound):
        cancel(tight.desk, tight.mei, "eval_nothing")
    cancel(tight.desk, tight.mei, id)
    with line((200, GOOD)) as made:
        assert run_pending(tight.desk, model(made))
    assert made.asked == []
    assert view.show(tight.desk, id).report["why"] == [f"cancelled by {tight.mei.id} with 0 of 3 outputs"]
    assert view.show(tight.desk, earlier).line.state == "queued"


def test_promise_9_who_cancelled_and_what_was_asked_for_is_found_in_the_log(tight):
    id = start(tight.desk, tight.mei, "shop.talk", "v1", "openai", plan=Plan(max_calls=2))
    cancel(tight.desk, tight.mei, id)

    def about(id):
        return [one for one in verify_desk(tight.desk).problems if id in one]

    assert about(id) == []
    behind_our_back(tight.desk, "UPDATE evaluation SET cancelled_by = NULL")
    assert any("cancelled by" in one for one in about(id))
    behind_our_back(tight.desk, f"UPDATE evaluation SET cancelled_by = '{tight.mei.id}', plan = NULL")
    assert any("plan" in one for one in about(id))


def test_a_case_that_meets_an_error_is_undecided_and_few_of_them_do_not_spoil_the_rest(shelf):
    shelf.suite(shelf.cases(60), 2)
    shelf.version(1, shelf.content())

    def answer(body):
        return {"error": {"message": "no"}} if case_of(body).endswith("t7") else GOOD

    with line((200, answer)) as made:
        report = run(shelf, made).report
    assert report["undecided"] == [{"case": "C7", "why": "output: the model's endpoint answered 200 with an error: no"}]
    assert report["verdict"] == "inconclusive"
    assert [one["rule"] for one in report["rulings"] if one["mark"] == "unknown"] == ["undecided"]
    assert report["cost_per_case_usd"] == CALL_USD
    assert "1 output could not be had" in str(report["notes"])


def test_errors_of_production_beyond_two_per_cent_make_the_whole_inconclusive(shelf):
    shelf.version(1, shelf.content())
    shelf.version(2, shelf.content("other"))
    shelf.serve(1)

    def answer(body):
        return GOOD if "other" in case_of(body) or "t1" in case_of(body) else {"error": "down"}

    with line((200, answer)) as made:
        report = run(shelf, made, label="v2").report
    assert report["undecided"] == []
    assert report["verdict"] == "inconclusive"
    assert "2 of 3 outputs of the baseline could not be had (66.7 %, at most 2 %)" in report["why"][0]


def test_a_wrong_key_ends_the_run_at_once(shelf):
    shelf.suite(shelf.cases(60), 2)
    shelf.version(1, shelf.content())
    with line((401, {})) as made:
        seen = run(shelf, made)
    assert (len(made.asked), seen.line.state) == (1, "error")
    assert "refused the key" in seen.report["error"]["message"]


def test_where_nobody_is_there_a_long_suite_is_not_asked_to_its_end(shelf):
    shelf.suite(shelf.cases(60), 2)
    shelf.version(1, shelf.content())
    with line((200, {"error": "down"})) as made:
        seen = run(shelf, made)
    assert (len(made.asked), seen.line.state) == (10, "error")
    assert "the first 10 calls all failed" in seen.report["error"]["message"]


def test_a_case_without_its_variable_is_undecided_and_the_rest_is_kept(shelf):
    document = shelf.cases(3)
    document["cases"][1]["input"] = {}
    shelf.suite(document, 2)
    shelf.version(1, shelf.content())
    with line((200, GOOD)) as made:
        report = run(shelf, made).report
    assert len(made.asked) == 2
    assert report["error"] is None
    assert report["undecided"] == [{"case": "C2", "why": "output: case C2, candidate: the variable topic is missing"}]


def test_costs_are_compared_at_equal_state_of_the_providers_cache(shelf):
    shelf.prices({"models": [{"model": "m-1", "input_per_1k": 1, "output_per_1k": 1, "cached_input_per_1k": 0.1}]}, 2)
    shelf.version(1, shelf.content())
    shelf.version(2, shelf.content("other"))
    shelf.serve(1)
    warm = says('{"ok": true}', prompt_tokens=100, prompt_tokens_details={"cached_tokens": 90})
    cold = says('{"ok": true}', prompt_tokens=100, prompt_tokens_details={"cached_tokens": 0})
    with line((200, lambda body: warm if "other" in case_of(body) else cold)) as made:
        report = run(shelf, made, label="v2").report
    assert (report["cost_per_case_usd"], report["baseline"]["cost_per_case_usd"]) == (0.029, 0.11)
    assert report["cost_delta_pct"] == 0
    assert "it served 90 % of the candidate's input and 0 % of the baseline's" in str(report["notes"])


def test_a_run_whose_verdict_is_certain_asks_no_further(tight):
    with line((200, GOOD)) as made:
        ways = Ways(certain=lambda found: "nothing can change it" if len(found) == 2 else "")
        report = run(tight, made, ways=ways).report
    assert len(made.asked) == 2
    assert (report["verdict"], report["cases"]) == ("inconclusive", 2)  # what was stopped never passes
    assert "stopped early: nothing can change it" in report["notes"]


def test_progress_tells_calls_money_and_time_left(tight):
    seen = []
    id = start(tight.desk, tight.mei, "shop.talk", "v1", "openai")

    def answer(_body):
        seen.append(view.show(tight.desk, id).line)
        return GOOD

    with line((200, answer)) as made:
        run_pending(tight.desk, model(made))
    assert [(one.done, one.spend.get("calls", 0)) for one in seen] == [(0, 0), (1, 1), (2, 2)]
    assert seen[-1].left_s is not None
    assert json.dumps(seen[-1].to_json())
