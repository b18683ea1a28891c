"""How steady a case is under repetition, and a suite: what is noise within a case, and what is between cases."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cuelight_server.kernel.statistics.distributions import beta_quantile, incomplete_beta
from cuelight_server.kernel.statistics.proportions import Interval

_STEADY = 0.02  # a case that fails more seldom than this, or passes more seldom, is steady enough


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Of one case: the share of samples that pass, the 90 % interval of it, and how often two samples disagree."""

    share: float
    interval: Interval
    flip: float


def steadiness(passes: int, of: int, confidence: float = 0.9) -> Steadiness:
    """From Jeffreys' prior, Beta(1/2 + passes, 1/2 + fails); `flip` is the mean of 2p(1 - p) under it."""
    a, b = 0.5 + passes, 0.5 + of - passes
    tail = (1 - confidence) / 2
    within = Interval(beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b))
    flip = 2 * a * b / ((a + b) * (a + b + 1))
    return Steadiness(a / (a + b), within, flip)


def flaky(passes: int, of: int, confidence: float = 0.9) -> bool:
    """Whether the interval of the case lies within (0.02, 0.98): neither steadily passing nor steadily failing."""
    a, b = 0.5 + passes, 0.5 + of - passes
    tail = (1 - confidence) / 2
    return incomplete_beta(a, b, _STEADY) < tail and incomplete_beta(a, b, 1 - _STEADY) > 1 - tail


def all_pass(passes: int, of: int, times: int) -> float | None:
    """The chance that `times` samples all pass, unbiased: C(passes, times) / C(of, times); None with fewer samples."""
    return math.comb(passes, times) / math.comb(of, times) if of >= times else None


def within_variance(passes: int, of: int) -> float:
    """The unbiased variance of one sample within its case: p(1 - p) of / (of - 1); 0 with one sample."""
    return passes * (of - passes) / (of * (of - 1)) if of > 1 else 0.0


def icc(cases: Sequence[tuple[int, int]]) -> float | None:
    """The share of the variance that lies between cases and not within them, of (passes, samples) of equal number.

    One-way analysis of variance (Shrout and Fleiss 1979, ICC(1,1)), not below 0. None with fewer than two cases, with
    one sample each, or where nothing varies.
    """
    of = min((n for _, n in cases), default=0)
    if len(cases) < 2 or of < 2:
        return None
    shares = [passes / n for passes, n in cases]
    mean = math.fsum(shares) / len(shares)
    between = of * math.fsum((one - mean) ** 2 for one in shares) / (len(shares) - 1)
    within = math.fsum(within_variance(passes, n) for passes, n in cases) / len(cases)
    whole = between + (of - 1) * within
    return max(0.0, (between - within) / whole) if whole > 0 else None
