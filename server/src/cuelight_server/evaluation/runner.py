"""The run: every case of a suite is put to one or two versions, in threads, until all is answered or it must stop."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol, TypeVar

from cuelight.contract.content import Content
from cuelight.contract.rendering import Renderer
from cuelight_server.evaluation.model import Arm, Case, Suite
from cuelight_server.kernel.errors import Blocked, CuelightError, Invalid
from cuelight_server.providers.port import CompletionRequest

Key = tuple[Arm, str, int]
Made = TypeVar("Made")

_SLOW_S, _SLOW_TIMES, _THREADS = 0.02, 3, 8  # graders that take so long, so often in a row, get threads
_LOOK_S = 0.5  # between two looks at whether the run must stop, while answers are waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One version under test; `samples` says how many outputs each case gets."""

    arm: Arm
    content: Content
    samples: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One output to be made; `trouble` says why it cannot even be asked for."""

    arm: Arm
    case: Case
    sample: int
    request: CompletionRequest
    trouble: CuelightError | None = None

    @property
    def key(self) -> Key:
        """What an answer is kept under."""
        return self.arm, self.case.id, self.sample


def tasks(suite: Suite, side: Side, today: date, *, recorded: bool) -> Iterator[Task]:
    """Everything to be asked of one version, case by case.

    Versions share a suite: each gets those of its variables that it declares (`unused` names the others). Where one is
    missing, or a context rule refuses a case, its tasks carry that as their trouble. Nothing is rendered for a baseline
    whose outputs are recorded.
    """
    renderer = Renderer(side.content)
    declared = {one.name for one in side.content.declared}
    for case in suite.cases:
        request, trouble = _unrendered(side, case), None
        if not (recorded and side.arm is Arm.BASELINE):
            values = {name: value for name, value in case.input.items() if name in declared}
            try:
                request = _request(side, case, renderer, values, today)
            except (Invalid, Blocked) as bad:
                trouble = Invalid(f"case {case.id}, {side.arm.value}: {bad.message}", bad.hint, case=case.id)
        for sample in range(1, side.samples[case.id] + 1):
            yield Task(side.arm, case, sample, replace(request, sample=sample), trouble)


def in_turns(sides: Sequence[Iterator[Task]]) -> Iterator[Task]:
    """One task of each side after the other: what changes at the provider in the meantime changes for both."""
    left = list(sides)
    while left:
        for one in tuple(left):
            task = next(one, None)
            if task is None:
                left.remove(one)
            else:
                yield task


def unused(suite: Suite, content: Content) -> list[str]:
    """Inputs of the suite that this content does not declare, and so does not get; sorted."""
    given = set[str]().union(*(case.input for case in suite.cases))
    return sorted(given - {one.name for one in content.declared})


def refuse_broken(suite: Suite, content: Content, today: date) -> None:
    """Invalid where the content cannot be rendered for a case: what stands behind a recording that nobody could make."""
    one_each = dict.fromkeys((case.id for case in suite.cases), 1)
    for one in tasks(suite, Side(arm=Arm.CANDIDATE, content=content, samples=one_each), today, recorded=True):
        if one.trouble is not None:
            raise one.trouble


class Crew(Protocol[Made]):
    """What a run is done by. `threads` is how many outputs are made at once; `widens` that slow graders may have more."""

    threads: int
    widens: bool

    def stop(self) -> str:
        """Why the run must stop now; empty while it may go on. An error ends it at once."""

    def admit(self, task: Task) -> str:
        """Which limit stands in the way of this now; empty where it may be made."""

    def make(self, task: Task) -> Made:
        """Ask and grade: in any thread."""

    def keep(self, made: Sequence[Made]) -> None:
        """Keep what was made: in the thread that runs the run."""


def run(work: Iterator[Task], crew: Crew[Made]) -> str:
    """Make every output and keep it; empty at the end, or why it was stopped.

    When it stops or an error is raised, what is under way is waited for and kept. A task that is not admitted waits for
    those under way; where there is none any more, it was stopped by that limit.
    """
    if crew.threads == 1:
        why = _one_by_one(work, crew)
        if why is not None:
            return why
    threads = max(crew.threads, _THREADS if crew.widens else 1)
    with ThreadPoolExecutor(threads, "evaluation") as pool:
        return _in_threads(work, crew, pool, threads)


def total(sides: Sequence[Side]) -> int:
    """How many outputs the run needs."""
    return sum(count for side in sides for count in side.samples.values())


def _one_by_one(work: Iterator[Task], crew: Crew[Made]) -> str | None:
    """As `run`; None where graders are so slow that the rest is better done in threads."""
    slow = 0
    for task in work:
        why = crew.stop() or crew.admit(task)
        if why:
            return why
        begun = time.monotonic()
        made = crew.make(task)
        slow = slow + 1 if time.monotonic() - begun > _SLOW_S else 0
        crew.keep([made])
        if crew.widens and slow >= _SLOW_TIMES:
            return None
    return ""


def _in_threads(work: Iterator[Task], crew: Crew[Made], pool: ThreadPoolExecutor, threads: int) -> str:
    pending = set[Future[Made]]()
    held, why, limit = None, "", ""
    try:
        while True:
            why = why or crew.stop()
            while not why and len(pending) < threads and (task := held or next(work, None)) is not None:
                limit = crew.admit(task)
                held = task if limit else None
                if limit:
                    break
                pending.add(pool.submit(crew.make, task))
                why = crew.stop()
            if not pending:
                return why or limit
            done, pending = wait(pending, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            _keep(done, crew)
    finally:
        for future in pending:
            future.cancel()
        wait(pending)
        crew.keep([one.result() for one in pending if not one.cancelled() and one.exception() is None])


def _keep(done: set[Future[Made]], crew: Crew[Made]) -> None:
    """Keep every answer that came, and only then raise what one of the others met."""
    crew.keep([one.result() for one in done if one.exception() is None])
    for one in done:
        one.result()


def _request(
    side: Side, case: Case, renderer: Renderer, values: Mapping[str, object], today: date
) -> CompletionRequest:
    rendered = renderer.render(values, today, testing=True)
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
