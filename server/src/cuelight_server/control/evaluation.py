"""Evaluating a version: asked for through the door, run by the worker, and its outcome written through the door."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server import __version__
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import judging, lease
from cuelight_server.control import trial as trials
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.control.lease import MOST_STARTS, Lost
from cuelight_server.control.trial import PRODUCTION, Providers, Trial
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import report as reports
from cuelight_server.evaluation import store
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.outside import NOTHING_OUTSIDE, Outside
from cuelight_server.evaluation.judges import Panel
from cuelight_server.evaluation.model import Arm, ArmResult, Case, SampleResult
from cuelight_server.evaluation.report import Subject
from cuelight_server.evaluation.results import Bench, answer_of, bench, passed, result, to_json, words_of
from cuelight_server.evaluation.runner import Key, Task, run, tasks, total
from cuelight_server.evaluation.scoring import judge, sum_up
from cuelight_server.evaluation.seal import results_digest
from cuelight_server.evaluation.store import Stored, StoredResult
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import CuelightError, Unavailable
from cuelight_server.kernel.judges import NOT_ALONE
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.kernel.tiers import LEAST_CASES
from cuelight_server.providers.port import Completion

__all__ = ["NOTHING_OUTSIDE", "Limits", "Outside", "Providers", "abandon", "requeue", "run_pending", "start"]

_SHUTDOWN = "the desk was shut down"
_BATCH_RECORDED, _BATCH_LIVE = 1000, 8  # outputs kept in one write: what a crash may cost

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends by itself: seconds on the desk's clock, and USD where prices are known."""

    seconds: float = 6 * 3600
    usd: float = float("inf")


@dataclass(frozen=True, slots=True)
class Means:
    """What a run may reach: who answers, and what graders need from outside of the process."""

    providers: Providers
    outside: Outside = NOTHING_OUTSIDE


def start(desk: Desk, actor: Actor, prompt: str, label: str, provider: str, baseline: str = PRODUCTION) -> str:
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
        )
        store.save(work.sql, new)
        work.note(evaluation=new.id, content=new.content_digest, suite=new.suite_digest, provider=provider)
        work.note(baseline=new.baseline_digest)
        return new.id


def run_pending(
    desk: Desk,
    providers: Providers,
    stop: Stop = lambda: False,
    limits: Limits = Limits(),
    worker: str = "",
    outside: Outside = NOTHING_OUTSIDE,
) -> bool:
    """Run the evaluation that has waited longest; False when none waits.

    Whatever goes wrong on the way is its outcome: state `error`, inconclusive. When `stop` says so it waits again, and
    what was answered stays answered. `worker` is whose lease it is while it runs; left out, it is somebody new. `outside`
    is what graders may ask; judges they ask through the providers.
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
            _evaluate(desk, Means(providers, outside), one, me, stop, limits)
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


@dataclass(slots=True)
class _Notebook:
    """What a run has so far: results by output, and those not yet written down."""

    desk: Desk
    id: str
    worker: str
    bench: Bench
    total: int
    batch: int
    asked: judging.Asked
    outside: Outside
    tools: Mapping[Arm, tuple[Any, ...]] = field(default_factory=dict)
    results: dict[Key, SampleResult] = field(default_factory=dict)
    waiting: list[StoredResult] = field(default_factory=list)
    usd: float = 0.0

    def keep(self, task: Task, answer: Completion) -> None:
        """Grade an answer, and write down a batch when there is one."""
        one = self.take(task.key, task.case, answer)
        self.usd += one.cost_usd or 0.0
        self.waiting.append(_stored_result(task.arm, one))
        if len(self.waiting) >= self.batch:
            self.flush()

    def take(self, key: Key, case: Case, answer: Completion, known: Mapping[str, Outcome] = {}) -> SampleResult:
        """Grade an answer that need not be written down; `known` are words of judges on it that were kept."""
        self.results[key] = result(self.bench, case, key[2], answer, self.tools.get(key[0], ()), known)
        return self.results[key]

    def flush(self) -> None:
        """Write down what waits, and how far the run is. Lost where it is another worker's by now."""
        at = rfc3339(self.desk.clock())
        with operational(self.desk.registry) as sql:
            if not store.renew(sql, self.id, self.worker, at):
                raise Lost(f"another worker runs {self.id} now")
            store.keep_results(sql, self.id, self.waiting)
            store.progress(sql, self.id, EvaluationState.RUNNING, len(self.results), self.total)
        self.waiting.clear()


