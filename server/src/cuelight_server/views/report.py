"""What one can see of a report: the runs of every prompt in sight, and the outputs of one case side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.schema import evaluation as table
from cuelight_server.evaluation import store
from cuelight_server.evaluation.model import Arm
from cuelight_server.evaluation.store import StoredResult
from cuelight_server.evaluation.written.beside import Piece, beside, readable
from cuelight_server.kernel.cases import whole_input
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.kernel.sight import EVERYTHING, Sight, place_of
from cuelight_server.prompts import store as prompts
from cuelight_server.views.evaluation import EvaluationView, show


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One evaluation in a list; `verdict` is None until it has ended."""

    id: str
    prompt: str
    label: str
    baseline: str | None
    state: str
    verdict: str | None
    done: int
    total: int
    actor: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One sample of a case: what each version answered, None where it did not, and both word by word.

    JSON is laid out anew for the comparison; the outputs themselves are as they came.
    """

    sample: int
    candidate: Mapping[str, Any] | None
    baseline: Mapping[str, Any] | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSeen:
    """One case of an evaluation with everything that was answered. `row` is the report's, empty before there is one."""

    evaluation: EvaluationView
    id: str
    title: str
    category: str
    input: Mapping[str, Any]
    label: Mapping[str, Any] | None
    expected: tuple[str, ...]
    row: Mapping[str, Any]
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """The case as it goes over the wire."""
        made = asdict(self)
        made["evaluation"] = self.evaluation.line.id
        return made


def recent(
    desk: Desk, sight: Sight = EVERYTHING, prompt: str = "", after: str | None = None, size: int = DEFAULT_SIZE
) -> Page[Run]:
    """The evaluations in sight, newest first, of one prompt where it is named; Unseen for one that is not there."""
    columns = table.c
    query = select(*(columns[name] for name in _LISTED)).order_by(columns.id.desc())
    if prompt:
        sight.enter(prompt)
        query = query.where(columns.prompt == prompt)
    if not sight.everything:
        places = [columns.prompt.startswith(f"{one}.", autoescape=True) for one in sorted(sight.workflows)]
        query = query.where(or_(*places) if places else columns.id.is_(None))
    if after:
        query = query.where(columns.id < after)
    with reading(desk.registry) as sql:
        found = sql.execute(query.limit(checked_size(size) + 1)).all()
    return page_of([_run(row) for row in found], size, lambda one: one.id)


def case(desk: Desk, id: str, case: str, sight: Sight = EVERYTHING) -> CaseSeen:
    """One case of one evaluation, both versions side by side; NotFound."""
    seen = show(desk, id, sight)
    with reading(desk.registry) as sql:
        suite = _suite(sql, seen)
        if case not in suite.cases:
            raise NotFound(f"the evaluation {id} has no case {case}", "see its report for those that there are")
        return _case(sql, seen, suite, case)


def cases(desk: Desk, seen: EvaluationView, wanted: Sequence[str]) -> tuple[CaseSeen, ...]:
    """Several cases of an evaluation that was shown already, in the order wanted; those that it does not have are left out."""
    with reading(desk.registry) as sql:
        suite = _suite(sql, seen)
        return tuple(_case(sql, seen, suite, one) for one in wanted if one in suite.cases)


@dataclass(frozen=True, slots=True)
class _Suite:
    """The suite as it was when this was measured; empty before there is a report that names it."""

    document: Mapping[str, Any]
    cases: Mapping[str, Mapping[str, Any]]


def _suite(sql: Connection, seen: EvaluationView) -> _Suite:
    name = ((seen.report or {}).get("suite") or {}).get("name", "")
    found = prompts.suite_by_digest(sql, place_of(seen.line.prompt), name, seen.line.suite_digest)
    document = found.document if found else {}
    return _Suite(document, {one["id"]: one for one in document.get("cases", ())})


def _case(sql: Connection, seen: EvaluationView, suite: _Suite, case: str) -> CaseSeen:
    known = suite.cases[case]
    rows = (seen.report or {}).get("case_table") or ()
    return CaseSeen(
        evaluation=seen,
        id=case,
        title=known["title"],
        category=known["category"],
        input=whole_input(known, suite.document),
        label=known.get("label"),
        expected=tuple(known.get("expected", ())),
        row=next((row for row in rows if row["id"] == case), {}),
        pairs=_pairs(store.results_of_case(sql, seen.line.id, case)),
    )


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        prompt=row.prompt,
        label=row.label,
        baseline=row.baseline_label,
        state=row.state,
        verdict=row.verdict,
        done=row.done,
        total=row.total,
        actor=row.actor,
        created_at=row.created_at,
    )


def _pairs(outputs: list[StoredResult]) -> tuple[Pair, ...]:
    by = {(one.arm, one.sample): one.document for one in outputs}
    samples = sorted({sample for _, sample in by})
    return tuple(
        _pair(sample, by.get((Arm.CANDIDATE.value, sample)), by.get((Arm.BASELINE.value, sample))) for sample in samples
    )


def _pair(sample: int, candidate: Mapping[str, Any] | None, baseline: Mapping[str, Any] | None) -> Pair:
    before, after = (readable(one["output"]) if one else "" for one in (baseline, candidate))
    pieces = beside(before, after) if candidate and baseline else ()
    return Pair(sample=sample, candidate=candidate, baseline=baseline, pieces=pieces)


_LISTED = ("id", "prompt", "label", "baseline_label", "state", "verdict", "done", "total", "actor", "created_at")
