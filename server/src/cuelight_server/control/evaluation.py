"""Evaluating a version: asked for through the door, run by the worker, and its outcome written through the door."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server import __version__
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import judging, lease
from cuelight_server.control import trial as trials
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.control.lease import MOST_STARTS, Lost
from cuelight_server.control.running import SHUTDOWN, Certain, Run, Stop, never_certain
from cuelight_server.control.trial import PRODUCTION, Providers, Trial
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import report as reports
from cuelight_server.evaluation import store
from cuelight_server.evaluation.graders.outside import NOTHING_OUTSIDE, Outside
from cuelight_server.evaluation.judges import Panel
from cuelight_server.evaluation.model import Arm, ArmResult, Case, SampleResult
from cuelight_server.evaluation.plan import AS_ALWAYS, MAX_AGE_DAYS, Plan, checked, read_plan, with_repeats
from cuelight_server.evaluation.report import Subject
from cuelight_server.evaluation.results import bench
from cuelight_server.evaluation.runner import Key, run
from cuelight_server.evaluation.scoring import excused, judge, sum_up
from cuelight_server.evaluation.seal import sorted_results_digest
from cuelight_server.evaluation.statistics.settings import settings
from cuelight_server.evaluation.stopping import certain, in_order
from cuelight_server.evaluation.store import Stored
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Conflict, CuelightError, NotFound, Unavailable
from cuelight_server.kernel.judges import NOT_ALONE
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.kernel.tiers import LEAST_CASES

__all__ = [
    "MAX_AGE_DAYS",
    "NOTHING_OUTSIDE",
    "Limits",
    "Outside",
    "Plan",
    "Providers",
    "Ways",
    "abandon",
    "cancel",
    "requeue",
    "run_pending",
    "start",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends by itself: seconds on the desk's clock, and USD where prices are known."""

    seconds: float = 6 * 3600
    usd: float = float("inf")


@dataclass(frozen=True, slots=True)
class Ways:
    """What a run is given from outside: what graders may ask, and when no further output matters."""

    outside: Outside = NOTHING_OUTSIDE
    certain: Certain = never_certain


def start(
    desk: Desk,
    actor: Actor,
    prompt: str,
    label: str,
    provider: str,
    baseline: str = PRODUCTION,
    plan: Plan = AS_ALWAYS,
) -> str:
    """Ask for an evaluation; the id of it, which now waits for the worker.

    `label` is a version (`v2`) or a draft; `baseline` a label, or what production serves. NotFound, Invalid, Denied.
    """
    with act(desk, actor, Verb.EVALUATION_RUN, f"{prompt}@{label}") as work:
        candidate = trials.named(work.sql, prompt, label)
        against = trials.baseline_of(desk, work.sql, prompt, baseline)
        suite = trials.newest_suite(work.sql, prompt, candidate.content)
        gate = trials.joint_gate(
            candidate.content,
            against.content if against else None,
            trials.tier_of(work.sql, prompt),
            len(suite.document["cases"]),
        )
        gate = with_repeats(gate, checked(plan))
        sides = 2 if against is not None and against.digest != candidate.digest else 1
        samples = trials.planned_samples(trials.known_provider(provider), gate)
        new = Stored(
            id=desk.new_id("eval"),
            prompt=prompt,
            label=label,
            content_digest=candidate.digest,
            baseline_label=against.label if against else None,
            baseline_digest=against.digest if against else None,
            suite_digest=suite.digest,
            provider=provider,
            state=EvaluationState.QUEUED,
            done=0,
            total=len(suite.document["cases"]) * samples * sides,
            verdict=None,
            evidence_digest=None,
            report=None,
            actor=work.actor.id,
            created_at=work.at_text,
            finished_at=None,
            plan=plan.text(),
        )
        store.save(work.sql, new)
        work.note(evaluation=new.id, content=new.content_digest, suite=new.suite_digest, provider=provider)
        work.note(baseline=new.baseline_digest, **({"plan": new.plan} if new.plan else {}))
        return new.id


def cancel(desk: Desk, actor: Actor, id: str) -> Stored:
    """End an evaluation before it is done: what was answered is kept, and it is inconclusive. NotFound, Conflict, Denied.

    One that waits is ended by the worker next; of one that runs, the calls under way are waited for.
    """
    with reading(desk.registry) as sql:
        one = store.load(sql, id)
    if one is None:
        raise NotFound(f"there is no evaluation {id}", "list them: cuelight evals list <workflow>.<prompt>")
    with act(desk, actor, Verb.EVALUATION_CANCEL, f"{one.prompt}@{one.label}") as work:
        if not store.cancel(work.sql, id, work.actor.id, work.at_text):
            raise Conflict(f"the evaluation {id} has ended, or was cancelled already", f"see: cuelight evals show {id}")
        work.note(evaluation=id)
    return replace(one, cancelled_by=actor.id)


