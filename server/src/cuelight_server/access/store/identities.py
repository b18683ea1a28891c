"""Where it is kept who somebody is elsewhere, and the sign-ins on their way there and back."""

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cuelight_server.access.model import Flow, Identity
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, checked_size


def identity(sql: Connection, issuer: str, subject: str) -> Identity | None:
    """Whose account that is here, or None."""
    table = schema.identity
    row = sql.execute(select(table).where(table.c.issuer == issuer, table.c.subject == subject)).one_or_none()
    return None if row is None else _identity(row)


def identities_of(sql: Connection, actor: str, size: int = DEFAULT_SIZE) -> list[Identity]:
    """Who an account is elsewhere."""
    table = schema.identity
    query = select(table).where(table.c.actor == actor).order_by(table.c.issuer, table.c.subject)
    return [_identity(row) for row in sql.execute(query.limit(checked_size(size)))]


def save_identity(sql: Connection, identity: Identity) -> None:
    """Store a new one."""
    sql.execute(
        insert(schema.identity).values(
            issuer=identity.issuer,
            subject=identity.subject,
            actor=identity.actor,
            salt=identity.salt,
            linked_at=identity.linked_at,
            gave=json.dumps(list(identity.gave)),
        )
    )


def set_gave(sql: Connection, identity: Identity, gave: tuple[str, ...]) -> None:
    """What the provider's groups give from now on."""
    table = schema.identity
    which = (table.c.issuer == identity.issuer) & (table.c.subject == identity.subject)
    sql.execute(update(table).where(which).values(gave=json.dumps(list(gave))))


def drop_identity(sql: Connection, identity: Identity) -> None:
    """The account opens to this one no longer."""
    table = schema.identity
    sql.execute(delete(table).where(table.c.issuer == identity.issuer, table.c.subject == identity.subject))


def forget_identities(sql: Connection, actor: str) -> None:
    """The account opens to nobody elsewhere any longer, and who that was is kept nowhere."""
    sql.execute(delete(schema.identity).where(schema.identity.c.actor == actor))


def set_admin(sql: Connection, id: str, *, admin: bool) -> None:
    """Whether the account is an administrator from now on."""
    sql.execute(update(schema.actor).where(schema.actor.c.id == id).values(admin=admin))


def save_flow(sql: Connection, flow: Flow, most: int, most_of_source: int) -> None:
    """Store a sign-in on its way; what ran out goes, and the oldest of its source and of all beyond these numbers."""
    table = schema.sign_in_flow
    sql.execute(delete(table).where(table.c.expires_at <= flow.created_at))
    _drop_oldest(sql, most_of_source - 1, flow.source)
    _drop_oldest(sql, most - 1, None)
    values = {name: getattr(flow, name) for name in table.columns.keys()}  # noqa: SIM118  not a dict
    sql.execute(insert(table).values(**values))


def take_flow(sql: Connection, hashed: str) -> Flow | None:
    """The sign-in of this secret, which is gone with that: of two who come with it one gets it."""
    table = schema.sign_in_flow
    row = sql.execute(select(table).where(table.c.hash == hashed)).one_or_none()
    gone = sql.execute(delete(table).where(table.c.hash == hashed)).rowcount
    return Flow(**row._mapping) if row is not None and gone == 1 else None  # noqa: SLF001  SQLAlchemy's public name


def _drop_oldest(sql: Connection, most: int, source: str | None) -> None:
    table = schema.sign_in_flow
    which = table.c.source == source if source is not None else table.c.hash.is_not(None)
    over = (sql.scalar(select(func.count()).select_from(table).where(which)) or 0) - most
    if over > 0:
        oldest = select(table.c.hash).where(which).order_by(table.c.created_at, table.c.hash).limit(over)
        sql.execute(delete(table).where(table.c.hash.in_(oldest)))


def _identity(row: Row[Any]) -> Identity:
    return Identity(
        issuer=row.issuer,
        subject=row.subject,
        actor=row.actor,
        salt=row.salt,
        linked_at=row.linked_at,
        gave=tuple(json.loads(row.gave)),
    )
