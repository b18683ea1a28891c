"""Where accounts and their keys are kept."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, literal, select, update

from cuelight_server.access.model import Account, Token
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.kernel.terms import ActorKind, Environment


def save_account(sql: Connection, account: Account) -> None:
    """Store a new account; Conflict when the id is taken."""
    sql.execute(
        insert(schema.actor).values(
            id=account.id,
            name=account.name,
            kind=account.kind.value,
            admin=account.admin,
            created_at=account.created_at,
            disabled_at=account.disabled_at,
            person=account.person,
        )
    )


def account(sql: Connection, id: str) -> Account | None:
    """One account, or None."""
    row = sql.execute(select(schema.actor).where(schema.actor.c.id == id)).one_or_none()
    return None if row is None else _account(row)


def accounts(
    sql: Connection, after: str = "", size: int = DEFAULT_SIZE, only: Collection[str] | None = None
) -> Page[Account]:
    """Accounts by id, from above the id `after`; None = all of them."""
    query = select(schema.actor).where(schema.actor.c.id > after).order_by(schema.actor.c.id)
    if only is not None:
        query = query.where(schema.actor.c.id.in_(sorted(only)))
    found = sql.execute(query.limit(checked_size(size) + 1))
    return page_of([_account(row) for row in found], size, lambda each: each.id)


def disable_account(sql: Connection, id: str, at: str) -> None:
    """From now on this account neither enters nor acts."""
    sql.execute(update(schema.actor).where(schema.actor.c.id == id).values(disabled_at=at))


def set_person(sql: Connection, id: str, person: str) -> None:
    """From now on this account belongs to that person."""
    sql.execute(update(schema.actor).where(schema.actor.c.id == id).values(person=person))


def accounts_of(sql: Connection, person: str, size: int = DEFAULT_SIZE) -> list[Account]:
    """The accounts of one person, by id."""
    table = schema.actor
    query = select(table).where((table.c.person == person) | ((table.c.id == person) & table.c.person.is_(None)))
    return [_account(row) for row in sql.execute(query.order_by(table.c.id).limit(checked_size(size)))]


def has_owner(sql: Connection) -> bool:
    """Whether there is an administrator who is not disabled."""
    table = schema.actor
    return sql.scalar(select(table.c.id).where(table.c.admin, table.c.disabled_at.is_(None)).limit(1)) is not None


def save_token(sql: Connection, token: Token) -> None:
    """Store a new token."""
    sql.execute(
        insert(schema.token).values(
            id=token.id,
            actor=token.actor,
            secret_hash=token.secret_hash,
            environment=token.environment.value if token.environment else None,
            created_at=token.created_at,
            scopes=json.dumps(list(token.scopes)) if token.scopes is not None else None,
            label=token.label,
            expires_at=token.expires_at,
        )
    )


def token(sql: Connection, id: str) -> Token | None:
    """One token, or None."""
    row = sql.execute(select(schema.token).where(schema.token.c.id == id)).one_or_none()
    return None if row is None else _token(row)


# Made once: it is asked with every request, and putting a statement together costs more than running it.
_HELD = (
    select(schema.token, *(column.label(f"holder_{column.name}") for column in schema.actor.columns))
    .join(schema.actor, schema.actor.c.id == schema.token.c.actor)
    .where(schema.token.c.id == bindparam("token"))
)


def held_token(sql: Connection, id: str) -> tuple[Token, Account] | None:
    """One token together with whose it is, in one look; or None."""
    row = sql.execute(_HELD, {"token": id}).one_or_none()
    if row is None:
        return None
    holder = Account(
        id=row.holder_id,
        name=row.holder_name,
        kind=ActorKind(row.holder_kind),
        admin=row.holder_admin,
        created_at=row.holder_created_at,
        disabled_at=row.holder_disabled_at,
        person=row.holder_person,
    )
    return _token(row), holder


def tokens_of(sql: Connection, actor: str, size: int = DEFAULT_SIZE) -> list[Token]:
    """The tokens of one account, newest first."""
    query = select(schema.token).where(schema.token.c.actor == actor).order_by(schema.token.c.created_at.desc())
    return [_token(row) for row in sql.execute(query.limit(checked_size(size)))]


def tokens(
    sql: Connection,
    after: str = "",
    size: int = DEFAULT_SIZE,
    *,
    holder: str | None = None,
    over: str | None = None,
) -> Page[Token]:
    """Every key, or those of one account, by id, from above the id `after`; without those that were over at `over`.

    A key is over once it is revoked, has expired, or its holder is disabled.
    """
    query = select(schema.token).where(schema.token.c.id > after).order_by(schema.token.c.id)
    if holder is not None:
        query = query.where(schema.token.c.actor == holder)
    if over is not None:
        table, gone = schema.token.c, select(schema.actor.c.id).where(schema.actor.c.disabled_at <= over)
        for end in (table.expires_at, table.revoked_at):
            query = query.where(end.is_(None) | (end > over))
        query = query.where(table.actor.not_in(gone))
    found = sql.execute(query.limit(checked_size(size) + 1))
    return page_of([_token(row) for row in found], size, lambda each: each.id)


def revoke_token(sql: Connection, id: str, at: str) -> None:
    """From now on this token opens nothing."""
    sql.execute(update(schema.token).where(schema.token.c.id == id).values(revoked_at=at))


def mark_used(sql: Connection, id: str, at: str) -> None:
    """When a token was last seen: an operational write."""
    sql.execute(update(schema.token).where(schema.token.c.id == id).values(last_used_at=at))


def forget_name(sql: Connection, id: str) -> None:
    """The account's name becomes its id."""
    sql.execute(update(schema.actor).where(schema.actor.c.id == id).values(name=id))


def by_id(sql: Connection, text: str) -> str:
    """The text with everybody's name in it replaced by their id: for what is kept for good."""
    table = schema.actor.c
    likely = literal(text).contains(table.name) & (table.name != table.id) & (table.name != "")
    found = sql.execute(select(table.id, table.name).where(likely)).all()
    for id, name in sorted(found, key=lambda row: len(row.name), reverse=True):
        text = text.replace(f"{name} ({id})", id).replace(name, id)
    return text


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        kind=ActorKind(row.kind),
        admin=row.admin,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        person=row.person,
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        actor=row.actor,
        secret_hash=row.secret_hash,
        environment=Environment(row.environment) if row.environment else None,
        created_at=row.created_at,
        scopes=tuple(json.loads(row.scopes)) if row.scopes is not None else None,
        label=row.label,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
