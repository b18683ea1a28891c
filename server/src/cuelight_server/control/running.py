"""One run under way: answers are asked for within its limits, graded, and written down before more is asked."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from cuelight_server.control.desk import Desk
from cuelight_server.control.lease import Lost
from cuelight_server.control.trial import Trial
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.evaluation.budget import Budget, Spend
from cuelight_server.evaluation.caching import cache_key, from_json, to_text
from cuelight_server.evaluation.costs import cost_usd, most_usd
from cuelight_server.evaluation.model import Arm, Case, Grade, Json, SampleResult
from cuelight_server.evaluation.plan import KEPT_DAYS, Plan
from cuelight_server.evaluation.results import (
    Bench,
    answer_of,
    no_output,
    passed,
    result,
    slim,
    to_json,
    used_by,
    with_grades,
    words_of,
)
from cuelight_server.evaluation.runner import Key, Task, in_turns, tasks, total
from cuelight_server.evaluation.store import Stored, StoredResult
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import CuelightError, Unavailable
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.providers import ENDS_A_RUN, Provider
from cuelight_server.providers.port import Completion, CompletionRequest

SHUTDOWN = "the desk was shut down"
HOPELESS = 10  # calls that all fail, before any is answered: then nobody is there
_BATCH_RECORDED, _BATCH_LIVE = 1000, 1  # outputs kept in one write; what a model was paid for is written at once
_LOOK_EVERY_RECORDED = 500  # outputs between two looks at whether somebody cancelled
MOST_CACHED = 512 * 1024 * 1024  # characters
_LOOKS = 200  # times in a run that it is asked whether it need go on
JUDGE = "judge"

Stop = Callable[[], bool]
Certain = Callable[[Mapping[Key, SampleResult]], str]  # why no further output can make a pass of it, or nothing


def never_certain(_found: Mapping[Key, SampleResult]) -> str:
    """Every output is asked for."""
    return ""


@dataclass(frozen=True, slots=True)
class Made:
    """One output, graded: as the run holds it and as it is written down."""

    key: Key
    result: SampleResult
    row: StoredResult


@dataclass(slots=True, kw_only=True)
class Run:
    """A crew (see `evaluation.runner`) for one evaluation on one desk."""

    desk: Desk
    one: Stored
    worker: str
    trial: Trial
    bench: Bench
    plan: Plan
    stopping: Stop
    certain: Certain = never_certain
    early: str = ""
    spent: str = ""  # the limit that left no room for a judge
    results: dict[Key, SampleResult] = field(default_factory=dict)
    broken: dict[Arm, list[CuelightError]] = field(default_factory=dict)
    budget: Budget = field(init=False)
    threads: int = field(init=False)
    widens: bool = field(init=False)
    total: int = field(init=False)
    _waiting: list[StoredResult] = field(default_factory=list)
    _standing_in: dict[Key, Completion] = field(default_factory=dict)
    _before: int = 0
    _looks: int = 0
    _answered: bool = False
    _last_error: CuelightError | None = None

    def __post_init__(self) -> None:
        """Begin the clock, with what earlier starts have spent."""
        spent = Spend(**json.loads(self.one.spend)) if self.one.spend else Spend()
        began, before = self.desk.clock(), spent.seconds
        self.budget = Budget(self.plan, spent, lambda: before + (self.desk.clock() - began).total_seconds())
        self.threads, self.widens = self.trial.provider.concurrency, self.trial.provider.recorded
        self.total = total(self.trial.sides)

    @property
    def live(self) -> bool:
        """Whether somebody is paid."""
        return not self.trial.provider.recorded

    def work(self) -> Iterator[Task]:
        """What an earlier start of this run has not answered, the arms in turns; what it has is graded at once."""
        cases = {case.id: case for case in self.trial.suite.cases}
        with reading(self.desk.registry) as sql:
            for row in store.kept(sql, self.one.id):
                if "error" not in row.document:
                    self._take((Arm(row.arm), row.case, row.sample), cases[row.case], row.document)
        self._before, self._answered = len(self.results), bool(self.results)
        today = self.desk.clock().date()
        sides = [tasks(self.trial.suite, one, today, recorded=not self.live) for one in self.trial.sides]
        return (task for task in in_turns(sides) if task.key not in self.results)

    def stop(self) -> str:
        """Why the run must stop now. Whoever was never answered at all raises what the last call met."""
        spend = self.budget.spend
        if self._last_error is not None and not self._answered and spend.errors >= HOPELESS:
            words = f"the first {spend.errors} calls all failed; the last: {self._last_error.message}"
            raise Unavailable(words, self._last_error.hint)
        if self.stopping():
            return SHUTDOWN
        why = self._cancelled() or self.budget.late() or self.spent
        return f"{why} with {len(self.results)} of {self.total} outputs" if why else self.early

    def admit(self, task: Task) -> str:
        """Which limit stands in the way; an answer that stands in needs none."""
        if task.trouble is not None or not self.live:
            return ""
        known = self._known(self._key_of(self.trial.provider, task.request))
        if known is not None:
            self._standing_in[task.key] = known
            return ""
        limit = self.budget.reserve(self._most(task.request))
        return f"stopped at {limit} with {len(self.results)} of {self.total} outputs" if limit else ""

    def make(self, task: Task) -> Made:
        """Ask, write the answer down, and grade it. What one case meets is its own; a wrong setting ends the run."""
        try:
            if task.trouble is not None:
                self.broken.setdefault(task.arm, []).append(task.trouble)
                raise task.trouble
            answer = self._answer(task)
        except ENDS_A_RUN as bad:
            raise _of_case(task, bad) from bad
        except CuelightError as bad:
            if not self.live and task.trouble is None:
                raise _of_case(task, bad) from bad
            return _made(task.arm, no_output(self.bench, task.case, task.sample, bad.message))
        try:
            graded = result(self.bench, task.case, task.sample, answer, self._tools(task.arm))
        except CuelightError as bad:
            graded = no_output(self.bench, task.case, task.sample, bad.message)
        return _made(task.arm, graded)

    def keep(self, made: Sequence[Made]) -> None:
        """Hold the results, and write them down when there is a batch."""
        for one in made:
            self.results[one.key] = one.result
            self._waiting.append(one.row)
        if len(self._waiting) >= (_BATCH_LIVE if self.live else _BATCH_RECORDED):
            self.flush()
            if self.live and not self.early and len(self.results) % max(1, self.total // _LOOKS) == 0:
                self.early = self.certain(self.results)

    def flush(self) -> None:
        """Write down what waits, how far the run is and what it cost. Lost where it is another worker's by now."""
        at = rfc3339(self.desk.clock())
        with operational(self.desk.registry) as sql:
            if not store.renew(sql, self.one.id, self.worker, at):
                raise Lost(f"another worker runs {self.one.id} now")
            store.keep_results(sql, self.one.id, self._waiting)
            spend = json.dumps(self.progress())
            store.progress(sql, self.one.id, EvaluationState.RUNNING, len(self.results), self.total, spend)
        self._waiting.clear()

    def progress(self) -> dict[str, Any]:
        """What was spent so far."""
        self.budget.spend.seconds = self.budget.seconds()
        return self.budget.spend.to_json()

    def spend(self) -> dict[str, Any]:
        """What the report says of it: nothing that differs from one run on the same outputs to the next."""
        limits = {"usd": self.plan.max_usd, "calls": self.plan.max_calls, "seconds": self.plan.max_seconds}
        told = {name: value for name, value in self.budget.spend.to_json().items() if name != "seconds"}
        return {**told, "limit": {name: value for name, value in limits.items() if value is not None}}

    def forget(self) -> None:
        """Drop answers that are too old or too many."""
        if not self.live:
            return
        before = rfc3339(self.desk.clock() - timedelta(days=KEPT_DAYS))
        with operational(self.desk.registry) as sql:
            store.forget_answers(sql, before, MOST_CACHED)

    def ask(self, provider: Provider, request: CompletionRequest, arm: str) -> Completion:
        """One answer within the run's limits, out of the cache where it stands in: for graders that ask a model."""
        known = self._known(self._key_of(provider, request))
        if known is not None:
            self.budget.cached(arm)
            return known
        most = self._most(request)
        limit = self.budget.reserve(most)
        if limit:
            self.spent = f"stopped at {limit}"
            raise Unavailable(self.spent, "raise the limit, or leave it out")
        return self._paid(provider, request, most, judge=True)

    def ask_judge(self, provider: Provider, request: CompletionRequest) -> Completion:
        """What graders ask of a model: within the limits of this run and at its cost."""
        return self.ask(provider, request, JUDGE)

    def text_of(self, place: Key) -> str:
        """An output as it was written down: results in memory hold only the beginning of it."""
        arm, case, sample = place
        with reading(self.desk.registry) as sql:
            found = store.results_of_case(sql, self.one.id, case)
        return next((str(one.document["output"]) for one in found if (one.arm, one.sample) == (arm.value, sample)), "")

    def add(self, grades: Mapping[Key, Sequence[Grade]]) -> None:
        """More grades of outputs that are written down already, which are written down with them."""
        for place, more in grades.items():
            arm, case, sample = place
            self.results[place] = replace(self.results[place], grades=(*self.results[place].grades, *more))
            with reading(self.desk.registry) as sql:
                found = store.results_of_case(sql, self.one.id, case)
            row = next(one for one in found if (one.arm, one.sample) == (arm.value, sample))
            document = with_grades(row.document, more)
            self._waiting.append(replace(row, passed=passed(self.results[place]), document=document))
        self.flush()

    def _answer(self, task: Task) -> Completion:
        provider = self.trial.provider
        if not self.live:
            return provider.complete(task.request)
        known = self._standing_in.pop(task.key, None)
        if known is not None:
            self.budget.cached(task.arm.value)
            return known
        return self._paid(provider, task.request, self._most(task.request))

    def _paid(
        self, provider: Provider, request: CompletionRequest, most: float | None, *, judge: bool = False
    ) -> Completion:
        """One call for which `most` was kept back; the answer is on disk before anything else is done with it."""
        usd, error = None, True
        try:
            answer = provider.complete(replace(request, most_s=self.budget.left_s(), again=self.budget.again))
            usd, error = cost_usd(self.bench.prices, answer.model, used_by(answer)), False
        except CuelightError as bad:
            self._last_error = self._last_error if judge else bad  # a judge that is away ends no run
            raise
        finally:
            self.budget.settle(most, usd, error=error and not judge)
        self._answered = self._answered or not judge
        key = self._key_of(provider, request)
        if key:
            at = rfc3339(self.desk.clock())
            with operational(self.desk.registry) as sql:
                store.keep_answer(sql, key, to_text(answer), at)
        return answer

    def _known(self, key: str) -> Completion | None:
        """An answer that stands in: of any run where old ones may, else of this run alone."""
        if not key:
            return None
        days = self.plan.max_age_days if self.plan.cache else KEPT_DAYS
        since = rfc3339(self.desk.clock() - timedelta(days=days))
        with reading(self.desk.registry) as sql:
            found = store.answer(sql, key, since)
        return None if found is None else from_json(found)

    def _key_of(self, provider: Provider, request: CompletionRequest) -> str:
        if not provider.adapter:
            return ""
        return cache_key(request, provider.adapter, "" if self.plan.cache else self.one.id)

    def _most(self, request: CompletionRequest) -> float | None:
        if self.plan.max_usd is None:
            return None
        asked = json.dumps([list(request.messages), list(request.tools), request.output], ensure_ascii=False)
        model, most = str(request.settings.get("model", "")), request.settings.get("max_output_tokens")
        return most_usd(self.bench.prices, model, len(asked.encode(errors="replace")), most)

    def _cancelled(self) -> str:
        self._looks += 1
        if not self.live and self._looks % _LOOK_EVERY_RECORDED != 1:
            return ""
        with reading(self.desk.registry) as sql:
            by = store.cancelled_by(sql, self.one.id)
        return f"cancelled by {by}" if by else ""

    def _take(self, key: Key, case: Case, document: Json) -> None:
        """Grade what was kept; judges whose word was kept are not asked again."""
        arm, _, sample = key
        answer, known = answer_of(document), words_of(document)
        self.results[key] = slim(result(self.bench, case, sample, answer, self._tools(arm), known))

    def _tools(self, arm: Arm) -> tuple[Json, ...]:
        return next(tuple(side.content.tools) for side in self.trial.sides if side.arm is arm)


def _made(arm: Arm, one: SampleResult) -> Made:
    row = StoredResult(arm=arm.value, case=one.case, sample=one.sample, passed=passed(one), document=to_json(one))
    return Made((arm, one.case, one.sample), slim(one), row)


def _of_case(task: Task, bad: CuelightError) -> CuelightError:
    if "case" in bad.details:
        return bad
    return type(bad)(f"case {task.case.id}: {bad.message}", bad.hint, case=task.case.id, **bad.details)