def _evaluate(desk: Desk, means: Means, one: Stored, me: str, stop: Stop, limits: Limits) -> None:
    with reading(desk.registry) as sql:
        trial = trials.gather(desk, sql, one, means.providers)
        before = {(Arm(row.arm), row.case, row.sample): row for row in store.kept(sql, one.id)}
    asked = judging.Asked(means.providers, trial.prices.document if trial.prices else None)
    made = _notebook(desk, one, me, trial, asked, replace(means.outside, judge=asked))
    work = _fresh(trial, made, before, _tasks(desk, trial))
    made.flush()
    why = _stop(desk, made, stop, limits)
    unfinished = run(work, trial.provider, made.keep, why)
    made.flush()
    panel, unfinished = _panel(trial, made, why, unfinished)
    if unfinished == _SHUTDOWN:
        with operational(desk.registry) as sql:
            store.requeue(sql, one.id, me, orderly=True)
        return
    _finish(desk, one, me, EvaluationState.DONE, _report(desk, one, trial, made, unfinished, panel))


def _panel(trial: Trial, made: _Notebook, stop: Callable[[], str], unfinished: str) -> tuple[Panel, str]:
    """What judges say once all is answered; nothing where the run was stopped, before or meanwhile."""
    if unfinished:
        return Panel(), unfinished
    try:
        panel, changed = judging.panel(trial, made.bench, made.results, made.outside, stop)
    except judging.Stopped as stopped:
        return Panel(), str(stopped)
    made.waiting += [_stored_result(place[0], made.results[place]) for place in changed]
    made.flush()
    return panel, ""


def _notebook(desk: Desk, one: Stored, me: str, trial: Trial, asked: judging.Asked, outside: Outside) -> _Notebook:
    prices = trial.prices.document if trial.prices else None
    compiled = bench(trial.suite, tuple(trial.gate.get("metrics", ())), prices, outside)
    batch = _BATCH_RECORDED if trial.provider.concurrency == 1 else _BATCH_LIVE
    tools = {side.arm: tuple(side.content.tools) for side in trial.sides}
    return _Notebook(desk, one.id, me, compiled, total(trial.sides), batch, asked, outside, tools)


def _tasks(desk: Desk, trial: Trial) -> Iterator[Task]:
    today = desk.clock().date()
    for side in trial.sides:
        yield from tasks(trial.suite, side, today, recorded=trial.provider.recorded)


def _fresh(trial: Trial, made: _Notebook, before: dict[Key, StoredResult], work: Iterable[Task]) -> Iterator[Task]:
    """The tasks that an earlier start of this run has not answered; the answers it has are graded at once."""
    cases = {case.id: case for case in trial.suite.cases}
    for (arm, case, sample), row in before.items():
        made.take((arm, case, sample), cases[case], answer_of(row.document), words_of(row.document))
    return (task for task in work if task.key not in before)


def _stop(desk: Desk, made: _Notebook, stop: Stop, limits: Limits) -> Callable[[], str]:
    began = desk.clock()

    def why() -> str:
        if stop():
            return _SHUTDOWN
        if (desk.clock() - began).total_seconds() > limits.seconds:
            return f"stopped at the limit of {limits.seconds:g} s with {len(made.results)} of {made.total} outputs"
        if made.usd + made.asked.usd > limits.usd:
            return f"stopped at the limit of ${limits.usd:g} with {len(made.results)} of {made.total} outputs"
        return ""

    return why


def _report(desk: Desk, one: Stored, trial: Trial, made: _Notebook, unfinished: str, panel: Panel) -> dict[str, Any]:
    """The report on the cases that have all their outputs in every arm: all of them, unless it was stopped."""
    whole = [
        case for case in trial.suite.cases if all(_complete(made, side.arm, case, side.samples) for side in trial.sides)
    ]
    candidate = _arm(trial, made, Arm.CANDIDATE, whole)
    baseline = None
    if trial.baseline is not None and trial.baseline.digest == trial.candidate.digest:
        baseline = replace(candidate, label=trial.baseline.label)
    elif trial.baseline is not None:
        baseline = _arm(trial, made, Arm.BASELINE, whole)
    subject = replace(_subject(desk, one, trial), panel=panel, judge_spend=made.asked.spend())
    return reports.build(subject, trial.suite, candidate, baseline, unfinished)


def _complete(made: _Notebook, arm: Arm, case: Case, samples: Any) -> bool:
    return all((arm, case.id, sample) in made.results for sample in range(1, samples[case.id] + 1))


def _arm(trial: Trial, made: _Notebook, arm: Arm, cases: list[Case]) -> ArmResult:
    side = next(side for side in trial.sides if side.arm is arm)
    named = trial.candidate if arm is Arm.CANDIDATE or trial.baseline is None else trial.baseline
    repeat = trial.gate.get("repeat", {})
    judged = tuple(
        judge(case, tuple(made.results[arm, case.id, n] for n in range(1, side.samples[case.id] + 1)), repeat)
        for case in cases
    )
    pinned = str(named.content.settings["model"])
    return sum_up(named.label, named.digest, judged, trial.gate.get("metrics", ()), pinned)


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
        work.note(results=results_digest(outputs))


def _stored_result(arm: Arm, one: SampleResult) -> StoredResult:
    return StoredResult(arm=arm.value, case=one.case, sample=one.sample, passed=passed(one), document=to_json(one))
