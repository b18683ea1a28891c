"""The same case in both arms, counted on equally many samples of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from cuelight_server.evaluation import standing
from cuelight_server.evaluation.model import ArmResult, CaseResult, Standing


@dataclass(frozen=True, slots=True)
class Pair:
    """One case: `passed` of `of` samples are sound here, `before` of as many in production.

    `cluster` is shared by cases that are not independent of each other; empty where the case stands alone.
    """

    case: str
    cluster: str
    passed: int
    before: int
    of: int

    @property
    def difference(self) -> float:
        """How much larger the share of sound samples is here."""
        return (self.passed - self.before) / self.of


def pairs(candidate: ArmResult, baseline: ArmResult) -> tuple[Pair, ...]:
    """The cases that both arms have a word on, in the suite's order.

    A case with an output that nobody can judge, in either arm, leaves both.
    """
    before = {one.case.id: one for one in baseline.cases}
    found = (_pair(one, before[one.case.id]) for one in candidate.cases if one.case.id in before)
    return tuple(one for one in found if one is not None)


def sound(one: CaseResult) -> list[Standing]:
    """How each sample of a case stands, in their order."""
    return [standing.whole(sample) for sample in one.samples]


def least_samples(found: Sequence[Pair]) -> int:
    """Samples a case, where they differ the fewest; 0 without cases."""
    return min((one.of for one in found), default=0)


def _pair(now: CaseResult, before: CaseResult) -> Pair | None:
    of = min(len(now.samples), len(before.samples))
    left, right = sound(now)[:of], sound(before)[:of]
    if of == 0 or Standing.UNDECIDED in (*left, *right):
        return None
    return Pair(now.case.id, now.case.cluster, left.count(Standing.SOUND), right.count(Standing.SOUND), of)
