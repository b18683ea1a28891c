"""Many tests at once: which of them may be called shown when each is one of a family."""

from bisect import bisect_right
from collections.abc import Sequence

_HAIR = 1e-12


def holm(ps: Sequence[float]) -> list[float]:
    """Each p, adjusted for the family (Holm 1979): shown at level a where the adjusted one is at most a."""
    order = sorted(range(len(ps)), key=lambda at: ps[at])
    adjusted, most = [1.0] * len(ps), 0.0
    for rank, at in enumerate(order):
        most = max(most, min(1.0, ps[at] * (len(ps) - rank)))
        adjusted[at] = most
    return adjusted


def tarone_holm(ps: Sequence[tuple[float, float]], alpha: float) -> frozenset[int]:
    """Which of the (p, smallest p it could have) are shown at level alpha in the family (Tarone 1990, then Holm).

    A test that could not reach alpha / K however it came out takes no share of the level.
    """
    reach = sorted(least for _, least in ps)
    share = next(k for k in range(1, len(ps) + 2) if bisect_right(reach, alpha / k + _HAIR) <= k)
    able = sorted((at for at, (_, least) in enumerate(ps) if least <= alpha / share + _HAIR), key=lambda at: ps[at][0])
    shown: set[int] = set()
    for rank, at in enumerate(able):
        if ps[at][0] > alpha / (len(able) - rank) + _HAIR:
            break
        shown.add(at)
    return frozenset(shown)
