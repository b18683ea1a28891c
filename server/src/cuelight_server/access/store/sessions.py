"""Where sessions are kept, and the tries of those who did not get in: operational rows."""

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cuelight_server.access.model import Session, Tries
from cuelight_server.db import schema
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.page import DEFAULT_SIZE, checked_size


def session(sql: Connection, hashed: str) -> Session | None:
    """The session whose secret has this hash, or None."""
    row = sql.execute(select(schema.session).where(schema.session.c.hash == hashed)).one_or_none()
    return None if row is None else _session(row)


def sessions_of(sql: Connection, actor: str, size: int = DEFAULT_SIZE) -> list[Session]:
    """The sessions of an account, newest first."""
    table = schema.session
    query = select(table).where(table.c.actor == actor).order_by(table.c.created_at.desc(), table.c.hash)
    return [_session(row) for row in sql.execute(query.limit(checked_size(size)))]


def save_session(sql: Connection, session: Session) -> None:
    """Store a new session."""
    values = {name: getattr(session, name) for name in schema.session.columns.keys()}  # noqa: SIM118  not a dict
    sql.execute(insert(schema.session).values(**values))


def mark_seen(sql: Connection, hashed: str, at: str) -> None:
    """When a session was last used."""
    sql.execute(update(schema.session).where(schema.session.c.hash == hashed).values(last_seen_at=at))


def end_session(sql: Connection, hashed: str) -> None:
    """The session opens nothing any more."""
    sql.execute(delete(schema.session).where(schema.session.c.hash == hashed))


def end_sessions(sql: Connection, actor: str, *, but: str = "", id: str | None = None) -> int:
    """End an account's sessions, all but the one with the hash `but`, or only the one with this id; how many."""
    table = schema.session
    which = (table.c.actor == actor) & (table.c.hash != but)
    return sql.execute(delete(table).where(which if id is None else which & (table.c.id == id))).rowcount


def end_stale_sessions(sql: Connection, actor: str, now: str, newest: int) -> None:
    """Remove what ran out, whoever's it is, and all but the newest sessions of this account."""
    table = schema.session
    sql.execute(delete(table).where(table.c.expires_at < now))
    kept = select(table.c.hash).where(table.c.actor == actor).order_by(table.c.created_at.desc()).limit(newest)
    sql.execute(delete(table).where(table.c.actor == actor, table.c.hash.not_in(kept)))


def tries(sql: Connection, keys: list[str], at: str) -> list[Tries]:
    """What is kept under these keys, in their order, locked until the transaction ends: nothing is counted twice or lost."""
    table = schema.sign_in_tries
    none = [{"key": key, "failures": 0, "last_at": at, "until": ""} for key in sorted(keys)]
    sql.execute(upsert(sql, table).on_conflict_do_nothing(index_elements=[table.c.key]), none)
    query = select(table).where(table.c.key.in_(keys)).order_by(table.c.key).with_for_update()
    rows = {row.key: row for row in sql.execute(query)}
    found = [rows[key] for key in keys]
    return [Tries(key=row.key, failures=row.failures, last_at=row.last_at, until=row.until) for row in found]


def save_tries(sql: Connection, tries: Tries) -> None:
    """Store in place of what is there under this key."""
    table = schema.sign_in_tries
    new = {"failures": tries.failures, "last_at": tries.last_at, "until": tries.until}
    sql.execute(update(table).where(table.c.key == tries.key).values(**new))


def drop_oldest_tries(sql: Connection, most: int) -> None:
    """Beyond `most` rows those go that are longest ago."""
    table = schema.sign_in_tries
    over = (sql.scalar(select(func.count()).select_from(table)) or 0) - most
    if over > 0:
        oldest = select(table.c.key).order_by(table.c.last_at, table.c.key).limit(over)
        sql.execute(delete(table).where(table.c.key.in_(oldest)))


def forgive(sql: Connection, key: str) -> None:
    """Forget what is kept under this key."""
    sql.execute(delete(schema.sign_in_tries).where(schema.sign_in_tries.c.key == key))


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)  # noqa: SLF001  SQLAlchemy's public name for it
