"""From graded outputs to the facts of a gate: which cases pass, what is fixed and what is lost, and the numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cuelight.contract.condition import holds
from cuelight_server.evaluation import standing
from cuelight_server.evaluation.costs import complete, mean, nearest_rank_p95
from cuelight_server.evaluation.model import (
    ArmResult,
    Case,
    CaseResult,
    Category,
    Facts,
    Found,
    Grade,
    Json,
    MetricFact,
    MetricValue,
    SampleResult,
    Severity,
    Standing,
    Suite,
)
from cuelight_server.evaluation.models import strange
from cuelight_server.evaluation.strictness import majors_needed

MOST_ERRORS = 0.02  # of an arm's outputs: beyond that the run says nothing
_SAME_SHARE = 0.01
_JUDGING = (Severity.BLOCKER, Severity.MAJOR)


def judge(case: Case, samples: tuple[SampleResult, ...], repeat: Json) -> CaseResult:
    """Whether a case passes: no blocker fails in any sample, and majors pass in as many samples as the gate asks.

    `repeat` is the gate's; a case that its `every_sample_if` holds for may fail no major in any sample either. A case
    without a sample does not pass.
    """
    blockers = {grade.name for one in samples for grade in _blockers(one)}
    clear = [standing.blockers(one) for one in samples]
    majors = [standing.majors(one) for one in samples]
    every = "every_sample_if" in repeat and holds(repeat["every_sample_if"], _case_document(case))
    needed = len(samples) if every else majors_needed(repeat, len(samples))
    sound, open_ = majors.count(Standing.SOUND), majors.count(Standing.UNDECIDED)
    passed = bool(samples) and set(clear) == {Standing.SOUND} and sound >= needed
    could = bool(samples) and Standing.FAILED not in clear and sound + open_ >= needed
    known = {standing.whole(one) for one in samples} - {Standing.UNDECIDED}
    return CaseResult(
        case=case,
        samples=samples,
        passed=passed,
        unstable=len(known) > 1,
        blockers=tuple(sorted(blockers)),
        judged=bool(samples) and all(any(map(_decides, one.grades)) for one in samples),
        undecided=_why_undecided(samples) if could and not passed else "",
        score=mean(standing.score(one) for one in samples),
        every=every,
        only_judge=any(_only_judge(one) for one in samples),
    )


def sum_up(
    label: str,
    digest: str,
    cases: tuple[CaseResult, ...],
    metrics: Sequence[Json],
    pinned: str = "",
    leave: frozenset[str] = frozenset(),
) -> ArmResult:
    """One arm's numbers; None for each that is not known. Cost, latency and metrics leave out the cases in `leave`.

    Those are the ones of which an output could not be had in some arm: they are undecided, and no arm is dearer for them.
    """
    whole = [case for case in cases if case.case.id not in leave]
    samples = [sample for case in whole for sample in case.samples]
    every = [sample for case in cases for sample in case.samples]
    asked = complete(sample.input_tokens for sample in samples)
    read = complete(sample.cached_input_tokens for sample in samples)
    return ArmResult(
        label=label,
        digest=digest,
        cases=cases,
        metrics=tuple(_measure(place, metric, samples) for place, metric in enumerate(metrics)),
        pass_rate=sum(case.passed for case in cases) / len(cases) if cases else None,
        cost_usd=mean(mean(sample.cost_usd for sample in case.samples) for case in whole),
        uncached_usd=mean(mean(sample.uncached_usd for sample in case.samples) for case in whole),
        cached_share=sum(read) / sum(asked) if read is not None and asked and sum(asked) else None,
        errors=sum(bool(sample.error) for sample in every),
        outputs=len(every),
        first_error=next((sample.error for sample in every if sample.error), ""),
        p95_ms=nearest_rank_p95(sample.latency_ms for sample in samples),
        models=tuple(sorted({sample.model for sample in every if sample.model})),
        pinned=pinned,
    )


def at_equal_cache(candidate: ArmResult, baseline: ArmResult | None) -> bool:
    """Whether the provider's own cache served both arms alike, so that what was billed can be compared."""
    if baseline is None or (candidate.cached_share is None and baseline.cached_share is None):
        return True
    return abs((candidate.cached_share or 0.0) - (baseline.cached_share or 0.0)) < _SAME_SHARE


def lost(arms: Mapping[str, ArmResult]) -> tuple[str, ...]:
    """The arms of which so many outputs could not be had that nothing can be said of the rest, in words."""
    return tuple(
        f"{arm.errors} of {arm.outputs} outputs of the {name} could not be had "
        f"({100 * arm.errors / arm.outputs:.1f} %, at most {100 * MOST_ERRORS:g} %): {arm.first_error}"
        for name, arm in arms.items()
        if arm.outputs and arm.errors / arm.outputs > MOST_ERRORS
    )


def excused(suite: Suite, candidate: ArmResult, baseline: ArmResult | None) -> Mapping[str, str]:
    """Case id -> reason of the failures that are expected of this version.

    They count only for a version that stands alone or is itself the baseline: another candidate earns no such credit.
    """
    if baseline is not None and baseline.digest != candidate.digest:
        return {}
    labels = [candidate.label] if baseline is None else [candidate.label, baseline.label]
    return {case: why for label in labels for case, why in suite.expected_failures.get(label, {}).items()}


def newly_failing(candidate: ArmResult, baseline: ArmResult) -> list[str]:
    """Cases that pass on the baseline and fail on the candidate, in the suite's order."""
    before = {one.case.id for one in baseline.cases if one.passed}
    return [one.case.id for one in candidate.cases if one.fails and one.case.id in before]


