"""The report: one JSON document that says what was evaluated, how it went, what the gate decided and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cuelight_server.evaluation import tables
from cuelight_server.evaluation.gate import decide, increase_pct, with_defaults
from cuelight_server.evaluation.judges import Panel, in_report
from cuelight_server.evaluation.model import Arm, ArmResult, Decision, Facts, Json, Regressions, Suite
from cuelight_server.evaluation.models import remarks
from cuelight_server.evaluation.named import named_scores
from cuelight_server.evaluation.outputs import outputs_digest
from cuelight_server.evaluation.scoring import at_equal_cache, excused, gather
from cuelight_server.evaluation.statistics.reporting import look, stability, statistics
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.verdict import Verdict

UNSTABLE_IN_TIME = ("at", "judge_spend")
_SMALL_USD = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is evaluated, on what and by whom; `at` is RFC 3339."""

    prompt: str
    label: str
    digest: str
    baseline: Json | None  # {"version", "digest"}
    suite: str
    suite_digest: str
    provider: str
    recorded: bool
    local: bool
    at: str
    tool_version: str
    gate: Json | None = None
    prices_digest: str | None = None
    recordings_digest: str | None = None  # of the recordings used; None where a provider was asked
    knowledge: tuple[Json, ...] = ()  # the releases that the version names, and what the cases give of them
    least_cases: int = 0  # what the workflow's tier asks for
    notes: tuple[str, ...] = ()
    judge_alone: bool = True  # whether a model judge may be a case's only blocker in this tier
    panel: Panel = field(default_factory=Panel)
    judge_spend: Json | None = None


def build(
    subject: Subject,
    suite: Suite,
    candidate: ArmResult,
    baseline: ArmResult | None,
    unfinished: str = "",
    stopped: str = "",
    spend: Json | None = None,
) -> dict[str, Any]:
    """The report of a run that was answered. `unfinished` says why some of it is not: then it is never a pass.

    `stopped` says why the run ended early because it could not pass any more (see `stopping`): it never passes either.
    """
    excuses = excused(suite, candidate, baseline)
    gate = subject.gate or {}
    found = replace(look(candidate, baseline, gate), stopped=stopped)
    cases = found.cases or Regressions()
    facts = gather(
        candidate, baseline, excuses, unfinished, subject.least_cases, found, judge_alone=subject.judge_alone
    )
    decision = decide(gate, facts)
    return {
        **_head(subject),
        "baseline": _baseline(subject, baseline),
        **_numbers(candidate, facts, cases),
        "blocked_cases": facts.blocked_cases,
        "blocked_cases_max": with_defaults(gate)["blocker_failures_max"],
        "verdict": decision.verdict.value,
        "why": list(decision.why),
        "expected_failures": tables.expected_failures(candidate, excuses),
        "undecided": [{"case": case, "why": why} for case, why in facts.undecided.items()],
        "unstable": [one.case.id for one in candidate.cases if one.unstable],
        "categories": tables.categories(candidate, baseline, gate),
        "tags": tables.tags(candidate, baseline, gate),
        "metrics": tables.metrics(candidate, baseline, gate),
        "graders": tables.graders(suite),
        "named_scores": named_scores(candidate, baseline),
        "statistics": statistics(candidate, baseline, gate, found, subject.suite_digest),
        "stability": stability(candidate, baseline, cases),
        "case_table": tables.case_table(candidate, baseline, excuses, cases.unstable),
        "rulings": [{"rule": one.rule, "mark": one.mark.value, "words": one.words} for one in decision.rulings],
        "spend": dict(spend or {}),
        "judges": in_report(subject.panel, list(_arms(candidate, baseline).values())),
        "judge_spend": dict(subject.judge_spend) if subject.judge_spend else None,
        "models": sorted({*candidate.models, *(baseline.models if baseline else ())}),
        "outputs_digest": outputs_digest(_arms(candidate, baseline)),
        "notes": [*([f"stopped early: {stopped}"] if stopped else []), *_notes(subject, candidate, baseline, decision)],
        "error": None,
    }


def build_error(subject: Subject, error: CuelightError) -> dict[str, Any]:
    """The report of a run that ended in an error: inconclusive, with no number in it."""
    return {
        **_head(subject),
        **dict.fromkeys((*_COUNTED, *_MEASURED)),
        "blockers": [],
        "verdict": Verdict.INCONCLUSIVE.value,
        "why": [f"error: {error.message}"],
        **{name: [] for name in _LISTS},
        "statistics": None,
        "stability": None,
        "outputs_digest": None,
        "spend": {},
        "notes": list(subject.notes),
        "error": error.to_json(),
    }


def evidence(report: Json) -> dict[str, Any]:
    """The report without what changes from run to run: the same outputs, suite and gate give the same evidence."""
    return {name: value for name, value in report.items() if name not in UNSTABLE_IN_TIME}


_COUNTED = ("cases", "samples", "pass_rate", "fixed", "newly_failing", "blocked_cases", "blocked_cases_max")
_MEASURED = ("cost_per_case_usd", "cost_delta_pct", "p95_ms", "p95_delta_pct")
_LISTS = (
    "expected_failures",
    "undecided",
    "unstable",
    "categories",
    "tags",
    "metrics",
    "named_scores",
    "case_table",
    "rulings",
    "judges",
    "models",
)


