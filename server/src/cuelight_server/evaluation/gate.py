"""The gate: from facts to a verdict; what is not known is inconclusive, and nothing passes by accident."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from cuelight_server.evaluation.model import (
    Category,
    Comparison,
    Decision,
    Facts,
    Finding,
    Json,
    Mark,
    MetricChange,
    MetricFact,
    Ruling,
)
from cuelight_server.evaluation.statistics import words
from cuelight_server.evaluation.statistics.comparing import ENOUGH_SAMPLES
from cuelight_server.evaluation.strictness import stricter, with_defaults
from cuelight_server.kernel.verdict import Verdict

__all__ = ["decide", "increase_pct", "stricter", "with_defaults"]

_SHOWN = 5  # names in one reason
_EXAMPLES = 2  # cases: so few are nice examples, and no evidence
_HAIR = 1e-9  # 0.1 + 0.2 is not 0.3: limits are met within a billionth
_COUNTABLE = 1e12  # milliseconds: beyond this nobody reads digits
Rule = Callable[[Json, Facts], Iterator[Ruling]]


def decide(gate: Json, facts: Facts) -> Decision:
    """A run that did not end, or that another model answered, is inconclusive.

    Then a broken rule beats whatever is not known; only then is it a pass.

    `gate` is the gate that counts (see `stricter`); `facts.metrics` stand in the order of its metrics.
    """
    whole = with_defaults(gate)
    rulings = tuple(ruling for rule in RULES for ruling in rule(whole, facts))
    failed = [one.words for one in rulings if one.mark is Mark.FAIL]
    unknown = [one.words for one in rulings if one.mark is Mark.UNKNOWN]
    notes = dict.fromkeys(one.words for one in rulings if one.mark is Mark.NOT_APPLICABLE)
    if facts.strange_models:  # the numbers are those of another model
        return Decision(Verdict.INCONCLUSIVE, facts.strange_models, tuple(notes), rulings)
    if facts.lost:  # a sieve of what happened to be answered
        return Decision(Verdict.INCONCLUSIVE, facts.lost, tuple(notes), rulings)
    if facts.unfinished:  # half an answer can look better or worse than the whole
        return Decision(Verdict.INCONCLUSIVE, (facts.unfinished,), tuple(notes), rulings)
    if facts.stopped and not failed:  # it ended because it could not pass: what there is must say so too
        return Decision(Verdict.INCONCLUSIVE, (facts.stopped, *dict.fromkeys(unknown)), tuple(notes), rulings)
    verdict = Verdict.FAIL if failed else Verdict.INCONCLUSIVE if unknown else Verdict.PASS
    return Decision(verdict, tuple(dict.fromkeys([*failed, *unknown])), tuple(notes), rulings)


def increase_pct(value: float | None, against: float | None) -> float | None:
    """How much more, in per cent of `against`; None where either is not known, infinite where something follows 0."""
    now, before = _known(value), _known(against)
    if now is None or before is None:
        return None
    if before == 0:
        return 0.0 if now == 0 else math.inf
    return (now / before - 1) * 100


def _blockers(gate: Json, facts: Facts) -> Iterator[Ruling]:
    count = len(facts.blockers)
    broken = facts.blocked_cases > gate["blocker_failures_max"]
    yield _ruling("blockers", not broken, f"{count} blocker grader{'' if count == 1 else 's'} failing")


def _pass_rate(gate: Json, facts: Facts) -> Iterator[Ruling]:
    if facts.cases < 1:
        yield Ruling("pass_rate", Mark.UNKNOWN, "the suite has no cases")
        return
    least, rate = gate["min_pass_rate"], facts.passed / facts.cases
    if rate < least - _HAIR <= (facts.passed + len(facts.undecided)) / facts.cases:
        yield Ruling("pass_rate", Mark.UNKNOWN, f"pass rate {rate:.2f} with {_cases(len(facts.undecided))} undecided")
        return
    yield _ruling("pass_rate", rate >= least - _HAIR, f"pass rate {rate:.2f}")


def _regressions(gate: Json, facts: Facts) -> Iterator[Ruling]:
    if not facts.has_baseline:
        yield Ruling("newly_failing", Mark.NOT_APPLICABLE, "no baseline")
    elif facts.newly_failing is None:
        yield Ruling("newly_failing", Mark.UNKNOWN, "regressions are not known")
    else:
        count, open_, most = facts.newly_failing, facts.perhaps_newly_failing, gate["newly_failing_max"]
        if count <= most < count + open_:
            words = f"{count} newly failing, and nobody can say of {open_} more whether production passes"
            yield Ruling("newly_failing", Mark.UNKNOWN, words)
            return
        if count <= most < count + len(facts.doubtful):
            yield Ruling("newly_failing", Mark.UNKNOWN, _doubt(facts.doubtful))
            return
        yield _ruling("newly_failing", count <= most, f"{count} newly failing")


def _doubt(cases: Sequence[str]) -> str:
    return (
        f"{_cases(len(cases))} newly failing in every sample, which may still be noise in a suite as unsteady as this "
        f"({_named(cases)}): more samples of each case settle it"
    )


def _comparison(_: Json, facts: Facts) -> Iterator[Ruling]:
    """Harm blocks where the proof is required, and where cases have samples enough for one alone not to count."""
    one = facts.comparison
    if one is None:
        return
    said = words.of_comparison(one)
    if one.finding is Finding.NOT_WORSE:
        yield Ruling("comparison", Mark.PASS, said)
    elif one.finding is Finding.HARM and (one.required or one.samples >= ENOUGH_SAMPLES):
        yield Ruling("comparison", Mark.FAIL, said)
    elif one.finding is Finding.OPEN and one.required and not (one.underpowered_allowed and _too_small(one)):
        yield Ruling("comparison", Mark.UNKNOWN, said)
    else:
        yield Ruling("comparison", Mark.NOT_APPLICABLE, said)


def _too_small(one: Comparison) -> bool:
    return one.sees is None or one.sees > one.margin


def _increases(gate: Json, facts: Facts) -> Iterator[Ruling]:
    cost = gate.get("cost", {}).get("mean_increase_max_pct")
    yield from _increase("cost", cost, facts.cost_usd, facts.baseline_cost_usd, facts)
    latency = gate.get("latency", {}).get("p95_increase_max_pct")
    yield from _increase("p95", latency, facts.p95_ms, facts.baseline_p95_ms, facts)


def _increase(
    name: str, most: float | None, value: float | None, against: float | None, facts: Facts
) -> Iterator[Ruling]:
    rule = f"{name}_increase"
    if most is None:
        return
    if not facts.has_baseline:
        yield Ruling(rule, Mark.NOT_APPLICABLE, f"no baseline to compare the {name} with")
        return
    pct = increase_pct(value, against)
    if pct is None:
        whose = "the candidate's" if _known(value) is None else "the baseline's"
        yield Ruling(rule, Mark.UNKNOWN, f"{whose} {name} is not known")
        return
    words = f"{name} {pct:+.0f}%" if math.isfinite(pct) else f"{name} up from 0"
    yield _ruling(rule, pct <= most + _HAIR, words)


def _caps(gate: Json, facts: Facts) -> Iterator[Ruling]:
    usd = gate.get("cost", {}).get("mean_max_usd")
    yield from _cap("cost", usd, facts.cost_usd, lambda value: f"${value:.5f} a case")
    most = gate.get("latency", {}).get("p95_max_ms")
    yield from _cap(
        "p95", most, facts.p95_ms, lambda value: f"{value:.0f} ms" if value < _COUNTABLE else f"{value:.3g} ms"
    )


def _cap(name: str, most: float | None, value: float | None, say: Callable[[float], str]) -> Iterator[Ruling]:
    if most is None:
        return
    known = _known(value)
    if known is None:
        yield Ruling(f"{name}_max", Mark.UNKNOWN, f"the candidate's {name} is not known")
    else:
        yield _ruling(f"{name}_max", known <= most + _HAIR, f"{name} {say(known)}, at most {say(most)}")


def _floors(gate: Json, facts: Facts) -> Iterator[Ruling]:
    order = {category.value: place for place, category in enumerate(Category)}
    by_category = gate.get("min_pass_rate_by_category", {})
    for category in sorted(by_category, key=lambda name: order.get(name, len(order))):
        open_ = facts.undecided_in.get(category, 0)
        yield _floor("category", category, by_category[category], facts.categories, open_)
    by_tag = gate.get("min_pass_rate_by_tag", {})
    for tag in sorted(by_tag):
        yield _floor("tag", tag, by_tag[tag], facts.tags, facts.undecided_in.get(f"tag:{tag}", 0))


def _floor(kind: str, name: str, least: float, counts: Mapping[str, tuple[int, int]], open_: int) -> Ruling:
    passed, cases = counts.get(name, (0, 0))
    if not cases:
        return Ruling(f"{kind}:{name}", Mark.UNKNOWN, f"no case of {kind} {name}, which has a floor")
    rate = passed / cases
    if rate < least - _HAIR <= (passed + open_) / cases:
        return Ruling(f"{kind}:{name}", Mark.UNKNOWN, f"{kind} {name} at {rate:.2f} with {_cases(open_)} undecided")
    return _ruling(f"{kind}:{name}", rate >= least - _HAIR, f"{kind} {name} at {rate:.2f}, at least {least:.2f}")


def _metrics(gate: Json, facts: Facts) -> Iterator[Ruling]:
    for metric, fact in zip(gate.get("metrics", []), facts.metrics, strict=True):
        yield from _metric(metric, fact, facts)


def _metric(metric: Json, fact: MetricFact, facts: Facts) -> Iterator[Ruling]:
    name = f"metric {metric['id']}"
    if "declared_only" in metric:
        yield Ruling(name, Mark.NOT_APPLICABLE, f"{name} is declared in words only")
        return
    if not {"min", "max", "max_shift"} & metric.keys():
        return
    value = _known(fact.value)
    if value is None:
        yield Ruling(name, Mark.UNKNOWN, f"{name} has nothing to count")
        return
    if "min" in metric:
        yield _ruling(name, value >= metric["min"] - _HAIR, f"{name} at {value:.3f}, at least {metric['min']:.3f}")
    if "max" in metric:
        yield _ruling(name, value <= metric["max"] + _HAIR, f"{name} at {value:.3f}, at most {metric['max']:.3f}")
    if fact.change is not None and fact.change.finding is not None:
        yield _metric_change(name, metric["margin"], fact.change)
    if "max_shift" in metric:
        yield _shift(name, metric["max_shift"], value, fact, facts)


def _metric_change(name: str, margin: float, change: MetricChange) -> Ruling:
    moved = f"{change.better:+.3f} for the better ({change.lower:+.3f} to {change.upper:+.3f})"
    if change.finding is Finding.NOT_WORSE:
        return Ruling(name, Mark.PASS, f"{name} is shown to be within {margin:.3f} of production: {moved}")
    if change.finding is Finding.HARM:
        return Ruling(name, Mark.FAIL, f"{name} is shown to be worse than production: {moved}")
    said = f"{name} is not shown to be within {margin:.3f} of production: {moved} over {_cases(change.cases)}"
    return Ruling(name, Mark.UNKNOWN, said)


def _shift(name: str, most: float, value: float, fact: MetricFact, facts: Facts) -> Ruling:
    if not facts.has_baseline:
        return Ruling(name, Mark.NOT_APPLICABLE, f"no baseline to compare {name} with")
    before = _known(fact.baseline)
    if before is None:
        return Ruling(name, Mark.UNKNOWN, f"{name} has nothing to count in the baseline")
    moved = value - before
    return _ruling(name, abs(moved) <= most + _HAIR, f"{name} moved by {moved:+.3f}, at most {most:.3f}")


def _enough(gate: Json, facts: Facts) -> Iterator[Ruling]:
    least = gate.get("min_cases")
    if least is not None and facts.cases < least:
        yield Ruling("min_cases", Mark.UNKNOWN, f"{facts.cases} cases, at least {least} are needed")
    if 0 < facts.cases < facts.least_cases:
        asked = f"{_cases(facts.cases)}, the tier asks for {facts.least_cases}"
        yield Ruling("tier_min_cases", Mark.UNKNOWN, asked)
    if 0 < facts.cases <= _EXAMPLES:
        nice = "one example is" if facts.cases == 1 else "two examples are"
        yield Ruling("examples", Mark.UNKNOWN, f"not enough: {nice} no evidence")


def _judged(_: Json, facts: Facts) -> Iterator[Ruling]:
    if facts.not_judged:
        said = (
            f"{_cases(len(facts.not_judged))} {'is' if len(facts.not_judged) == 1 else 'are'} judged by no blocker or"
        )
        yield Ruling("judged", Mark.UNKNOWN, f"{said} major grader: {_named(facts.not_judged)}")


def _judges(_: Json, facts: Facts) -> Iterator[Ruling]:
    if facts.only_judge:
        more = f" and {len(facts.only_judge) - _SHOWN} more" if len(facts.only_judge) > _SHOWN else ""
        names = ", ".join(facts.only_judge[:_SHOWN]) + more
        have = "has" if len(facts.only_judge) == 1 else "have"
        words = f"{_cases(len(facts.only_judge))} {have} no blocker but a model judge, which is not enough in this tier"
        yield Ruling("judges", Mark.UNKNOWN, f"{words}: {names}")


def _undecided(_: Json, facts: Facts) -> Iterator[Ruling]:
    if not facts.undecided:
        return
    names = _named(list(facts.undecided))
    reasons = list(dict.fromkeys(facts.undecided.values()))
    others = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    said = f"{_cases(len(facts.undecided))} {'is' if len(facts.undecided) == 1 else 'are'} undecided"
    yield Ruling("undecided", Mark.UNKNOWN, f"{said} ({names}): {reasons[0]}{others}")


def _named(cases: Sequence[str]) -> str:
    """The first few by name, and how many more."""
    more = f" and {len(cases) - _SHOWN} more" if len(cases) > _SHOWN else ""
    return ", ".join(cases[:_SHOWN]) + more


def _lost(_: Json, facts: Facts) -> Iterator[Ruling]:
    for why in facts.lost:
        yield Ruling("errors", Mark.UNKNOWN, why)


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"


def _ruling(rule: str, kept: bool, words: str) -> Ruling:  # noqa: FBT001  the answer of a comparison
    return Ruling(rule, Mark.PASS if kept else Mark.FAIL, words)


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


RULES: tuple[Rule, ...] = (
    _blockers,
    _pass_rate,
    _regressions,
    _increases,
    _caps,
    _floors,
    _metrics,
    _enough,
    _judged,
    _judges,
    _undecided,
    _comparison,
    _lost,
)