def perhaps_newly_failing(candidate: ArmResult, baseline: ArmResult) -> list[str]:
    """Cases that fail on the candidate while nobody can say whether they pass on the baseline."""
    open_ = {one.case.id for one in baseline.cases if one.undecided}
    return [one.case.id for one in candidate.cases if one.fails and one.case.id in open_]


def fixed(candidate: ArmResult, baseline: ArmResult) -> list[str]:
    """Cases that fail on the baseline and pass on the candidate, in the suite's order."""
    before = {one.case.id for one in baseline.cases if one.fails}
    return [one.case.id for one in candidate.cases if one.passed and one.case.id in before]


def gather(
    candidate: ArmResult,
    baseline: ArmResult | None,
    excuses: Mapping[str, str],
    unfinished: str = "",
    least_cases: int = 0,
    found: Found | None = None,
    *,
    judge_alone: bool = True,
) -> Facts:
    """The facts that the gate decides on; `found` is what the samples show, where somebody has looked.

    `judge_alone` is whether a model judge may be a case's only blocker.
    """
    found = found or Found()
    billed = at_equal_cache(candidate, baseline)
    arms = {"candidate": candidate} if baseline is None else {"candidate": candidate, "baseline": baseline}
    blocked = [one for one in candidate.cases if one.blockers and one.case.id not in excuses]
    before = [one.value for one in baseline.metrics] if baseline else [None] * len(candidate.metrics)
    return Facts(
        cases=len(candidate.cases),
        passed=sum(one.passed for one in candidate.cases),
        blocked_cases=len(blocked),
        blockers=tuple(sorted({name for one in blocked for name in one.blockers})),
        categories=counted((one.case.category.value, one.passed) for one in candidate.cases),
        tags=counted((tag, one.passed) for one in candidate.cases for tag in one.case.tags),
        has_baseline=baseline is not None,
        newly_failing=_newly(candidate, baseline, found),
        cost_usd=candidate.cost_usd if billed else candidate.uncached_usd,
        baseline_cost_usd=(baseline.cost_usd if billed else baseline.uncached_usd) if baseline else None,
        p95_ms=candidate.p95_ms,
        baseline_p95_ms=baseline.p95_ms if baseline else None,
        metrics=tuple(
            MetricFact(id=one.id, value=one.value, baseline=was, change=found.metrics.get(one.id))
            for one, was in zip(candidate.metrics, before, strict=True)
        ),
        unfinished=unfinished,
        least_cases=least_cases,
        perhaps_newly_failing=len(perhaps_newly_failing(candidate, baseline)) if baseline else 0,
        doubtful=found.cases.doubtful if found.cases else (),
        comparison=found.comparison,
        stopped=found.stopped,
        undecided={one.case.id: one.undecided for one in candidate.cases if one.undecided},
        undecided_in=Counter(
            name
            for one in candidate.cases
            if one.undecided
            for name in (one.case.category.value, *(f"tag:{tag}" for tag in one.case.tags))
        ),
        only_judge=() if judge_alone else tuple(one.case.id for one in candidate.cases if one.only_judge),
        not_judged=tuple(one.case.id for one in candidate.cases if one.samples and not one.judged),
        lost=lost(arms),
        strange_models=strange([candidate] if baseline is None else [candidate, baseline]),
    )


def _newly(candidate: ArmResult, baseline: ArmResult | None, found: Found) -> int | None:
    if baseline is None:
        return None
    if found.cases is None or found.cases.newly_failing is None:
        return len(newly_failing(candidate, baseline))
    return len(found.cases.newly_failing) - len(found.cases.doubtful)


def counted(pairs: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """Name -> (passed, all); categories in their own order, other names sorted."""
    order = {category.value: place for place, category in enumerate(Category)}
    found: dict[str, tuple[int, int]] = {}
    for name, passed in pairs:
        before = found.get(name, (0, 0))
        found[name] = (before[0] + passed, before[1] + 1)
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], 0), item[0])))


def _blockers(sample: SampleResult) -> list[Grade]:
    """The failed blockers to name: one that only could not read the output is named where nothing else explains it."""
    failed = [one for one in sample.grades if one.severity is Severity.BLOCKER and not (one.passed or one.not_run)]
    return [one for one in failed if not one.unread] or failed


def _decides(grade: Grade) -> bool:
    return grade.severity in _JUDGING and grade.weight > 0


def _only_judge(sample: SampleResult) -> bool:
    """Whether its blockers, or its majors where it has none, are model judges one and all."""
    counting = [one for one in sample.grades if _decides(one)]
    deciding = [one for one in counting if one.severity is Severity.BLOCKER] or counting
    return bool(deciding) and all(one.alone for one in deciding)


def _why_undecided(samples: tuple[SampleResult, ...]) -> str:
    """The first grader that has not run, and why."""
    return next(f"{grade.name}: {grade.not_run}" for one in samples for grade in one.grades if grade.not_run)


def _measure(place: int, metric: Json, samples: list[SampleResult]) -> MetricValue:
    counts = [sample.counts[place] for sample in samples]
    of = sum(looked for looked, _ in counts)
    share = sum(looked and counts_too for looked, counts_too in counts)
    return MetricValue(id=metric["id"], of=of, value=share / of if of else None)


def _case_document(case: Case) -> Json:
    return {"input": case.input, "label": case.label or {}, "case": {"id": case.id, "category": case.category.value}}
