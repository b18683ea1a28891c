"""Where evaluations and their results are kept."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, delete, func, insert, or_, select, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.db.schema import answer_cache, evaluation, evaluation_result
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.page import Page, checked_size, page_of
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.kernel.verdict import Verdict

NO_MODEL = frozenset({"recorded", "echo"})  # the providers that ask no model
_MOST_OF_A_CASE = 2_000
_MOST_RUNNING = 200
_AT_A_TIME = 500  # outputs read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One evaluation as it is kept. Times are RFC 3339; `report` is there once it is finished."""

    id: str
    prompt: str
    label: str
    content_digest: str
    baseline_label: str | None
    baseline_digest: str | None
    suite_digest: str
    provider: str
    state: EvaluationState
    done: int
    total: int
    verdict: Verdict | None
    evidence_digest: str | None
    report: dict[str, Any] | None
    actor: str
    created_at: str
    finished_at: str | None
    attempts: int = 0  # starts without an end
    worker: str | None = None  # whose lease it is while it runs
    heartbeat_at: str | None = None  # when the lease was renewed
    plan: str | None = None  # limits, repeats and cache as they were asked for
    spend: str | None = None  # what it has cost so far
    cancelled_by: str | None = None
    cancelled_at: str | None = None

    @property
    def recorded(self) -> bool:
        """Whether no model was asked: such a report releases on a demo desk only."""
        return is_recorded(self.provider)


def is_recorded(provider: str) -> bool:
    """Whether a provider of this name asks no model."""
    return provider in NO_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """One output of one case in one arm, with its grades in `document`."""

    arm: str
    case: str
    sample: int
    passed: bool
    document: dict[str, Any]


def save(sql: Connection, new: Stored) -> None:
    """Write a new evaluation."""
    row = {name: getattr(new, name) for name in new.__slots__}
    sql.execute(insert(evaluation).values({**row, "state": new.state.value, "verdict": None, "report": None}))


def load(sql: Connection, id: str) -> Stored | None:
    """The evaluation, or None."""
    row = sql.execute(select(evaluation).where(evaluation.c.id == id)).one_or_none()
    return None if row is None else _stored(row)


def oldest_queued(sql: Connection) -> Stored | None:
    """The evaluation that has waited longest; one that was cancelled in the meantime comes first."""
    waiting = _in_state(EvaluationState.QUEUED).order_by(None)
    order = (evaluation.c.cancelled_at.is_(None), evaluation.c.created_at, evaluation.c.id)
    return _first(sql, waiting.order_by(*order))


def running(sql: Connection, worker: str | None = None) -> list[str]:
    """Ids of those that say they are running, at most 200; of one worker only, where one is named ("" is nobody)."""
    query = select(evaluation.c.id).where(evaluation.c.state == EvaluationState.RUNNING.value)
    if worker is not None:
        query = query.where(_of(worker))
    return list(sql.scalars(query.limit(_MOST_RUNNING)))


def newest(sql: Connection, prompt: str, after: str | None, size: int) -> Page[Stored]:
    """A prompt's evaluations, newest first; ids sort by time, and the cursor is one. Reports are left out."""
    query = select(evaluation).where(evaluation.c.prompt == prompt).order_by(evaluation.c.id.desc())
    if after is not None:
        query = query.where(evaluation.c.id < after)
    found = sql.execute(query.limit(checked_size(size) + 1)).all()
    return page_of([_stored(row) for row in found], size, lambda one: one.id)


def newest_finished(
    sql: Connection, prompt: str, content_digest: str, suite_digest: str, baseline_digest: str | None
) -> Stored | None:
    """The newest finished evaluation of exactly this content on this suite against this baseline, or None."""
    return _first(sql, _finished(prompt, content_digest, suite_digest, baseline_digest))


def newest_passing(
    sql: Connection, prompt: str, content_digest: str, suite_digest: str, baseline_digest: str | None
) -> Stored | None:
    """The newest of them that passed, or None."""
    passed = (evaluation.c.state == EvaluationState.DONE.value, evaluation.c.verdict == Verdict.PASS.value)
    return _first(sql, _finished(prompt, content_digest, suite_digest, baseline_digest).where(*passed))


def runs(
    sql: Connection, prompt: str, content_digest: str, suite_digest: str, baseline_digest: str | None
) -> tuple[int, int]:
    """(how many of them passed, how many there are)."""
    asked = _finished(prompt, content_digest, suite_digest, baseline_digest).order_by(None)
    table = asked.with_only_columns(evaluation.c.verdict).subquery()
    found = select(func.count(), func.count().filter(table.c.verdict == Verdict.PASS.value)).select_from(table)
    every, passed = sql.execute(found).one()
    return passed, every