def run_pending(
    desk: Desk,
    providers: Providers,
    stop: Stop = lambda: False,
    limits: Limits = Limits(),
    worker: str = "",
    ways: Ways = Ways(),
) -> bool:
    """Run the evaluation that has waited longest; False when none waits.

    Whatever goes wrong on the way is its outcome: state `error`, inconclusive. When `stop` says so it waits again, and
    what was answered stays answered. `worker` is whose lease it is while it runs; left out, it is somebody new. Graders
    ask judges through `providers`.
    """
    me = worker or ids.worker_id()
    with reading(desk.registry) as sql:
        one = store.oldest_queued(sql)
    if one is None:
        return False
    if not lease.claim(desk, one.id, me):
        return True  # another worker was first; there may be more
    try:
        with lease.held(desk, one.id, me):
            _evaluate(desk, providers, one, me, stop, limits, ways)
    except Lost:
        pass  # whoever has it now writes the report
    except CuelightError as bad:
        _finish_error(desk, one, me, bad)
    return True


def requeue(desk: Desk) -> int:
    """What a worker that is gone left behind waits again; how many there were.

    What was started twice and never came to an end is an error: it is not started for ever.
    """
    left = lease.expired(desk)
    me = ids.worker_id() if left else ""
    for one in left:
        if not lease.take(desk, one, me):
            continue
        if one.attempts >= MOST_STARTS:
            words = f"started {one.attempts} times and never came to an end"
            _finish_error(
                desk, one, me, Unavailable(words, "see the server's log; then change the suite, or ask again")
            )
            continue
        with operational(desk.registry) as sql:
            store.requeue(sql, one.id, me, orderly=False)
    return len(left)


def abandon(desk: Desk, why: str, worker: str = "") -> None:
    """End what this worker runs as an error: for the worker itself, when something broke that nobody foresaw."""
    with reading(desk.registry) as sql:
        left = [one for id in store.running(sql, worker) if (one := store.load(sql, id)) is not None]
    for one in left:
        _finish_error(desk, one, worker, Unavailable(why, "see the server's log; this is a fault of Cuelight"))


def _evaluate(desk: Desk, providers: Providers, one: Stored, me: str, stop: Stop, limits: Limits, ways: Ways) -> None:
    with reading(desk.registry) as sql:
        trial = trials.gather(desk, sql, one, providers)
    plan = _within(read_plan(one.plan), limits)
    asked = judging.Asked(providers, trial.prices.document if trial.prices else None)
    outside = replace(ways.outside, judge=asked)
    made = _begun(desk, one, me, trial, plan, stop, replace(ways, outside=outside))
    asked.through = made.ask_judge
    work = made.work()
    made.flush()
    unfinished = run(work, made) or made.spent
    made.flush()
    panel, unfinished = _panel(trial, made, outside, unfinished)
    if unfinished == SHUTDOWN:
        with operational(desk.registry) as sql:
            store.requeue(sql, one.id, me, orderly=True)
        return
    _refuse_wholly_broken(made)
    made.forget()
    report = _report(desk, one, trial, made, unfinished, _Judges(panel, asked.spend()))
    _finish(desk, one, me, EvaluationState.DONE, report)


@dataclass(frozen=True, slots=True)
class _Judges:
    """What the report says of model judges, and what they cost."""

    panel: Panel
    spend: dict[str, Any] | None


def _panel(trial: Trial, made: Run, outside: Outside, unfinished: str) -> tuple[Panel, str]:
    """What judges say once all is answered; nothing where the run was stopped, before or meanwhile."""
    if unfinished:
        return Panel(), unfinished
    try:
        panel, grades = judging.panel(trial, made.bench, made, outside)
    except judging.Stopped as stopped:
        return Panel(), str(stopped)
    made.add(grades)
    return panel, made.spent


def _begun(desk: Desk, one: Stored, me: str, trial: Trial, plan: Plan, stop: Stop, ways: Ways) -> Run:
    prices, metrics = trial.prices.document if trial.prices else None, tuple(trial.gate.get("metrics", ()))
    compiled = bench(trial.suite, metrics, prices, ways.outside)
    asked, sure = trial, ways.certain
    if settings(trial.gate).stop_early:
        ordered = tuple(in_order(trial.suite.cases, one.id))
        asked, sure = replace(trial, suite=replace(trial.suite, cases=ordered)), partial(_certain, trial, ordered)
    return Run(desk=desk, one=one, worker=me, trial=asked, bench=compiled, plan=plan, stopping=stop, certain=sure)


def _certain(trial: Trial, ordered: Sequence[Case], found: Mapping[Key, SampleResult]) -> str:
    """Why no further output can make a pass of it, on the cases that are answered whole in the order they were asked."""
    whole = [case for case in ordered if all(_complete(found, side.arm, case, side.samples) for side in trial.sides)]
    if not whole:
        return ""
    candidate = _arm(trial, found, Arm.CANDIDATE, whole, frozenset())
    two = trial.baseline is not None and trial.baseline.digest != trial.candidate.digest
    baseline = _arm(trial, found, Arm.BASELINE, whole, frozenset()) if two else None
    return certain(trial.gate, trial.suite.cases, candidate, baseline, excused(trial.suite, candidate, baseline))


