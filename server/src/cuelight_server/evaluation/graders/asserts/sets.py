"""assert-set: several assertions that count as one, all of them or a share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.evaluation.graders.asked import Asked, Assertion
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One grader of a set; `judge` is the digest of the model judge that it asks, empty where it asks none."""

    rule: Rule
    check: Callable[[Sample], Outcome]
    judge: str = ""


Prepare = Callable[[Rule, Outside], Member]
_HAIR = 1e-9


def asserting(prepare: Prepare, outside: Outside) -> Assertion:
    """The assertion of a set whose members are made with `prepare`."""

    def ready(rule: Rule, _value: Any) -> list[Member]:
        return [prepare(one, outside) for one in rule["assert"]]

    return Assertion(check=_set, ready=ready)


def together(digests: Sequence[str]) -> str:
    """The digest of several judges as one: the only one's own; empty where there is none."""
    named = [one for one in digests if one]
    return digest(named) if len(named) > 1 else "".join(named)


def _set(asked: Asked) -> Outcome:
    """The word of the set; what its judges said goes with it."""
    words = [(one, one.check(asked.sample)) for one in asked.ready]
    return replace(_word(asked, words), said=_said(words))


def _said(words: Sequence[tuple[Member, Outcome]]) -> dict[str, Any] | None:
    """What each judge among the members said, under the digest of all of them; None where there is none."""
    members = [{**(word.said or {}), "judge": one.judge, "not_run": word.not_run} for one, word in words if one.judge]
    return {"judge": together([one.judge for one, _ in words]), "members": members} if members else None


def _word(asked: Asked, words: Sequence[tuple[Member, Outcome]]) -> Outcome:
    """The weighted mean of the members' scores against the threshold; without one, every member must pass."""
    outcomes = [(float(one.rule.get("weight", 1)), _name(one.rule), word) for one, word in words]
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
