"""assert-set: several assertions that count as one, all of them or a share."""

from collections.abc import Callable
from typing import Any

from cuelight_server.evaluation.graders.asked import Asked, Assertion
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample

Prepare = Callable[[Rule, Outside], Callable[[Sample], Outcome]]
_HAIR = 1e-9


def asserting(prepare: Prepare, outside: Outside) -> Assertion:
    """The assertion of a set whose members are made with `prepare`."""

    def ready(rule: Rule, _value: Any) -> list[tuple[Rule, Callable[[Sample], Outcome]]]:
        return [(one, prepare(one, outside)) for one in rule["assert"]]

    return Assertion(check=_set, ready=ready)


def _set(asked: Asked) -> Outcome:
    """The weighted mean of the members' scores against the threshold; without one, every member must pass."""
    outcomes = [(float(rule.get("weight", 1)), _name(rule), check(asked.sample)) for rule, check in asked.ready]
    open_ = [f"{name}: {one.not_run}" for weight, name, one in outcomes if one.not_run and weight > 0]
    failed = [f"{name}: {one.message}" for weight, name, one in outcomes if _fails(weight, one)]
    low, high = _mean(outcomes, 0.0), _mean(outcomes, 1.0)
    if "threshold" in asked.rule:
        least = float(asked.rule["threshold"]) - _HAIR
        if low < least <= high and open_:
            return not_run("; ".join(open_[:3]))
        return Outcome(low >= least, "" if low >= least else _told(low, least, failed), low)
    if open_ and not failed:
        return not_run("; ".join(open_[:3]))
    return Outcome(not failed, "; ".join(failed[:5]), low)


def _fails(weight: float, one: Outcome) -> bool:
    return weight > 0 and not (one.passed or one.not_run)


def _mean(outcomes: list[tuple[float, str, Outcome]], open_: float) -> float:
    total = sum(weight for weight, _, _ in outcomes)
    points = sum(weight * (open_ if one.not_run else _points(one)) for weight, _, one in outcomes)
    return points / total if total > 0 else 0.0


def _points(one: Outcome) -> float:
    return float(one.passed) if one.score is None else one.score


def _told(score: float, least: float, failed: list[str]) -> str:
    return f"the set scores {score:.3f}, wanted at least {least + _HAIR:g}; {'; '.join(failed[:5])}"


def _name(rule: Rule) -> str:
    return str(rule.get("metric") or rule["type"])
