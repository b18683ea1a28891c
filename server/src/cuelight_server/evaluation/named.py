"""Named scores: graders with the same `metric` give one score an output, and the report tells the mean of each name."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from cuelight_server.evaluation.model import ArmResult, Grade, SampleResult


def named_scores(candidate: ArmResult, baseline: ArmResult | None) -> list[dict[str, Any]]:
    """One row a name, in alphabetical order: over how many outputs, the mean, and the baseline's mean.

    Outputs on which one of a name's graders has not run are left out, and counted in `open`.
    """
    now, before = _by_name(candidate), _by_name(baseline) if baseline else {}
    return [
        {
            "name": name,
            "of": len(_known(scores)),
            "open": len(scores) - len(_known(scores)),
            "mean": _mean(scores),
            "baseline": _mean(before.get(name, [])),
        }
        for name, scores in sorted(now.items())
    ]


def scores_of(one: SampleResult) -> Mapping[str, float | None]:
    """Name -> the weighted mean of its graders' scores on one output; None where one of them has not run.

    Graders that weigh nothing are reported too: where all of a name's do, each counts the same.
    """
    names: dict[str, list[Grade]] = {}
    for grade in one.grades:
        if grade.metric:
            names.setdefault(grade.metric, []).append(grade)
    return {name: _together(grades) for name, grades in names.items()}


def _together(grades: list[Grade]) -> float | None:
    if any(grade.not_run for grade in grades):
        return None
    weights = [grade.weight for grade in grades] if any(grade.weight for grade in grades) else None
    return fmean([grade.points for grade in grades], weights)


def _by_name(arm: ArmResult) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for name, score in _pairs(arm):
        found.setdefault(name, []).append(score)
    return found


def _pairs(arm: ArmResult) -> Iterator[tuple[str, float | None]]:
    for case in arm.cases:
        for sample in case.samples:
            yield from scores_of(sample).items()


def _known(scores: list[float | None]) -> list[float]:
    return [score for score in scores if score is not None]


def _mean(scores: list[float | None]) -> float | None:
    known = _known(scores)
    return round(fmean(known), 4) if known else None
