"""Shares and what can be said of them: intervals of one share, and tests of a share against another."""

import math
from dataclasses import dataclass

from cuelight_server.kernel.statistics.distributions import (
    beta_quantile,
    binomial_point,
    binomial_tail,
    normal_quantile,
)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `lower` to `upper`."""

    lower: float
    upper: float


def wilson(passed: int, n: int, confidence: float = 0.95) -> Interval:
    """The two-sided score interval of a share (Wilson 1927; Newcombe 1998, method 3). All of it where n is 0."""
    if n <= 0:
        return Interval(0.0, 1.0)
    z, p = normal_quantile((1 + confidence) / 2), passed / n
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return Interval(
        0.0 if passed == 0 else (middle - spread) / whole, 1.0 if passed == n else (middle + spread) / whole
    )


def clopper_pearson_upper(events: int, n: int, confidence: float = 0.95) -> float:
    """The share that events may have at most, one-sided and exact (Clopper and Pearson 1934).

    59 cases without any show less than 5 %.
    """
    return 1.0 if n <= 0 or events >= n else beta_quantile(confidence, events + 1, n - events)


def newcombe_paired(both: int, broken: int, fixed: int, neither: int, confidence: float = 0.95) -> Interval:
    """The two-sided interval of (candidate - production) for pairs of yes and no (Newcombe 1998, method 10).

    `both` pass in both arms, `broken` in production only, `fixed` in the candidate only. It needs no guess of the
    spread, so it says something true where nothing differs: that a few cases may still be lost.
    """
    n = both + broken + fixed + neither
    if n == 0:
        return Interval(-1.0, 1.0)
    now, before = (both + fixed) / n, (both + broken) / n
    left, right = wilson(both + fixed, n, confidence), wilson(both + broken, n, confidence)
    phi = _association(both, broken, fixed, neither)
    down = _span(now - left.lower, right.upper - before, phi)
    up = _span(left.upper - now, before - right.lower, phi)
    return Interval(max(-1.0, now - before - down), min(1.0, now - before + up))


def _span(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _association(both: int, broken: int, fixed: int, neither: int) -> float:
    n = both + broken + fixed + neither
    margins = (both + broken) * (both + fixed) * (fixed + neither) * (broken + neither)
    if margins == 0:
        return 0.0
    cross = float(both * neither - broken * fixed)
    if cross > 0:
        cross = max(0.0, cross - n / 2)
    return cross / math.sqrt(margins)


def mcnemar(broken: int, fixed: int, *, exact: bool = False) -> float:
    """How likely so many broken among those that changed are by chance: one-sided McNemar, mid-p unless `exact`.

    Mid-p: Lancaster 1961; Fagerland, Lydersen and Laake 2013.
    """
    changed = broken + fixed
    if changed == 0:
        return 1.0
    tail = binomial_tail(broken, changed, 0.5)
    return tail if exact else tail - binomial_point(broken, changed, 0.5) / 2


def fisher_worse(passed: int, of: int, before: int, of_before: int) -> tuple[float, float]:
    """(p, the smallest p that these margins can give) of Fisher's one-sided exact test that fewer pass than before."""
    total, everything = passed + before, of + of_before
    ways = math.comb(everything, total)
    least = max(0, total - of_before)
    points = [math.comb(of, x) * math.comb(of_before, total - x) / ways for x in range(least, passed + 1)]
    return min(1.0, math.fsum(points)), points[0]