def _within(plan: Plan, limits: Limits) -> Plan:
    """The plan under the limits of this worker, whichever is less."""
    usd = min(limits.usd, math.inf if plan.max_usd is None else plan.max_usd)
    seconds = min(limits.seconds, math.inf if plan.max_seconds is None else plan.max_seconds)
    return replace(plan, max_usd=usd if math.isfinite(usd) else None, max_seconds=seconds)


def _refuse_wholly_broken(made: Run) -> None:
    """An arm of which no case can be rendered is no run at all: the cause is the version or the suite."""
    for side in made.trial.sides:
        broken = made.broken.get(side.arm, [])
        if broken and len(broken) == sum(side.samples.values()):
            raise broken[0]


def _report(desk: Desk, one: Stored, trial: Trial, made: Run, unfinished: str, judges: _Judges) -> dict[str, Any]:
    """The report on the cases that have all their outputs in every arm: all of them, unless it was stopped."""
    whole = [
        case
        for case in trial.suite.cases
        if all(_complete(made.results, side.arm, case, side.samples) for side in trial.sides)
    ]
    leave = frozenset(case for (_, case, _), one in made.results.items() if one.error)
    candidate = _arm(trial, made.results, Arm.CANDIDATE, whole, leave)
    baseline = None
    if trial.baseline is not None and trial.baseline.digest == trial.candidate.digest:
        baseline = replace(candidate, label=trial.baseline.label)
    elif trial.baseline is not None:
        baseline = _arm(trial, made.results, Arm.BASELINE, whole, leave)
    subject = replace(_subject(desk, one, trial), panel=judges.panel, judge_spend=judges.spend)
    unfinished = "" if made.early else unfinished
    return reports.build(subject, trial.suite, candidate, baseline, unfinished, made.early, made.spend())


def _complete(found: Mapping[Key, SampleResult], arm: Arm, case: Case, samples: Any) -> bool:
    return all((arm, case.id, sample) in found for sample in range(1, samples[case.id] + 1))


def _arm(
    trial: Trial, found: Mapping[Key, SampleResult], arm: Arm, cases: list[Case], leave: frozenset[str]
) -> ArmResult:
    side = next(side for side in trial.sides if side.arm is arm)
    named = trial.candidate if arm is Arm.CANDIDATE or trial.baseline is None else trial.baseline
    repeat = trial.gate.get("repeat", {})
    judged = tuple(
        judge(case, tuple(found[arm, case.id, n] for n in range(1, side.samples[case.id] + 1)), repeat)
        for case in cases
    )
    pinned = str(named.content.settings["model"])
    return sum_up(named.label, named.digest, judged, trial.gate.get("metrics", ()), pinned, leave)


def _subject(desk: Desk, one: Stored, trial: Trial | None = None) -> Subject:
    against = {"version": one.baseline_label, "digest": one.baseline_digest} if one.baseline_label else None
    with reading(desk.registry) as sql:
        suite = trial.suite.name if trial else trials.suite_name(sql, one)
    return Subject(
        prompt=one.prompt,
        label=one.label,
        digest=one.content_digest,
        baseline=against,
        suite=suite,
        suite_digest=one.suite_digest,
        provider=one.provider,
        recorded=one.recorded,
        local=desk.local,
        at=rfc3339(desk.clock()),
        tool_version=__version__,
        gate=trial.gate if trial else None,
        prices_digest=trial.prices.digest if trial and trial.prices else None,
        recordings_digest=trial.recordings_digest if trial else None,
        knowledge=trial.knowledge if trial else (),
        least_cases=LEAST_CASES[trial.tier] if trial else 0,
        judge_alone=trial is None or trial.tier not in NOT_ALONE,
        notes=trial.notes if trial else (),
    )


def _finish_error(desk: Desk, one: Stored, me: str, bad: CuelightError) -> None:
    with suppress(Lost):  # whoever has it now writes the report
        _finish(desk, one, me, EvaluationState.ERROR, reports.build_error(_subject(desk, one), bad))


def _finish(desk: Desk, one: Stored, me: str, state: EvaluationState, report: dict[str, Any]) -> None:
    evidence = digest(reports.evidence(report))
    with act(desk, SYSTEM, Verb.EVALUATION_FINISH, f"{one.prompt}@{one.label}") as work:
        if not store.holds(work.sql, one.id, me):
            raise Lost(f"another worker runs {one.id} now")
        store.finish(work.sql, one.id, state=state, report=report, evidence_digest=evidence, at=work.at_text)
        work.note(evaluation=one.id, state=state.value, verdict=report["verdict"], evidence=evidence)
        outputs = ((row.arm, row.case, row.sample, row.passed, row.document) for row in store.kept(work.sql, one.id))
        work.note(results=sorted_results_digest(outputs))
