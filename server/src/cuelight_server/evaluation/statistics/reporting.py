"""The two parts of a report: `statistics`, this version against production, and `stability`, case by case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cuelight_server.evaluation.model import (
    ArmResult,
    CaseResult,
    Comparison,
    Found,
    Json,
    MetricChange,
    Regressions,
    Standing,
)
from cuelight_server.evaluation.statistics import words
from cuelight_server.evaluation.statistics.comparing import ENOUGH_SAMPLES, compare
from cuelight_server.evaluation.statistics.figures import figures
from cuelight_server.evaluation.statistics.pairs import pairs, sound
from cuelight_server.evaluation.statistics.regressions import sort_out
from cuelight_server.evaluation.statistics.sections import changes, improvements, p_better, parts
from cuelight_server.evaluation.statistics.settings import settings
from cuelight_server.kernel.statistics.proportions import clopper_pearson_upper, wilson
from cuelight_server.kernel.statistics.stability import Steadiness, all_pass, flaky, icc, steadiness

Row = dict[str, Any]
_FEW = 2  # cases: nice examples, and no evidence


def look(candidate: ArmResult, baseline: ArmResult | None, gate: Json) -> Found:
    """Everything that the samples show and the gate decides on. The same content is not compared with itself."""
    how = settings(gate)
    regressions = sort_out(candidate, baseline, how)
    if baseline is None or baseline.digest == candidate.digest:
        return Found(cases=regressions)
    return Found(
        cases=regressions,
        comparison=compare(pairs(candidate, baseline), how),
        metrics=changes(candidate, baseline, gate, how),
    )


def statistics(candidate: ArmResult, baseline: ArmResult | None, gate: Json, found: Found, seed: str) -> Row:
    """The report's `statistics`. `seed` is that of the resampling, kept so that anybody gets the same bounds."""
    how = settings(gate)
    both = pairs(candidate, baseline) if found.comparison is not None and baseline is not None else ()
    segments = [row for kind in ("category", "tag") for row in parts(kind, candidate, both, how)]
    better = improvements(p_better(both, how), found.metrics, how) if both else []
    passed = sum(one.passed for one in candidate.cases)
    within = wilson(passed, len(candidate.cases))
    return {
        "words": _sentences(candidate, baseline, found, segments, better),
        "pass_rate": {"lower": round(within.lower, 4), "upper": round(within.upper, 4)} if candidate.cases else None,
        "blocked": _blocked(candidate, how.confidence),
        "comparison": _comparison(found.comparison),
        "left_out": len(candidate.cases) - len(both) if both else 0,
        "metrics": [_metric(one) for one in found.metrics.values()],
        "better": better,
        "parts": segments,
        "figures": figures(candidate, baseline if both else None, how.confidence, seed),
        "seed": seed,
    }


def _blocked(candidate: ArmResult, confidence: float) -> Row:
    """Cases with a failed blocker, and the share of such cases that so many may still hide."""
    cases, failed = len(candidate.cases), sum(bool(one.blockers) for one in candidate.cases)
    return {"cases": failed, "of": cases, "upper": round(clopper_pearson_upper(failed, cases, confidence), 4)}


def stability(candidate: ArmResult, baseline: ArmResult | None, cases: Regressions) -> Row:
    """The report's `stability`: how often each case passes that does not always do the same in both arms."""
    counts = [_Counts.of_case(one) for one in candidate.cases]
    before = {one.case.id: _Counts.of_case(one) for one in baseline.cases} if baseline else {}
    least = min((one.of for one in counts), default=0)
    ratio = icc([(one.passes, one.of) for one in counts])
    memory: dict[tuple[int, int], Steadiness] = {}
    rows = [
        _steady(one, before.get(one.case), memory)
        for one in counts
        if one.of > 1 and (one.mixed or _mixed(before.get(one.case)))
    ]
    return {
        "samples": least,
        "words": _steadiness_words(least, cases),
        "all_pass": _all_pass(counts, least),
        "icc": None if ratio is None else round(ratio, 4),
        "unstable": list(cases.unstable),
        "doubtful": list(cases.doubtful),
        "faded": list(cases.faded),
        "cases": rows,
    }


