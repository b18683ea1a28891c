"""Where reviews, the answers on the way and the signatures are kept."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.db.schema import prompt as prompts
from cuelight_server.db.schema import review, review_answer, review_signature
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.page import Page, checked_size, page_of
from cuelight_server.kernel.terms import Role
from cuelight_server.reviews.model import Answer, Better, Chosen, Live, Review, Signature, Why

_MOST = 200


def told_cases(cases: Collection[Chosen]) -> list[dict[str, Any]]:
    """The cases as they are kept, and as their digest stands in the log."""
    return [{"case": one.case, "sample": one.sample, "why": one.why.value} for one in cases]


def save(sql: Connection, new: Review) -> None:
    """Store a new review for good."""
    row = {name: getattr(new, name) for name in new.__slots__}
    cases = canonical_text(told_cases(new.cases))
    sql.execute(insert(review).values({**row, "role": new.role.value, "cases": cases}))


def load(sql: Connection, id: str) -> Review | None:
    """One review, or None."""
    row = sql.execute(select(review).where(review.c.id == id)).mappings().one_or_none()
    return None if row is None else _review(row)


def newest(
    sql: Connection, prompt: str, before: str | None, size: int, among: Collection[str] | None = None
) -> Page[Review]:
    """Reviews, newest first; of one prompt where it is named, or of those workflows `among`."""
    query = select(review).order_by(review.c.id.desc())
    if prompt:
        query = query.where(review.c.prompt == prompt)
    if among is not None:
        query = query.where(review.c.prompt.in_(select(prompts.c.name).where(prompts.c.workflow.in_(among))))
    if before is not None:
        query = query.where(review.c.id < before)
    rows = sql.execute(query.limit(checked_size(size) + 1)).mappings()
    return page_of([_review(row) for row in rows], size, lambda one: one.id)


def of_content(sql: Connection, prompt: str, content_digest: str) -> list[Review]:
    """Every review of exactly this content, oldest first."""
    query = select(review).where(review.c.prompt == prompt, review.c.content_digest == content_digest)
    return [_review(row) for row in sql.execute(query.order_by(review.c.id).limit(_MOST)).mappings()]


def opened(sql: Connection, id: str, person: str, case: str, at: str) -> None:
    """Operational: this reviewer looks at the case; the first time is the one that is kept."""
    new = upsert(sql, review_answer).values(review=id, person=person, case_id=case, opened_at=at, note="")
    sql.execute(new.on_conflict_do_nothing(index_elements=["review", "person", "case_id"]))


def answer(sql: Connection, id: str, person: str, case: str, better: Better, live: Live, note: str, at: str) -> bool:
    """Operational: what this reviewer says of the case, so far; False where they never opened it."""
    columns = review_answer.c
    row = (columns.review == id, columns.person == person, columns.case_id == case)
    values = {"better": better.value, "live": live.value, "note": note, "answered_at": at}
    return sql.execute(update(review_answer).where(*row).values(values)).rowcount == 1


def answers(sql: Connection, id: str, person: str) -> dict[str, Answer]:
    """Case -> what this reviewer did with it so far."""
    columns = review_answer.c
    found = sql.execute(select(review_answer).where(columns.review == id, columns.person == person)).mappings()
    return {row["case_id"]: _answer(row) for row in found}


def save_signature(sql: Connection, new: Signature) -> None:
    """Store a signature for good."""
    document = canonical_text(dict(new.document))
    values = {"review": new.review, "person": new.person, "document": document, "signed_at": new.signed_at}
    sql.execute(insert(review_signature).values(values))


def signatures(sql: Connection, ids: Collection[str]) -> list[Signature]:
    """Every signature of these reviews, oldest first."""
    columns = review_signature.c
    query = select(review_signature).where(columns.review.in_(ids)).order_by(columns.signed_at, columns.person)
    return [
        Signature(
            review=row["review"],
            person=row["person"],
            document=json.loads(row["document"]),
            signed_at=row["signed_at"],
        )
        for row in sql.execute(query.limit(_MOST)).mappings()
    ]


def _review(row: RowMapping) -> Review:
    cases = [Chosen(case=one["case"], sample=one["sample"], why=Why(one["why"])) for one in json.loads(row["cases"])]
    return Review(**{**row, "role": Role(row["role"]), "cases": tuple(cases)})


def _answer(row: RowMapping) -> Answer:
    return Answer(
        case=row["case_id"],
        opened_at=row["opened_at"],
        better=Better(row["better"]) if row["better"] else None,
        live=Live(row["live"]) if row["live"] else None,
        note=row["note"],
        answered_at=row["answered_at"],
    )
