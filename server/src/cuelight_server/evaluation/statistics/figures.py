"""Cost and latency with their intervals, this version beside production."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from cuelight_server.evaluation.costs import complete
from cuelight_server.evaluation.model import ArmResult, CaseResult
from cuelight_server.kernel.statistics.bootstrap import RESAMPLES, bca, weights
from cuelight_server.kernel.statistics.paired import paired
from cuelight_server.kernel.statistics.proportions import Interval

Row = dict[str, Any]
_WORK = 1_000_000  # outputs drawn in all: large suites are resampled less often, and need it less
_LEAST = 100
_GROUPS = 40  # left out one after the other, for the acceleration
_COUNTABLE = 1e12  # beyond this a time or a cost is no measurement, and no sum of such
_QUANTILES = {"p50": 0.5, "p95": 0.95}


def figures(candidate: ArmResult, baseline: ArmResult | None, confidence: float, seed: str) -> list[Row]:
    """Rows of mean cost, mean latency, p50 and p95: value and bounds of each arm, and of their ratio.

    Means of cases have t bounds, and their ratio those of the mean log ratio of the cases. Quantiles are of all samples
    (nearest rank), resampled by case from `seed`. A row's arm is None where it is not known. Bounds are one-sided.
    """
    arms = [candidate] if baseline is None else [candidate, baseline]
    rows = [
        _means(
            "cost_usd", [[_mean(one, lambda sample: sample.cost_usd) for one in arm.cases] for arm in arms], confidence
        ),
        _means(
            "latency_ms",
            [[_mean(one, lambda sample: sample.latency_ms) for one in arm.cases] for arm in arms],
            confidence,
        ),
    ]
    return rows + _quantiles(arms, confidence, seed)


def _mean(one: CaseResult, value: Callable[[Any], float | None]) -> float | None:
    known = complete(_measured(value(sample)) for sample in one.samples)
    return math.fsum(known) / len(known) if known else None


def _means(name: str, arms: Sequence[Sequence[float | None]], confidence: float) -> Row:
    made: list[Row | None] = []
    for values in arms:
        known = complete(values)
        mean = paired(known) if known else None
        made.append(_row(mean.mean, mean.plain(confidence)) if mean else None)
    return _figure(name, made, _mean_ratio(arms, confidence))


def _mean_ratio(arms: Sequence[Sequence[float | None]], confidence: float) -> Row | None:
    if len(arms) < 2 or len(arms[0]) != len(arms[1]):
        return None
    known = [complete(values) for values in arms]
    if not known[0] or not known[1] or min(*known[0], *known[1]) <= 0:
        return None
    logs = paired([math.log(now / before) for now, before in zip(known[0], known[1], strict=True)])
    within = logs.plain(confidence)
    return _row(math.exp(logs.mean), Interval(math.exp(within.lower), math.exp(within.upper)) if within else None)


def _measured(value: float | None) -> float | None:
    return value if value is not None and abs(value) < _COUNTABLE else None


class _Times:
    """The times of one arm in order, each with the place of its case."""

    def __init__(self, cases: Sequence[CaseResult]) -> None:
        known = [(_measured(sample.latency_ms), place) for place, one in enumerate(cases) for sample in one.samples]
        ordered = sorted((value, place) for value, place in known if value is not None)
        self.whole = bool(ordered) and len(ordered) == len(known)
        self.values = [value for value, _ in ordered]
        self.places = [place for _, place in ordered]

    def quantiles(self, drawn: Sequence[int]) -> list[float | None]:
        """The nearest-rank quantiles where each case is drawn so often; None where nothing is drawn."""
        sums = list(accumulate(map(drawn.__getitem__, self.places)))
        if not sums or not sums[-1]:
            return [None] * len(_QUANTILES)
        return [self.values[bisect_left(sums, math.ceil(share * sums[-1] - 1e-9))] for share in _QUANTILES.values()]


def _quantiles(arms: Sequence[ArmResult], confidence: float, seed: str) -> list[Row]:
    times = [_Times(arm.cases) for arm in arms]
    cases = len(arms[0].cases)
    if not all(one.whole for one in times) or any(len(arm.cases) != cases for arm in arms):
        return [_figure(name, [None] * len(arms), None) for name in _QUANTILES]
    outputs = max(len(one.values) for one in times)
    resamples = min(RESAMPLES, max(_LEAST, _WORK // outputs))
    real = [one.quantiles([1] * cases) for one in times]
    drawn = [[one.quantiles(row) for one in times] for row in weights(seed, cases, resamples)]
    left = [[one.quantiles(row) for one in times] for row in _left_out(cases)]
    made = []
    for at, name in enumerate(_QUANTILES):
        both = [_bounds(partial(_value, arm, at), real, drawn, left, confidence) for arm in range(len(arms))]
        ratio = _bounds(partial(_ratio, at), real, drawn, left, confidence) if len(arms) > 1 else None
        made.append(_figure(name, both, ratio))
    return made


def _left_out(cases: int) -> list[list[int]]:
    groups = min(cases, _GROUPS)
    return (
        [[0 if place % groups == group else 1 for place in range(cases)] for group in range(groups)]
        if groups > 1
        else []
    )


Quantiles = list[list[float | None]]


def _bounds(
    pick: Callable[[Quantiles], float | None],
    real: Quantiles,
    drawn: list[Quantiles],
    left: list[Quantiles],
    confidence: float,
) -> Row | None:
    value = pick(real)
    known = [one for row in drawn if (one := pick(row)) is not None]
    if value is None:
        return None
    if len(left) < 2 or not known:
        return _row(value, None)
    out = [one for row in left if (one := pick(row)) is not None]
    return _row(value, bca(value, known, out, 2 * confidence - 1))


def _value(arm: int, at: int, row: Quantiles) -> float | None:
    return row[arm][at]


def _ratio(at: int, row: Quantiles) -> float | None:
    now, before = row[0][at], row[1][at]
    return now / before if now is not None and before else None


def _row(value: float, within: Interval | None) -> Row:
    return {
        "value": _short(value),
        "lower": _short(within.lower) if within else None,
        "upper": _short(within.upper) if within else None,
    }


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") + 0.0 if math.isfinite(value) else None


def _figure(name: str, arms: Sequence[Row | None], ratio: Row | None) -> Row:
    return {"figure": name, "candidate": arms[0], "baseline": arms[1] if len(arms) > 1 else None, "ratio": ratio}
