"""The tables of a report: cases, categories, tags, metrics and expected failures, as plain JSON rows."""

from collections.abc import Collection, Mapping
from typing import Any

from cuelight_server.evaluation import standing
from cuelight_server.evaluation.graders import name_of
from cuelight_server.evaluation.model import ArmResult, CaseResult, CaseState, Json, Severity, Standing, Suite
from cuelight_server.evaluation.scoring import counted

EXCERPT = 400  # characters of output shown for a case that does not simply pass

Row = dict[str, Any]


def case_table(
    candidate: ArmResult, baseline: ArmResult | None, excuses: Mapping[str, str], unstable: Collection[str] = ()
) -> list[Row]:
    """One row a case, in the suite's order: its state, the graders that failed and why, and the start of its output."""
    before = {one.case.id: one.passed for one in baseline.cases if not one.undecided} if baseline else {}
    loose = frozenset(unstable)
    return [_case_row(one, state(one, before.get(one.case.id), excuses, loose)) for one in candidate.cases]


def state(
    one: CaseResult,
    passed_before: bool | None,  # noqa: FBT001  a fact
    excuses: Mapping[str, str],
    unstable: Collection[str] = (),
) -> CaseState:
    """What became of a case; `passed_before` is None without a baseline, `unstable` holds the ids of those that are."""
    if one.case.id in unstable and not (one.fails and one.case.id in excuses):
        return CaseState.UNSTABLE
    if one.passed:
        return CaseState.FIXED if passed_before is False else CaseState.PASSING
    if one.case.id in excuses:
        return CaseState.EXPECTED_FAILURE
    if one.undecided:
        return CaseState.UNDECIDED
    return CaseState.NEWLY_FAILING if passed_before else CaseState.FAILING


def categories(candidate: ArmResult, baseline: ArmResult | None, gate: Json) -> list[Row]:
    """Cases and pass rates by category, with the gate's floor."""
    names: list[tuple[str, ...]] = [(one.case.category.value,) for one in candidate.cases]
    return _rates("category", names, candidate, baseline, gate.get("min_pass_rate_by_category", {}))


def tags(candidate: ArmResult, baseline: ArmResult | None, gate: Json) -> list[Row]:
    """The same by tag."""
    return _rates(
        "tag", [one.case.tags for one in candidate.cases], candidate, baseline, gate.get("min_pass_rate_by_tag", {})
    )


def metrics(candidate: ArmResult, baseline: ArmResult | None, gate: Json) -> list[Row]:
    """Each metric of the gate with its value in both arms; null is not known."""
    before = [one.value for one in baseline.metrics] if baseline else [None] * len(candidate.metrics)
    limits = ("min", "max", "max_shift", "declared_only")
    return [
        {"id": one.id, "of": one.of, "value": one.value, "baseline": was} | {name: metric.get(name) for name in limits}
        for metric, one, was in zip(gate.get("metrics", []), candidate.metrics, before, strict=True)
    ]


def graders(suite: Suite) -> list[Row]:
    """Each grader of the suite once, with its type, how much it counts and in how many cases it may have a word."""
    rows: dict[tuple[str, str, str], Row] = {}
    shared = [(one, len(suite.cases)) for one in suite.graders]
    for rule, cases in [*shared, *((one, 1) for case in suite.cases for one in case.graders)]:
        name, kind, severity = name_of(rule), rule["type"], rule["severity"]
        new: Row = {"name": name, "type": kind, "severity": severity, "cases": 0}
        rows.setdefault((name, kind, severity), new)["cases"] += cases
    return list(rows.values())


def expected_failures(candidate: ArmResult, excuses: Mapping[str, str]) -> list[Row]:
    """The failures that are excused, and whether they still happen; what they would have blocked is named."""
    return [
        {"case": one.case.id, "reason": excuses[one.case.id], "passed": one.passed, "blockers": list(one.blockers)}
        for one in candidate.cases
        if one.case.id in excuses
    ]


def _case_row(one: CaseResult, state: CaseState) -> Row:
    failed = _failed(one)
    row: Row = {
        "id": one.case.id,
        "category": one.case.category.value,
        "title": one.case.title,
        "state": state.value,
        "samples": len(one.samples),
        "sound_samples": sum(standing.whole(sample) is Standing.SOUND for sample in one.samples),
        "failed": failed,
    }
    shown = next((sample for sample in one.samples if not all(grade.passed for grade in sample.grades)), None)
    if shown is not None:
        row["output"] = {"sample": shown.sample, "excerpt": shown.text[:EXCERPT], "cut": len(shown.text) > EXCERPT}
    return row


def _failed(one: CaseResult) -> list[Row]:
    """Each failed grader once, with its first message and the samples that it failed in; blockers first."""
    rows: dict[tuple[str, str], Row] = {}
    for sample in one.samples:
        for grade in sample.grades:
            if not (grade.passed or grade.not_run):
                new: Row = {
                    "name": grade.name,
                    "severity": grade.severity.value,
                    "message": grade.message,
                    "samples": [],
                }
                row = rows.setdefault((grade.name, grade.severity.value), new)
                if sample.sample not in row["samples"]:
                    row["samples"].append(sample.sample)
    order = [severity.value for severity in Severity]
    return sorted(rows.values(), key=lambda row: order.index(row["severity"]))


def _rates(
    kind: str,
    names: list[tuple[str, ...]],
    candidate: ArmResult,
    baseline: ArmResult | None,
    floors: Mapping[str, float],
) -> list[Row]:
    now = counted((name, one.passed) for own, one in zip(names, candidate.cases, strict=True) for name in own)
    before = {}
    if baseline:
        before = counted((name, one.passed) for own, one in zip(names, baseline.cases, strict=True) for name in own)
    none = {name: (0, 0) for name in floors if name not in now}
    return [
        {
            kind: name,
            "cases": cases,
            "passed": passed,
            "pass_rate": _rate(passed, cases),
            "baseline_pass_rate": _rate(*before[name]) if name in before else None,
            "floor": floors.get(name),
        }
        for name, (passed, cases) in {**now, **none}.items()
    ]


def _rate(passed: int, cases: int) -> float | None:
    return round(passed / cases, 3) if cases else None
