"""Where passwords, e-mail addresses and one-time links are kept."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from cuelight_server.access.model import Email, Invitation, Purpose
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, checked_size


def password(sql: Connection, actor: str) -> str | None:
    """The hash of an account's password, or None."""
    found: str | None = sql.scalar(select(schema.password.c.hash).where(schema.password.c.actor == actor))
    return found


def save_password(sql: Connection, actor: str, hashed: str, at: str) -> None:
    """Store the hash of an account's password in place of the one before."""
    sql.execute(delete(schema.password).where(schema.password.c.actor == actor))
    sql.execute(insert(schema.password).values(actor=actor, hash=hashed, changed_at=at))


def with_password(sql: Connection, actors: list[str]) -> frozenset[str]:
    """Those of these accounts that have a password."""
    table = schema.password
    return frozenset(sql.scalars(select(table.c.actor).where(table.c.actor.in_(actors))))


def email(sql: Connection, actor: str) -> Email | None:
    """The verified address of an account, or None."""
    row = sql.execute(select(schema.email).where(schema.email.c.actor == actor)).one_or_none()
    return None if row is None else _email(row)


def accounts_with(sql: Connection, address: str, size: int = DEFAULT_SIZE) -> list[Email]:
    """Everyone whose verified address this is."""
    query = select(schema.email).where(schema.email.c.address == address).order_by(schema.email.c.actor)
    return [_email(row) for row in sql.execute(query.limit(checked_size(size)))]


def forget_email(sql: Connection, actor: str) -> None:
    """Take the address of an account away."""
    sql.execute(delete(schema.email).where(schema.email.c.actor == actor))


def save_email(sql: Connection, email: Email) -> None:
    """Store an account's verified address in place of the one before."""
    sql.execute(delete(schema.email).where(schema.email.c.actor == email.actor))
    values = {"actor": email.actor, "address": email.address, "salt": email.salt, "verified_at": email.verified_at}
    sql.execute(insert(schema.email).values(**values))


def invitation(sql: Connection, id: str) -> Invitation | None:
    """One link, or None."""
    row = sql.execute(select(schema.invitation).where(schema.invitation.c.id == id)).one_or_none()
    return None if row is None else _invitation(row)


def save_invitation(sql: Connection, invitation: Invitation) -> None:
    """Store a new link."""
    sql.execute(
        insert(schema.invitation).values(
            id=invitation.id,
            purpose=invitation.purpose.value,
            actor=invitation.actor,
            secret_hash=invitation.secret_hash,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )
    )


def end_invitations(sql: Connection, actor: str | None, at: str) -> list[str]:
    """End every link of an account (None: of the owner to come) that is not over; their ids."""
    table = schema.invitation
    open_ones = table.c.actor.is_(None) if actor is None else table.c.actor == actor
    ids = sorted(sql.scalars(select(table.c.id).where(open_ones, table.c.ended_at.is_(None))))
    sql.execute(update(table).where(table.c.id.in_(ids)).values(ended_at=at))
    return ids


def _email(row: Row[Any]) -> Email:
    return Email(actor=row.actor, address=row.address, salt=row.salt, verified_at=row.verified_at)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        purpose=Purpose(row.purpose),
        actor=row.actor,
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