@dataclass(frozen=True, slots=True)
class _Counts:
    case: str
    passes: int
    of: int

    @property
    def mixed(self) -> bool:
        return 0 < self.passes < self.of

    @classmethod
    def of_case(cls, one: CaseResult) -> "_Counts":
        known = [standing for standing in sound(one) if standing is not Standing.UNDECIDED]
        return cls(one.case.id, known.count(Standing.SOUND), len(known))


def _all_pass(counts: Sequence[_Counts], times: int) -> float | None:
    """The chance that so many samples of a case all pass, over all cases; None where one sample is all there is."""
    shares = [all_pass(one.passes, one.of, times) for one in counts] if times > 1 else []
    known = [one for one in shares if one is not None]
    return round(math.fsum(known) / len(known), 4) if known else None


def _mixed(one: _Counts | None) -> bool:
    return one is not None and one.mixed


def _steady(now: _Counts, before: _Counts | None, memory: dict[tuple[int, int], Steadiness]) -> Row:
    key = (now.passes, now.of)
    if key not in memory:
        memory[key] = steadiness(*key)
    one = memory[key]
    return {
        "id": now.case,
        "passes": now.passes,
        "of": now.of,
        "lower": round(one.interval.lower, 4),
        "upper": round(one.interval.upper, 4),
        "flip": round(one.flip, 4),
        "flaky": flaky(*key),
        "production_passes": before.passes if before else None,
        "production_of": before.of if before else None,
    }


def _comparison(one: Comparison | None) -> Row | None:
    if one is None:
        return None
    return {
        "finding": one.finding.value,
        "words": words.of_comparison(one),
        "required": one.required,
        "margin": one.margin,
        "confidence": one.confidence,
        "cases": one.cases,
        "clusters": one.clusters,
        "samples": one.samples,
        "candidate": _share(one.candidate),
        "baseline": _share(one.baseline),
        "difference": _share(one.difference),
        "lower": _share(one.lower),
        "upper": _share(one.upper),
        "method": one.method,
        "p_worse": round(one.p_worse, 6),
        "lower_cases": one.lower_cases,
        "higher_cases": one.higher_cases,
        "sees": _share(one.sees),
        "more_cases": one.more_cases,
        "samples_instead": one.samples_instead,
    }


def _metric(one: MetricChange) -> Row:
    bounds = {"better_by": _share(one.better), "lower": _share(one.lower), "upper": _share(one.upper)}
    return {"id": one.id, "cases": one.cases, **bounds, "finding": one.finding.value if one.finding else None}


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0


def _sentences(
    candidate: ArmResult, baseline: ArmResult | None, found: Found, segments: Sequence[Row], better: Sequence[Row]
) -> list[str]:
    cases, passed = len(candidate.cases), sum(one.passed for one in candidate.cases)
    said = []
    if 0 < cases <= _FEW:
        said.append(f"not enough: {cases} example{'s' if cases > 1 else ''} cannot show that a version is good")
    if 0 < cases < words.SMALL:
        said.append(words.small_share(passed, cases))
    if baseline is None:
        said.append("no baseline: there is nothing in production to compare with")
    elif found.comparison is None:
        said.append("the same content as the baseline: nothing to compare")
    else:
        said.append(words.of_comparison(found.comparison))
    shown = [row["what"] for row in better if row["shown"]]
    if shown:
        said.append(f"shown to be better, also when looking at {len(better)} things at once: {', '.join(shown)}")
    fell = [f"{row['kind']} {row['name']}" for row in segments if row["fell"]]
    if fell:
        said.append(f"fell by more than chance (this tells where to look; floors decide): {', '.join(fell)}")
    return said


def _steadiness_words(samples: int, cases: Regressions) -> list[str]:
    if samples < 2:
        return ["one sample a case: nothing here tells noise from a break; `repeat: {samples: 3}` or more does"]
    said = []
    if samples < ENOUGH_SAMPLES:
        said.append("two samples a case do not tell noise from a break; three or more do")
    named = (
        (cases.unstable, "unstable, neither failed nor passed"),
        (cases.doubtful, "fails in every sample and may still be noise; more samples settle it"),
        (cases.faded, "still passes, and less often than in production by more than chance"),
    )
    said += [f"{what}: {', '.join(ids)}" for ids, what in named if ids]
    return said or ["every case came out alike in all its samples"]
