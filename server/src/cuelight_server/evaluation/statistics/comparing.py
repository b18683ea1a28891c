"""This version against production on the same cases: no worse than the margin, worse, or not yet to be told."""

import math
from collections.abc import Sequence

from cuelight_server.evaluation.model import Comparison, Finding
from cuelight_server.evaluation.statistics.pairs import Pair, least_samples
from cuelight_server.evaluation.statistics.settings import Settings
from cuelight_server.kernel.statistics.distributions import normal_quantile
from cuelight_server.kernel.statistics.paired import POWER, Paired, detectable, needed, paired
from cuelight_server.kernel.statistics.planning import LOOKS
from cuelight_server.kernel.statistics.proportions import Interval, mcnemar, newcombe_paired
from cuelight_server.kernel.statistics.stability import within_variance

ENOUGH_SAMPLES = 3  # of a case, to tell a break from noise
_REACH = 1_000_000  # cases: more is out of reach, and no number is given
_MOST_SAMPLES = 20


def compare(found: Sequence[Pair], how: Settings, look: int = LOOKS) -> Comparison:
    """Non-inferiority with a margin, and harm, as two one-sided tests on the paired differences.

    One sample of independent cases: McNemar for harm, Newcombe's paired interval for the margin. Otherwise the t interval
    of the means of cases, its error by cluster. With three samples or more half of the error rate is kept for the
    single cases (see `breaks`). A drop that is shown but lies within the margin is no loss. `look` is which of the looks at
    an unfinished run this is.
    """
    mean = paired([one.difference for one in found], [one.cluster or at for at, one in enumerate(found)])
    samples = least_samples(found)
    plain = bool(found) and max(one.of for one in found) == 1 and mean.clusters == mean.n
    level = how.bound(look)
    between = _newcombe(found, level) if plain else mean.interval(level)
    between = Interval(max(-1.0, between.lower), min(1.0, between.upper))
    alpha = 1 - how.bound(look, 0.5 if samples >= ENOUGH_SAMPLES else 1.0)
    p_worse = mcnemar(*_changed(found), exact=how.strict) if plain else _p_worse(found, mean)
    harm = p_worse <= alpha
    finding = Finding.OPEN
    if mean.clusters >= 2 and between.lower > -how.margin:
        finding = Finding.NOT_WORSE
    elif harm and mean.mean < 0:
        finding = Finding.HARM
    spread = _spread(mean)
    more, instead = _to_settle(found, mean, spread, how) if finding is Finding.OPEN else (None, None)
    return Comparison(
        finding=finding,
        cases=mean.n,
        clusters=mean.clusters,
        samples=samples,
        candidate=_share(found, [one.passed for one in found]),
        baseline=_share(found, [one.before for one in found]),
        difference=mean.mean,
        lower=between.lower,
        upper=between.upper,
        method="newcombe" if plain else "t",
        p_worse=p_worse,
        lower_cases=sum(one.difference < 0 for one in found),
        higher_cases=sum(one.difference > 0 for one in found),
        drop_shown=harm and mean.mean < 0,
        sees=detectable(math.sqrt(spread / mean.n), how.confidence) if mean.n else None,
        more_cases=more,
        samples_instead=instead,
        margin=how.margin,
        confidence=how.confidence,
        required=how.required,
        underpowered_allowed=how.allow_underpowered,
    )


def _share(found: Sequence[Pair], counts: Sequence[int]) -> float | None:
    return math.fsum(count / one.of for count, one in zip(counts, found, strict=True)) / len(found) if found else None


def _changed(found: Sequence[Pair]) -> tuple[int, int]:
    """(broken, fixed) of cases with one sample."""
    return sum(one.difference < 0 for one in found), sum(one.difference > 0 for one in found)


def _newcombe(found: Sequence[Pair], confidence: float) -> Interval:
    broken, fixed = _changed(found)
    both = sum(one.passed and one.before for one in found)
    return newcombe_paired(both, broken, fixed, len(found) - both - broken - fixed, 2 * confidence - 1)


def _p_worse(found: Sequence[Pair], mean: Paired) -> float:
    """The one-sided p of the t test, never below what so few changed cases could give whatever their signs."""
    changed = {one.cluster or one.case for one in found if one.difference}
    return max(mean.p_below(), 0.5 ** len(changed))


def _spread(mean: Paired) -> float:
    """The variance of one case's difference, to plan with: as if one more of two more cases had changed."""
    if mean.clusters < 2:
        return 1.0
    return (mean.error**2 * mean.n**2 + 1) / (mean.n + 2)


def _to_settle(found: Sequence[Pair], mean: Paired, spread: float, how: Settings) -> tuple[int | None, int | None]:
    """(how many more cases, or how many samples of each instead) would decide, if the difference stays what it is."""
    distance = max(how.margin + mean.mean, -mean.mean)
    if mean.n < 2 or distance <= 0:
        return None, None
    cases = needed(spread, distance, how.confidence)
    if cases <= mean.n:
        cases = max(mean.n + 1, needed(spread, distance, how.confidence, 0.5))
    return (cases - mean.n if cases <= _REACH else None), _samples(found, spread, distance, how)


def _samples(found: Sequence[Pair], spread: float, distance: float, how: Settings) -> int | None:
    """How many samples of each case would do; None where more samples cannot, or one each tells nothing of noise."""
    now = least_samples(found)
    if now < 2:
        return None
    noise = math.fsum(within_variance(one.passed, one.of) + within_variance(one.before, one.of) for one in found)
    within = noise / len(found)
    rest = max(0.0, spread - within / now)
    most = len(found) * (distance / (normal_quantile(how.confidence) + normal_quantile(POWER))) ** 2
    return next((k for k in range(now + 1, _MOST_SAMPLES + 1) if rest + within / k <= most), None)
