"""What requests were answered that must not be done twice."""

import json

from sqlalchemy import Connection, delete, insert, select

from cuelight.contract.canonical import canonical_text
from cuelight_server.access.model import Answered, Once
from cuelight_server.db import schema


def answered(sql: Connection, actor: str, key: str) -> Answered | None:
    """What this actor was answered under this key, or None."""
    table = schema.idempotency_key
    row = sql.execute(select(table).where(table.c.actor == actor, table.c.key == key)).one_or_none()
    if row is None:
        return None
    return Answered(actor=row.actor, once=Once(row.key, row.request), answer=json.loads(row.answer), at=row.created_at)


def save_answer(sql: Connection, new: Answered) -> None:
    """Keep an answer, in the transaction of what it tells; Conflict when the key is taken."""
    values = {"key": new.once.key, "request": new.once.request, "answer": canonical_text(dict(new.answer))}
    sql.execute(insert(schema.idempotency_key).values(actor=new.actor, created_at=new.at, **values))


def forget_answers(sql: Connection, before: str, limit: int = 1000) -> int:
    """Drop answers that were given before a time, oldest first, at most so many; how many there were."""
    table = schema.idempotency_key
    old = select(table.c.actor, table.c.key).where(table.c.created_at < before).order_by(table.c.created_at)
    found = sql.execute(old.limit(limit)).all()
    for actor, key in found:
        sql.execute(delete(table).where(table.c.actor == actor, table.c.key == key))
    return len(found)


def any_answer(sql: Connection, before: str) -> bool:
    """Whether there is an answer that was given before a time."""
    table = schema.idempotency_key
    return sql.execute(select(table.c.key).where(table.c.created_at < before).limit(1)).first() is not None
