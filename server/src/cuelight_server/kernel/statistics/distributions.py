"""Distributions: normal, Student's t, beta and binomial, as far as an interval or a test needs them."""

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_EPSILON = 1e-15
_TERMS = 10_000  # the fraction needs about sqrt(max(a, b)) of them
_HALVINGS = 200


def normal_quantile(p: float) -> float:
    """The z below which a share p of the standard normal distribution lies; 0 < p < 1."""
    return _NORMAL.inv_cdf(p)


def normal_tail(z: float) -> float:
    """The share of the standard normal distribution above z."""
    return _NORMAL.cdf(-z)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1.

    Continued fraction of Press et al., Numerical Recipes 6.4, with Lentz's method.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) < _EPSILON:
            break
    return value


def _away(value: float) -> float:
    """Never a division by nothing."""
    return value if abs(value) > _TINY else _TINY


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by bisection to the last digits."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(a, b, middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_tail(t: float, df: float) -> float:
    """The share of Student's t distribution with `df` degrees of freedom above t."""
    half = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2
    return half if t >= 0 else 1 - half


def t_quantile(p: float, df: float) -> float:
    """The t below which a share p of Student's distribution with `df` degrees of freedom lies; 0 < p < 1."""
    if p < 0.5:
        return -t_quantile(1 - p, df)
    x = beta_quantile(2 * (1 - p), df / 2, 0.5)
    return math.inf if x <= 0 else math.sqrt(df * (1 - x) / x)


def binomial_tail(least: int, n: int, p: float) -> float:
    """The probability of `least` or more of n where each comes with probability p."""
    if least <= 0:
        return 1.0
    return 0.0 if least > n else incomplete_beta(least, n - least + 1, p)


def binomial_point(count: int, n: int, p: float) -> float:
    """The probability of exactly `count` of n, for 0 < p < 1."""
    ways = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
    return math.exp(ways + count * math.log(p) + (n - count) * math.log1p(-p))
