"""Which single cases are shown to have become worse, where several samples of each can tell a break from noise."""

import math
from collections.abc import Iterable, Sequence

from cuelight_server.evaluation.statistics.comparing import ENOUGH_SAMPLES
from cuelight_server.evaluation.statistics.pairs import Pair
from cuelight_server.kernel.statistics.multiple import tarone_holm
from cuelight_server.kernel.statistics.proportions import fisher_worse

_HAIR = 1e-12


def broken(found: Sequence[Pair], alpha: float, *, strict: bool = False) -> frozenset[str]:
    """The cases whose passes fell by more than chance does, at level `alpha` over all cases together.

    One by one with Fisher's exact test under Tarone and Holm; and those that passed in every sample and now fail in
    every one, if there are more of them than chance would make (`_more_than_chance`).
    """
    looked = [one for one in found if one.of >= ENOUGH_SAMPLES]
    tests = [fisher_worse(one.passed, one.of, one.before, one.of) for one in looked]
    shown = {looked[at].case for at in tarone_holm(tests, alpha)}
    whole = [one.case for one in looked if is_whole(one)]
    if whole and _more_than_chance(looked, len(whole), strict=strict) <= alpha + _HAIR:
        shown |= set(whole)
    return frozenset(shown)


def is_whole(one: Pair) -> bool:
    """Whether the case passed in every sample and now fails in every one."""
    return one.passed == 0 and one.before == one.of


def _more_than_chance(looked: Iterable[Pair], seen: int, *, strict: bool) -> float:
    """The chance of so many whole breaks if nothing had changed; mid-p unless `strict`.

    Given how often a case passed in both arms together, each order of its samples is as likely as any other: of a case
    that passed as often as it has samples, a whole break has the chance 1 / C(2k, k). Their number is a sum of such.
    """
    chances = [1 / math.comb(2 * one.of, one.of) for one in looked if one.passed + one.before == one.of]
    points = [1.0] + [0.0] * seen  # the chance of 0, 1, ... `seen` whole breaks
    for chance in chances:
        points = [point * (1 - chance) + (points[at - 1] * chance if at else 0.0) for at, point in enumerate(points)]
    return 1 - math.fsum(points[:seen]) - (0 if strict else points[seen] / 2)
