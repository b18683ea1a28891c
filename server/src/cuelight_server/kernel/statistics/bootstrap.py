"""Resampling for what has no formula, such as a 95th percentile: weights from a recorded seed, and BCa intervals."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from cuelight_server.kernel.statistics.distributions import normal_quantile, normal_tail
from cuelight_server.kernel.statistics.proportions import Interval

RESAMPLES = 2000
# Poisson(1) in 256ths: a case is drawn 0, 1, 2, ... times (Chamandy et al. 2012). Mean 1.004, variance 1.004.
_TIMES = bytes([0] * 94 + [1] * 94 + [2] * 47 + [3] * 16 + [4] * 4 + [5])


def weights(seed: str, n: int, resamples: int = RESAMPLES) -> Iterator[bytes]:
    """For each resample, how often each of n cases is drawn. The same seed gives the same on every machine, for ever."""
    stream = hashlib.shake_256(seed.encode()).digest(n * resamples)
    for at in range(resamples):
        yield stream[at * n : (at + 1) * n].translate(_TIMES)


def bca(estimate: float, resampled: Sequence[float], left_out: Sequence[float], confidence: float = 0.95) -> Interval:
    """The bias-corrected and accelerated interval (Efron 1987), two-sided.

    `left_out` are the estimates with one case, or one group of cases, left out each time.
    """
    ordered = sorted(resampled)
    below = bisect_left(ordered, estimate)
    ties = sum(1 for one in ordered[below:] if one == estimate)
    share = min(max((below + ties / 2) / len(ordered), 0.5 / len(ordered)), 1 - 0.5 / len(ordered))
    bias, slope = normal_quantile(share), _acceleration(left_out)
    tail = (1 - confidence) / 2
    return Interval(_at(ordered, _moved(bias, slope, tail)), _at(ordered, _moved(bias, slope, 1 - tail)))


def _acceleration(left_out: Sequence[float]) -> float:
    mean = sum(left_out) / len(left_out) if left_out else 0.0
    squares = sum((mean - one) ** 2 for one in left_out)
    return sum((mean - one) ** 3 for one in left_out) / (6 * squares**1.5) if squares > 0 else 0.0


def _moved(bias: float, slope: float, p: float) -> float:
    z = bias + normal_quantile(p)
    return 1 - normal_tail(bias + z / (1 - slope * z))


def _at(ordered: Sequence[float], share: float) -> float:
    """The value at a share of the way, between neighbours in proportion."""
    place = min(max(share, 0.0), 1.0) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
