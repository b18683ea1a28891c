"""How one output stands: sound, failed, or undecided because a grader that would decide has not run."""

import math

from cuelight_server.evaluation.model import SampleResult, Severity, Standing

_HAIR = 1e-9  # 0.1 + 0.2 is not 0.3: a threshold is met within a billionth


def blockers(one: SampleResult) -> Standing:
    """Under its blockers alone: each must pass, whatever the scores."""
    return _under(one, Severity.BLOCKER)


def majors(one: SampleResult) -> Standing:
    """Without its blockers: each major must pass; where the case has a threshold, the score must reach it instead."""
    if one.threshold is None:
        return _under(one, Severity.MAJOR)
    if _weighted(one, 0.0) >= one.threshold - _HAIR:
        return Standing.SOUND
    return Standing.UNDECIDED if _weighted(one, 1.0) >= one.threshold - _HAIR else Standing.FAILED


def whole(one: SampleResult) -> Standing:
    """Under blockers and majors: a failure beats what is not known, and that beats a pass."""
    both = {blockers(one), majors(one)}
    return next((worst for worst in (Standing.FAILED, Standing.UNDECIDED) if worst in both), Standing.SOUND)


def score(one: SampleResult) -> float | None:
    """The weighted mean of the graders' scores; None where one has not run, 0 where none has a weight."""
    if any(grade.not_run for grade in one.grades if grade.weight > 0):
        return None
    return _weighted(one, 0.0)


def _under(one: SampleResult, severity: Severity) -> Standing:
    looked = [grade for grade in one.grades if grade.severity is severity and not grade.passed]
    if not looked:
        return Standing.SOUND
    return Standing.UNDECIDED if all(grade.not_run for grade in looked) else Standing.FAILED


def _weighted(one: SampleResult, open_: float) -> float:
    """The weighted mean of the scores, with `open_` for each grader that has not run; 0 where nothing has a weight."""
    weight = math.fsum(grade.weight for grade in one.grades)
    points = math.fsum(grade.weight * (open_ if grade.not_run else grade.points) for grade in one.grades)
    return points / weight if weight > 0 else 0.0