def _head(subject: Subject) -> dict[str, Any]:
    return {
        "prompt": subject.prompt,
        "version": subject.label,
        "digest": subject.digest,
        "baseline": dict(subject.baseline) if subject.baseline else None,
        "suite": {"name": subject.suite, "digest": subject.suite_digest},
        "provider": subject.provider,
        "recorded": subject.recorded,
        "local": subject.local,
        "gate": dict(subject.gate) if subject.gate is not None else None,
        "prices_digest": subject.prices_digest,
        "recordings_digest": subject.recordings_digest,
        "knowledge": [dict(one) for one in subject.knowledge],
        "at": subject.at,
        "tool_version": subject.tool_version,
    }


def _baseline(subject: Subject, baseline: ArmResult | None) -> dict[str, Any] | None:
    if subject.baseline is None or baseline is None:
        return None
    numbers = {"pass_rate": _rounded(baseline.pass_rate, 3), "cost_per_case_usd": _cost(baseline.cost_usd)}
    return {**subject.baseline, **numbers, "p95_ms": _whole(baseline.p95_ms)}


def _numbers(candidate: ArmResult, facts: Facts, cases: Regressions) -> dict[str, Any]:
    counts = [len(one.samples) for one in candidate.cases]
    return {
        "cases": facts.cases,
        "samples": min(counts, default=0),
        "pass_rate": _rounded(candidate.pass_rate, 3),
        "fixed": _listed(cases.fixed),
        "newly_failing": _listed(cases.newly_failing),
        "blockers": list(facts.blockers),
        "cost_per_case_usd": _cost(candidate.cost_usd),
        "cost_delta_pct": _rounded(increase_pct(facts.cost_usd, facts.baseline_cost_usd), 1),
        "p95_ms": _whole(candidate.p95_ms),
        "p95_delta_pct": _rounded(increase_pct(facts.p95_ms, facts.baseline_p95_ms), 1),
    }


def _listed(ids: tuple[str, ...] | None) -> list[str] | None:
    return None if ids is None else list(ids)


def _arms(candidate: ArmResult, baseline: ArmResult | None) -> dict[Arm, ArmResult]:
    return {Arm.CANDIDATE: candidate} if baseline is None else {Arm.CANDIDATE: candidate, Arm.BASELINE: baseline}


def _notes(subject: Subject, candidate: ArmResult, baseline: ArmResult | None, decision: Decision) -> list[str]:
    arms = list(_arms(candidate, baseline).values())
    notes = [
        *subject.notes,
        *_knowledge_notes(subject.knowledge),
        *_sample_notes(subject, candidate),
        *subject.panel.notes,
        *decision.notes,
        *remarks(arms),
    ]
    if baseline is not None and not at_equal_cache(candidate, baseline):
        notes.append(
            f"costs are compared as if the provider's own cache were empty: it served {_share(candidate.cached_share)} "
            f"of the candidate's input and {_share(baseline.cached_share)} of the baseline's"
        )
    errors = sum(one.errors for one in arms)
    if errors:
        notes.append(
            f"{errors} outputs could not be had; cost, latency and metrics leave out their cases in every arm"
            if errors > 1
            else "1 output could not be had; cost, latency and metrics leave out its case in every arm"
        )
    if candidate.cases and candidate.cost_usd is None:
        notes.append(f"cost not known: no price or no token count for {', '.join(candidate.models) or 'these outputs'}")
    if candidate.cases and candidate.p95_ms is None:
        notes.append("latency not known: some outputs have none")
    return list(dict.fromkeys(notes))


def _share(value: float | None) -> str:
    return "an unknown part" if value is None else f"{100 * value:.0f} %"


def _knowledge_notes(knowledge: Sequence[Json]) -> list[str]:
    return [
        f"{one['cases'] - one['as_released']} of {one['cases']} cases give {one['name']} in other words than "
        + (f"release {one['number']}" if one["number"] else "any release: the desk has none")
        for one in knowledge
        if one["as_released"] < one["cases"]
    ]


def _sample_notes(subject: Subject, candidate: ArmResult) -> list[str]:
    counts = sorted({len(one.samples) for one in candidate.cases})
    asked = (subject.gate or {}).get("repeat", {}).get("samples", 1)
    if not counts or counts[0] >= asked:
        return []
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    said = f"{each} {'sample' if counts == [1] else 'samples'} per case; the gate asks for {asked}"
    return [f"{said}; recorded outputs count as {_word(counts)}" if subject.recorded else said]


def _word(counts: Sequence[int]) -> str:
    return "one" if list(counts) == [1] else "those that there are"


def _whole(value: float | None) -> float | None:
    """To the next integer, where JSON can hold it exactly."""
    if value is None or not math.isfinite(value):
        return None
    return round(value) if abs(value) < 2**53 else value


def _cost(value: float | None) -> float | None:
    """USD to five places; below $0.0001 to 8 significant digits, so that a small cost never reads as none."""
    if value is None or not math.isfinite(value) or abs(value) >= _SMALL_USD:
        return _rounded(value, 5)
    return float(f"{value:.8g}") + 0.0


def _rounded(value: float | None, places: int) -> float | None:
    """To so many places; None for what is not known or not finite. Never minus zero."""
    return None if value is None or not math.isfinite(value) else round(value, places) + 0.0
