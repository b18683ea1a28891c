"""Plans, purses and prices: what is kept of a plan, what a call can cost, and what tokens of every kind do."""

import json

import pytest

from cuelight_server.evaluation.budget import Budget, Spend
from cuelight_server.evaluation.caching import cache_key, from_json, to_text
from cuelight_server.evaluation.costs import Used, cost_usd, most_usd
from cuelight_server.evaluation.plan import Plan, read_plan, with_repeats
from cuelight_server.kernel.errors import Invalid
from cuelight_server.providers import Completion, CompletionRequest

PRICE = {
    "model": "m",
    "input_per_1k": 1,
    "output_per_1k": 10,
    "cached_input_per_1k": 0.1,
    "cache_write_per_1k": 2,
    "reasoning_per_1k": 20,
}
PRICES = {"models": [PRICE]}
BARE = {"models": [{"model": "m", "input_per_1k": 1, "output_per_1k": 10}]}


def test_a_plan_is_kept_as_what_was_said_and_nothing_is_nothing():
    assert Plan().text() is None
    assert read_plan(None) == Plan()
    plan = Plan(repeat=3, max_usd=0.5, cache=False)
    assert plan.text() == '{"cache":false,"max_usd":0.5,"repeat":3}'
    assert read_plan(plan.text()) == plan


@pytest.mark.parametrize(("asked", "majors"), [(3, 2), (4, 3), (5, 4), (9, 6)])
def test_more_repeats_keep_the_share_that_majors_must_reach(asked, majors):
    gate = {"repeat": {"samples": 3, "majors_min": 2}}
    assert with_repeats(gate, Plan(repeat=asked))["repeat"] == {"samples": asked, "majors_min": majors}
    with pytest.raises(Invalid):
        with_repeats(gate, Plan(repeat=2))


@pytest.mark.parametrize(
    ("prices", "used", "usd"),
    [
        (PRICES, Used(input=1000, output=100), 2.0),
        (PRICES, Used(input=1000, output=100, cached=900), 1.19),
        (PRICES, Used(input=1000, output=100, written=500), 2.5),
        (PRICES, Used(input=1000, output=100, reasoning=50), 2.5),
        (PRICES, Used(input=1000, output=100, reasoning=500), 3.0),
        (BARE, Used(input=1000, output=100, cached=0, written=0), 2.0),
        (BARE, Used(input=1000, output=100, reasoning=50), 2.0),
        (BARE, Used(input=1000, output=100, cached=1), None),
        (BARE, Used(input=1000, output=100, written=1), None),
        (BARE, Used(input=1000, output=100, cached=1).uncached(), 2.0),
    ],
)
def test_tokens_of_each_kind_have_their_price_and_unknown_stays_unknown(prices, used, usd):
    assert cost_usd(prices, "m", used) == (None if usd is None else pytest.approx(usd))


def test_what_a_call_can_cost_is_never_less_than_what_it_costs():
    assert most_usd(PRICES, "m", 1000, 100) == pytest.approx(1000 * 2 / 1000 + 100 * 20 / 1000)
    assert most_usd(PRICES, "other", 1000, 100) is None
    for cached in (0, 500, 1000):
        for reasoning in (0, 100):
            used = Used(input=1000, output=100, cached=cached, written=1000 - cached, reasoning=reasoning)
            assert cost_usd(PRICES, "m", used) <= most_usd(PRICES, "m", 1000, 100)


def test_a_purse_lends_and_takes_back_and_is_never_overdrawn():
    purse = Budget(Plan(max_usd=1.0, max_calls=3), Spend(), lambda: 0.0)
    assert purse.reserve(0.6) == ""
    assert "limit of $1" in purse.reserve(0.6)
    purse.settle(0.6, 0.1)
    assert purse.reserve(0.6) == ""
    assert purse.again()
    assert not purse.again()
    assert purse.reserve(0.1) == "the limit of 3 calls"
    purse.settle(0.6, None, error=True)
    assert purse.spend == Spend(calls=2, retried=1, errors=1, usd=0.1)


def test_a_purse_goes_on_with_what_earlier_starts_have_spent():
    purse = Budget(Plan(max_calls=3, max_seconds=10), Spend(calls=3, seconds=12.0), lambda: 12.0)
    assert purse.reserve(None) == "the limit of 3 calls"
    assert purse.late() == "stopped at the limit of 10 s"
    assert purse.left_s() == 0


ASK = {
    "content_digest": "a",
    "case": "C1",
    "sample": 1,
    "messages": ({"role": "user", "content": "x"},),
    "settings": {},
}


def test_everything_that_makes_another_answer_makes_another_key_and_nothing_else_does():
    key = cache_key(CompletionRequest(**ASK), "a/1")
    same = ({"content_digest": "b"}, {"case": "C2"}, {"most_s": 3.0})
    other = (
        {"sample": 2},
        {"messages": ({"role": "user", "content": "y"},)},
        {"settings": {"model": "m"}},
        {"tools": ({"name": "t"},)},
        {"output": {"schema": {}}},
    )
    assert {cache_key(CompletionRequest(**{**ASK, **one}), "a/1") for one in same} == {key}
    assert len({key, *(cache_key(CompletionRequest(**{**ASK, **one}), "a/1") for one in other)}) == 6
    assert key not in (cache_key(CompletionRequest(**ASK), "a/2"), cache_key(CompletionRequest(**ASK), "a/1", "run"))


def test_an_answer_comes_back_as_it_was_kept():
    answer = Completion(text="half a pair \ud800", tool_calls=({"name": "t"},), input_tokens=3, reasoning_tokens=1)
    assert from_json(json.loads(to_text(answer))) == answer
    assert from_json({"text": "x", "tool_calls": [], "later": 1}).text == "x"
