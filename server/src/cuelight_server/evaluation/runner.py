"""The run: every case of a suite is put to one or two versions, in threads, until all is answered or it must stop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import date

from cuelight.contract.content import Content
from cuelight.contract.rendering import Renderer
from cuelight_server.evaluation.model import Arm, Case, Suite
from cuelight_server.kernel.errors import Blocked, CuelightError, Invalid
from cuelight_server.providers.port import Completion, CompletionRequest, Provider

Stop = Callable[[], str]  # why the run must stop now; empty while it may go on
Keep = Callable[["Task", Completion], None]  # is given each answer, in the thread that runs the run
Key = tuple[Arm, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One version under test; `samples` says how many outputs each case gets."""

    arm: Arm
    content: Content
    samples: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One output to be made."""

    arm: Arm
    case: Case
    sample: int
    request: CompletionRequest

    @property
    def key(self) -> Key:
        """What an answer is kept under."""
        return self.arm, self.case.id, self.sample


def tasks(suite: Suite, side: Side, today: date, *, recorded: bool) -> Iterator[Task]:
    """Everything to be asked of one version, case by case.

    Versions share a suite: each gets those of its variables that it declares (`unused` names the others). One that is
    missing is Invalid, and so is a case that a context rule refuses. Nothing is rendered for a baseline whose outputs
    are recorded.
    """
    renderer = Renderer(side.content)
    declared = {one.name for one in side.content.declared}
    for case in suite.cases:
        if recorded and side.arm is Arm.BASELINE:
            request = _unrendered(side, case)
        else:
            values = {name: value for name, value in case.input.items() if name in declared}
            request = _request(side, case, renderer, values, today)
        for sample in range(1, side.samples[case.id] + 1):
            yield Task(side.arm, case, sample, replace(request, sample=sample))


def unused(suite: Suite, content: Content) -> list[str]:
    """Inputs of the suite that this content does not declare, and so does not get; sorted."""
    given = set[str]().union(*(case.input for case in suite.cases))
    return sorted(given - {one.name for one in content.declared})


def refuse_broken(suite: Suite, content: Content, today: date) -> None:
    """Invalid where the content cannot be rendered for a case: what stands behind a recording that nobody could make."""
    one_each = dict.fromkeys((case.id for case in suite.cases), 1)
    for _ in tasks(suite, Side(arm=Arm.CANDIDATE, content=content, samples=one_each), today, recorded=True):
        pass


def run(work: Iterator[Task], provider: Provider, keep: Keep, stop: Stop) -> str:
    """Put every task to the provider and hand each answer to `keep`.

    Empty at the end, or why it was stopped. The first error ends the run: calls under way are waited for and kept, and
    the error is raised with its case named.
    """
    if provider.concurrency == 1:
        return _one_by_one(work, provider, keep, stop)
    with ThreadPoolExecutor(provider.concurrency, "evaluation") as pool:
        return _in_threads(work, provider, keep, stop, pool)


def total(sides: Sequence[Side]) -> int:
    """How many outputs the run needs."""
    return sum(count for side in sides for count in side.samples.values())


def _one_by_one(work: Iterator[Task], provider: Provider, keep: Keep, stop: Stop) -> str:
    for task in work:
        why = stop()
        if why:
            return why
        keep(task, _ask(provider, task))
    return ""


def _in_threads(work: Iterator[Task], provider: Provider, keep: Keep, stop: Stop, pool: ThreadPoolExecutor) -> str:
    pending: dict[Future[Completion], Task] = {}
    why = ""
    try:
        while True:
            why = why or stop()
            while not why and len(pending) < provider.concurrency and (task := next(work, None)) is not None:
                pending[pool.submit(_ask, provider, task)] = task
                why = stop()
            if not pending:
                return why
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                keep(pending.pop(future), future.result())
    finally:
        for future, task in pending.items():
            future.cancel()
            if not future.cancelled() and future.exception() is None:
                keep(task, future.result())


def _ask(provider: Provider, task: Task) -> Completion:
    try:
        return provider.complete(task.request)
    except CuelightError as bad:
        if "case" in bad.details:
            raise
        raise type(bad)(f"case {task.case.id}: {bad.message}", bad.hint, case=task.case.id, **bad.details) from bad


def _request(
    side: Side, case: Case, renderer: Renderer, values: Mapping[str, object], today: date
) -> CompletionRequest:
    try:
        rendered = renderer.render(values, today, testing=True)
    except (Invalid, Blocked) as bad:
        raise Invalid(f"case {case.id}, {side.arm.value}: {bad.message}", bad.hint, case=case.id) from bad
    return CompletionRequest(
        content_digest=side.content.digest,
        case=case.id,
        sample=1,
        messages=rendered.messages,
        settings=rendered.settings,
        tools=rendered.tools,
        output=side.content.output,
    )


def _unrendered(side: Side, case: Case) -> CompletionRequest:
    return CompletionRequest(
        content_digest=side.content.digest, case=case.id, sample=1, messages=(), settings=side.content.settings
    )
