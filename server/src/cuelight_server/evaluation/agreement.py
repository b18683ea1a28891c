"""How far a judge agrees with people, and what its words are worth: kappa, AC1, hit rates, and a corrected mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

ENOUGH = 100  # labels: with 30, a kappa of 0.67 is seen anywhere from 0.2 to 1
_Z = 1.959963984540054
Marks = tuple[bool, bool]  # what the person said, what the judge said


@dataclass(frozen=True, slots=True)
class Share:
    """A share of so many, with a 95 % interval; `value` None where there are none."""

    value: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of `labels` outputs that people judged, how the judge did. None: not known, for want of labels of both kinds."""

    labels: int
    same: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    ac1: float | None
    hits: Share  # passes among what people passed (TPR)
    refusals: Share  # failures among what people failed (TNR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A mean that judge and labels give together, with its standard error, interval, and the weight of the judge."""

    value: float
    se: float
    low: float
    high: float
    tuning: float


def agreement(marks: Sequence[Marks]) -> Agreement:
    """Cohen's kappa (1960) and Gwet's AC1 (2008) of two raters on yes and no.

    kappa = (po - pe) / (1 - pe), pe from both raters' own shares; its 95 % interval is Wilson's of po, carried over with
    pe as it is: unlike the usual normal one it is not empty at full agreement. AC1 takes pe = 2 q (1 - q) with q the
    mean share of yes, and stays sensible where nearly everything passes.
    """
    total = len(marks)
    same = sum(person == judge for person, judge in marks)
    yes_person, yes_judge = sum(person for person, _ in marks), sum(judge for _, judge in marks)
    passed = [judge for person, judge in marks if person]
    failed = [not judge for person, judge in marks if not person]
    if not total:
        return Agreement(
            labels=0,
            same=0,
            kappa=None,
            kappa_low=None,
            kappa_high=None,
            ac1=None,
            hits=share(0, 0),
            refusals=share(0, 0),
        )
    p, q = yes_person / total, yes_judge / total
    chance, seen = p * q + (1 - p) * (1 - q), share(same, total)
    mean = (p + q) / 2
    gwet = 2 * mean * (1 - mean)
    both = bool(passed) and bool(failed)  # where people only ever said one thing, chance explains everything
    kappa = [_beyond(one, chance) if both else None for one in (seen.value, seen.low, seen.high)]
    return Agreement(
        labels=total,
        same=same,
        kappa=kappa[0],
        kappa_low=kappa[1],
        kappa_high=kappa[2],
        ac1=_beyond(seen.value, gwet),
        hits=share(sum(passed), len(passed)),
        refusals=share(sum(failed), len(failed)),
    )


def share(count: int, total: int) -> Share:
    """A share with Wilson's 95 % interval (1927)."""
    if not total:
        return Share(None, None, None, 0)
    p, square = count / total, _Z * _Z
    middle = (p + square / (2 * total)) / (1 + square / total)
    half = _Z * math.sqrt(p * (1 - p) / total + square / (4 * total * total)) / (1 + square / total)
    return Share(p, max(0.0, middle - half), min(1.0, middle + half), total)


def words(found: Agreement) -> str:
    """For people: `agrees with people in 46 of 50, kappa 0.81 (0.62 to 0.94)`."""
    if not found.labels:
        return "no labels: nobody has checked this judge"
    said = f"agrees with people in {found.same} of {found.labels}"
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return f"{said}; kappa is not known: people said the same of all of them"
    said += f", kappa {found.kappa:.2f} ({found.kappa_low:.2f} to {found.kappa_high:.2f})"
    return said if found.labels >= ENOUGH else f"{said}; {ENOUGH - found.labels} more labels would make this firm"


def trusted(found: Agreement) -> bool | None:
    """Whether one may lean on it: kappa 0.6 or more, and surely 0.4 or more; None where that cannot be said yet."""
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return None
    if found.kappa >= 0.6 and found.kappa_low >= 0.4:
        return True
    return False if found.kappa_high < 0.6 else None


def corrected(labelled: Sequence[tuple[float, float]], judged: Sequence[float]) -> Corrected | None:
    """The mean that people would give, from (person, judge) on the labelled and the judge alone on all others.

    Prediction-powered inference (Angelopoulos et al. 2023) with power tuning (PPI++, 2023): mean(Y) + t (mean of judge on
    the others - mean of judge on the labelled), t = cov(Y, f) / ((1 + n/N) var f). Unbiased whatever the judge is worth,
    and never much worse than the labels alone. None below two labels, or without any other output.
    """
    n, others = len(labelled), len(judged)
    if n < 2 or not others:
        return None
    people, judge = [y for y, _ in labelled], [f for _, f in labelled]
    every = [*judge, *judged]
    spread = _variance(every)
    tuning = _covariance(people, judge) / ((1 + n / others) * spread) if spread else 0.0
    tuning = min(1.0, max(0.0, tuning))
    value = _mean(people) + tuning * (_mean(judged) - _mean(judge))
    rest = _variance([y - tuning * f for y, f in labelled]) / n
    se = math.sqrt(rest + tuning * tuning * spread / others)
    return Corrected(value=value, se=se, low=value - _Z * se, high=value + _Z * se, tuning=tuning)


def difference(candidate: Corrected, production: Corrected) -> Corrected:
    """Candidate minus production, each corrected by labels of its own: so unequal errors of the judge do not matter."""
    value, se = candidate.value - production.value, math.hypot(candidate.se, production.se)
    tuning = min(candidate.tuning, production.tuning)
    return Corrected(value=value, se=se, low=value - _Z * se, high=value + _Z * se, tuning=tuning)


def _beyond(seen: float | None, chance: float) -> float | None:
    return None if seen is None or chance >= 1 else (seen - chance) / (1 - chance)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    return _covariance(values, values)


def _covariance(one: Sequence[float], other: Sequence[float]) -> float:
    """With n - 1; 0 below two values."""
    if len(one) < 2:
        return 0.0
    a, b = _mean(one), _mean(other)
    return math.fsum((x - a) * (y - b) for x, y in zip(one, other, strict=True)) / (len(one) - 1)
