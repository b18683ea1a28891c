"""The same cases in two arms: the mean difference with its error, and how many cases would show one."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from cuelight_server.kernel.statistics.distributions import normal_quantile, t_quantile, t_tail
from cuelight_server.kernel.statistics.proportions import Interval

POWER = 0.8  # what "can see" means: found in four of five runs


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of differences; `error` is its standard error, over so many `clusters` that can be taken as independent."""

    mean: float
    error: float
    n: int
    clusters: int

    def least_half(self, confidence: float) -> float:
        """What the interval is at least to each side: Wilson's bound where none of so many clusters changed.

        A spread of 0 in the sample is no proof of a spread of 0.
        """
        square = normal_quantile(confidence) ** 2
        return square / (self.clusters + square)

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound at this confidence."""
        return self.mean - self._half(confidence)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound at this confidence."""
        return self.mean + self._half(confidence)

    def interval(self, confidence: float) -> Interval:
        """Both one-sided bounds, each at this confidence."""
        return Interval(self.lower(confidence), self.upper(confidence))

    def plain(self, confidence: float) -> Interval | None:
        """Both one-sided t bounds of a mean that is no share; None with fewer than two clusters."""
        if self.clusters < 2:
            return None
        half = t_quantile(confidence, self.clusters - 1) * self.error
        return Interval(self.mean - half, self.mean + half)

    def p_below(self, limit: float = 0.0) -> float:
        """The one-sided p of the true mean not being below the limit; 1 with fewer than two clusters."""
        if self.clusters < 2:
            return 1.0
        if self.error == 0:
            return 0.0 if self.mean < limit else 1.0
        return t_tail((limit - self.mean) / self.error, self.clusters - 1)

    def _half(self, confidence: float) -> float:
        if self.clusters < 2:
            return math.inf
        return max(t_quantile(confidence, self.clusters - 1) * self.error, self.least_half(confidence))


def paired(differences: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Paired:
    """The mean of the differences, its error by cluster (Miller 2024, eq. 4 with C / (C - 1); Liang and Zeger 1986).

    Cases of the same cluster are not independent; without clusters each case is its own, and the error is the usual one.
    """
    n = len(differences)
    mean = math.fsum(differences) / n if n else 0.0
    sums: dict[Hashable, float] = {}
    for at, value in enumerate(differences):
        key = clusters[at] if clusters is not None else at
        sums[key] = sums.get(key, 0.0) + value - mean
    count = len(sums)
    if count < 2:
        return Paired(mean, math.inf, n, count)
    error = math.sqrt(count / (count - 1) * math.fsum(one * one for one in sums.values())) / n
    return Paired(mean, error, n, count)


def needed(spread: float, distance: float, confidence: float = 0.95, power: float = POWER) -> int:
    """How many cases show a difference `distance` away, where one case's difference has the variance `spread`.

    n = (z_(1-a) + z_power)^2 spread / distance^2; for pairs of yes and no the variance is the share that changes.
    """
    reach = (normal_quantile(confidence) + normal_quantile(power)) ** 2
    return math.ceil(reach * spread / (distance * distance) - 1e-9)


def detectable(error: float, confidence: float = 0.95, power: float = POWER) -> float:
    """The least drop that is found with this power, where the mean difference has this standard error."""
    return (normal_quantile(confidence) + normal_quantile(power)) * error