def progress(sql: Connection, id: str, state: EvaluationState, done: int, total: int, spend: str | None = None) -> None:
    """Operational: how far the run is, and what it has cost where that is said."""
    values = {"state": state.value, "done": done, "total": total, **({"spend": spend} if spend else {})}
    sql.execute(update(evaluation).where(evaluation.c.id == id).values(values))


def cancel(sql: Connection, id: str, by: str, at: str) -> bool:
    """Governed: it ends before it is done; False where it has ended already, or somebody was first."""
    open_ = (evaluation.c.id == id, evaluation.c.finished_at.is_(None), evaluation.c.cancelled_by.is_(None))
    return sql.execute(update(evaluation).where(*open_).values(cancelled_by=by, cancelled_at=at)).rowcount == 1


def cancelled_by(sql: Connection, id: str) -> str | None:
    """Who cancelled it, if anybody did."""
    found: str | None = sql.execute(select(evaluation.c.cancelled_by).where(evaluation.c.id == id)).scalar_one_or_none()
    return found


def claim(sql: Connection, id: str, worker: str = "", at: str = "") -> bool:
    """Operational: it runs from now on, in the hands of this worker; False where somebody else was first."""
    waiting = (evaluation.c.id == id, evaluation.c.state == EvaluationState.QUEUED.value)
    lease = {"worker": worker, "heartbeat_at": at, "attempts": evaluation.c.attempts + 1}
    made = update(evaluation).where(*waiting).values(state=EvaluationState.RUNNING.value, **lease)
    return sql.execute(made).rowcount == 1


def renew(sql: Connection, id: str, worker: str, at: str) -> bool:
    """Operational: its worker is alive; False where it is not this worker's any more."""
    return sql.execute(update(evaluation).where(*_held(id, worker)).values(heartbeat_at=at)).rowcount == 1


def take(sql: Connection, id: str, worker: str, before: str, at: str) -> bool:
    """Operational: take over a lease that was not renewed since `before`; False where it was."""
    late = func.coalesce(evaluation.c.heartbeat_at, "") < before
    mine = (evaluation.c.id == id, evaluation.c.state == EvaluationState.RUNNING.value, late)
    return sql.execute(update(evaluation).where(*mine).values(worker=worker, heartbeat_at=at)).rowcount == 1


def holds(sql: Connection, id: str, worker: str) -> bool:
    """Whether it is running in the hands of this worker."""
    return sql.execute(select(evaluation.c.id).where(*_held(id, worker))).one_or_none() is not None


def requeue(sql: Connection, id: str, worker: str, *, orderly: bool) -> bool:
    """Operational: let what this worker holds wait again; after an orderly stop the start does not count as failed."""
    values: dict[str, Any] = {"state": EvaluationState.QUEUED.value, "worker": None, "heartbeat_at": None}
    values |= {"attempts": 0} if orderly else {}
    return sql.execute(update(evaluation).where(*_held(id, worker)).values(values)).rowcount == 1


def finish(
    sql: Connection, id: str, *, state: EvaluationState, report: dict[str, Any], evidence_digest: str, at: str
) -> None:
    """Governed: how it ended. From here on neither the evaluation nor its results change."""
    values = {
        "state": state.value,
        "verdict": report["verdict"],
        "evidence_digest": evidence_digest,
        "report": canonical_text(report),
        "finished_at": at,
    }
    sql.execute(update(evaluation).where(evaluation.c.id == id).values(values))


def keep_results(sql: Connection, id: str, results: Sequence[StoredResult]) -> None:
    """Operational: write outputs of a run; one that is there already is written over."""
    if not results:
        return
    new = upsert(sql, evaluation_result)
    query = new.on_conflict_do_update(
        index_elements=["evaluation", "arm", "case_id", "sample"],
        set_={"passed": new.excluded.passed, "document": new.excluded.document},
    )
    sql.execute(query, [_row(id, one) for one in results])


def results(sql: Connection, id: str, after: tuple[str, str, int] | None, size: int) -> Page[StoredResult]:
    """Outputs of an evaluation by arm, case and sample; the cursor is `arm/sample/case`."""
    columns = evaluation_result.c
    query = select(evaluation_result).where(columns.evaluation == id)
    if after is not None:
        arm, case, sample = after
        query = query.where(
            or_(
                columns.arm > arm,
                and_(columns.arm == arm, columns.case_id > case),
                and_(columns.arm == arm, columns.case_id == case, columns.sample > sample),
            )
        )
    found = sql.execute(query.order_by(columns.arm, columns.case_id, columns.sample).limit(checked_size(size) + 1))
    return page_of([_result(row) for row in found], size, lambda one: f"{one.arm}/{one.sample}/{one.case}")


