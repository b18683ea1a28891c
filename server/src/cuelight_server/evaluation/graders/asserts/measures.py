"""Assertions on what a call took: milliseconds, USD, and how sure the model was of its words."""

from cuelight_server.evaluation.graders.asked import Asked, Assertion
from cuelight_server.evaluation.graders.outcome import Outcome, not_run


def _latency(asked: Asked) -> Outcome:
    return _limited(asked, asked.sample.latency_ms, "ms", "nobody took the time of this answer")


def _cost(asked: Asked) -> Outcome:
    why = "the cost is not known: the prices do not have this model, or nobody counted its tokens"
    return _limited(asked, asked.sample.cost_usd, "USD", why)


def _limited(asked: Asked, value: float | None, unit: str, why: str) -> Outcome:
    if value is None:
        return not_run(why)
    limit = asked.threshold(0)
    passed = (value <= limit) is not asked.inverse
    side = "more than" if asked.inverse else "at most"
    return Outcome(passed, "" if passed else f"{value:g} {unit}, wanted {side} {limit:g}")


def _perplexity(_: Asked) -> Outcome:
    return not_run("log probabilities are not asked for, so the perplexity is not known")


TABLE = {
    "latency": Assertion(check=_latency),
    "cost": Assertion(check=_cost),
    "perplexity": Assertion(check=_perplexity),
    "perplexity-score": Assertion(check=_perplexity),
}
