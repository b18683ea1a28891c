"""Where it is kept whose pipelines are trusted, and which of their tokens were used."""

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from cuelight_server.access.model import Trust
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, MAX_SIZE, Page, checked_size, page_of
from cuelight_server.kernel.terms import Environment


def save_trust(sql: Connection, trust: Trust) -> None:
    """Store a new one."""
    sql.execute(
        insert(schema.trust).values(
            id=trust.id,
            actor=trust.actor,
            issuer=trust.issuer,
            audience=trust.audience,
            conditions=json.dumps(dict(trust.conditions)),
            scopes=json.dumps(list(trust.scopes)),
            environment=trust.environment.value if trust.environment else None,
            minutes=trust.minutes,
            created_at=trust.created_at,
        )
    )


def trust(sql: Connection, id: str) -> Trust | None:
    """One, or None."""
    row = sql.execute(select(schema.trust).where(schema.trust.c.id == id)).one_or_none()
    return None if row is None else _trust(row)


def trusts(sql: Connection, after: str = "", size: int = DEFAULT_SIZE) -> Page[Trust]:
    """All of them by id, from above the id `after`, those that ended too."""
    query = select(schema.trust).where(schema.trust.c.id > after).order_by(schema.trust.c.id)
    found = sql.execute(query.limit(checked_size(size) + 1))
    return page_of([_trust(row) for row in found], size, lambda each: each.id)


def trusts_in(sql: Connection, issuer: str) -> list[Trust]:
    """Those of one issuer that have not ended; at most MAX_SIZE of them."""
    table = schema.trust
    query = select(table).where(table.c.issuer == issuer, table.c.ended_at.is_(None)).order_by(table.c.id)
    return [_trust(row) for row in sql.execute(query.limit(MAX_SIZE))]


def end_trust(sql: Connection, id: str, at: str) -> None:
    """From now on it opens nothing; keys that came of it go on to their end."""
    sql.execute(update(schema.trust).where(schema.trust.c.id == id).values(ended_at=at))


def use_trust(sql: Connection, id: str, at: str) -> None:
    """Note within a change that a pipeline came in by it."""
    sql.execute(update(schema.trust).where(schema.trust.c.id == id).values(last_used_at=at))


def use_workload_token(sql: Connection, hashed: str, expires_at: str, now: str) -> bool:
    """Note within a change that a token was used; False where it was before. Those that ran out before `now` go."""
    table = schema.workload_token
    sql.execute(delete(table).where(table.c.expires_at < now))
    if sql.execute(select(table.c.hash).where(table.c.hash == hashed)).one_or_none() is not None:
        return False
    sql.execute(insert(table).values(hash=hashed, expires_at=expires_at))
    return True


def _trust(row: Row[Any]) -> Trust:
    return Trust(
        id=row.id,
        actor=row.actor,
        issuer=row.issuer,
        audience=row.audience,
        conditions=json.loads(row.conditions),
        scopes=tuple(json.loads(row.scopes)),
        environment=Environment(row.environment) if row.environment else None,
        minutes=row.minutes,
        created_at=row.created_at,
        ended_at=row.ended_at,
        last_used_at=row.last_used_at,
    )