def results_of_case(sql: Connection, id: str, case: str) -> list[StoredResult]:
    """Every output of one case, baseline before candidate, by sample; at most 2,000."""
    columns = evaluation_result.c
    query = select(evaluation_result).where(columns.evaluation == id, columns.case_id == case)
    found = sql.execute(query.order_by(columns.arm, columns.sample).limit(_MOST_OF_A_CASE))
    return [_result(row) for row in found]


def kept(sql: Connection, id: str) -> Iterator[StoredResult]:
    """Every output that a run has kept so far, by arm, case and the sample as a text; read piece by piece."""
    columns = evaluation_result.c
    order = (columns.arm, columns.case_id, cast(columns.sample, Text))
    query = select(evaluation_result).where(columns.evaluation == id).order_by(*order)
    for row in sql.execute(query.execution_options(yield_per=_AT_A_TIME)):
        yield _result(row)


def answer(sql: Connection, key: str, since: str) -> dict[str, Any] | None:
    """An answer that was paid for at `since` or later, or None."""
    query = select(answer_cache.c.answer).where(answer_cache.c.key == key, answer_cache.c.made_at >= since)
    text = sql.execute(query).scalar_one_or_none()
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found


def keep_answer(sql: Connection, key: str, text: str, at: str) -> None:
    """Operational: an answer that was paid for, in the place of an older one."""
    new = upsert(sql, answer_cache).values(key=key, answer=text, size=len(text), made_at=at)
    names = ("answer", "size", "made_at")
    sql.execute(new.on_conflict_do_update(index_elements=["key"], set_={name: new.excluded[name] for name in names}))


def forget_answers(sql: Connection, before: str, most: int) -> int:
    """Operational: drop answers older than `before`, then the oldest until their texts are at most `most` characters."""
    gone = sql.execute(delete(answer_cache).where(answer_cache.c.made_at < before)).rowcount
    newer = func.sum(answer_cache.c.size).over(order_by=(answer_cache.c.made_at.desc(), answer_cache.c.key))
    summed = select(answer_cache.c.key, newer.label("newer")).subquery()
    too_many = select(summed.c.key).where(summed.c.newer > most)
    return int(gone + sql.execute(delete(answer_cache).where(answer_cache.c.key.in_(too_many))).rowcount)


def outputs_of(sql: Connection, id: str, case: str, sample: int) -> list[StoredResult]:
    """The outputs of one case at one sample, of each arm that has it."""
    columns = evaluation_result.c
    query = select(evaluation_result).where(columns.evaluation == id, columns.case_id == case, columns.sample == sample)
    return [_result(row) for row in sql.execute(query)]


def _of(worker: str) -> ColumnElement[bool]:
    return func.coalesce(evaluation.c.worker, "") == worker


def _held(id: str, worker: str) -> tuple[ColumnElement[bool], ...]:
    return evaluation.c.id == id, evaluation.c.state == EvaluationState.RUNNING.value, _of(worker)


def _in_state(state: EvaluationState) -> Select[Any]:
    return (
        select(evaluation).where(evaluation.c.state == state.value).order_by(evaluation.c.created_at, evaluation.c.id)
    )


def _finished(prompt: str, content_digest: str, suite_digest: str, baseline_digest: str | None) -> Select[Any]:
    columns = evaluation.c
    asked = select(evaluation).where(columns.prompt == prompt, columns.content_digest == content_digest)
    against = columns.baseline_digest.is_not_distinct_from(baseline_digest)
    ended = asked.where(columns.suite_digest == suite_digest, against, columns.finished_at.is_not(None))
    return ended.order_by(columns.created_at.desc(), columns.id.desc())


def _first(sql: Connection, query: Select[Any]) -> Stored | None:
    row = sql.execute(query.limit(1)).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Any) -> Stored:
    kept = dict(row._mapping)  # noqa: SLF001  the public name of a row as a mapping
    kept["state"] = EvaluationState(row.state)
    kept["verdict"] = Verdict(row.verdict) if row.verdict else None
    kept["report"] = json.loads(row.report) if row.report else None
    return Stored(**kept)


def _row(id: str, one: StoredResult) -> dict[str, Any]:
    return {
        "evaluation": id,
        "arm": one.arm,
        "case_id": one.case,
        "sample": one.sample,
        "passed": one.passed,
        "document": json.dumps(one.document, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
    }


def _result(row: Any) -> StoredResult:
    document = json.loads(row.document)
    return StoredResult(arm=row.arm, case=row.case_id, sample=row.sample, passed=row.passed, document=document)
