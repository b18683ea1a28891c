"""What became of the cases between production and this version, with noise kept apart from breaks."""

from collections.abc import Collection, Sequence

from cuelight_server.evaluation import scoring
from cuelight_server.evaluation.model import ArmResult, CaseResult, Regressions, Standing
from cuelight_server.evaluation.statistics.breaks import broken, is_whole
from cuelight_server.evaluation.statistics.comparing import ENOUGH_SAMPLES
from cuelight_server.evaluation.statistics.pairs import Pair, pairs, sound
from cuelight_server.evaluation.statistics.settings import Settings


def sort_out(candidate: ArmResult, baseline: ArmResult | None, how: Settings) -> Regressions:
    """With fewer than three samples in either arm nothing tells noise from a break, and each case counts as it stands.

    With three or more, a case that failed in some samples only is not newly failing by that alone: the tests of
    `breaks` decide. A failed blocker counts at once, and so does a case that may fail in no sample (`every_sample_if`).
    """
    loose = {one.case.id for one in candidate.cases if _unstable(one)}
    if baseline is None:
        return Regressions(unstable=_in_order(candidate, loose))
    found = pairs(candidate, baseline) if baseline.digest != candidate.digest else ()
    shown = broken(found, how.alpha / 2, strict=how.strict)
    whole = {one.case for one in found if one.of >= ENOUGH_SAMPLES and is_whole(one)}
    flipped = set(scoring.newly_failing(candidate, baseline))
    counted = flipped - (_noise(candidate, found) - shown)
    newly = counted | (flipped & whole)
    return Regressions(
        newly_failing=_in_order(candidate, newly),
        fixed=tuple(one for one in scoring.fixed(candidate, baseline) if one not in loose),
        doubtful=_in_order(candidate, newly - counted),
        unstable=_in_order(candidate, loose - newly),
        faded=_in_order(candidate, shown - flipped),
    )


def at_once(candidate: ArmResult, baseline: ArmResult) -> tuple[str, ...]:
    """The newly failing cases that no further case can excuse as noise: for a run that is not at its end."""
    flipped = set(scoring.newly_failing(candidate, baseline))
    return _in_order(candidate, flipped - _noise(candidate, pairs(candidate, baseline)))


def _noise(candidate: ArmResult, found: Sequence[Pair]) -> set[str]:
    """The cases whose failing here may be chance: enough samples in both arms, and nothing that counts at once."""
    enough = {one.case for one in found if one.of >= ENOUGH_SAMPLES}
    return {one.case.id for one in candidate.cases if one.case.id in enough and not _counts_at_once(one)}


def _counts_at_once(one: CaseResult) -> bool:
    return bool(one.blockers) or one.every


def _unstable(one: CaseResult) -> bool:
    """Whether enough samples disagree on whether the case passes, and no rule calls one failure enough."""
    known = set(sound(one)) - {Standing.UNDECIDED}
    return len(one.samples) >= ENOUGH_SAMPLES and len(known) > 1 and not _counts_at_once(one)


def _in_order(candidate: ArmResult, ids: Collection[str]) -> tuple[str, ...]:
    return tuple(one.case.id for one in candidate.cases if one.case.id in ids)
