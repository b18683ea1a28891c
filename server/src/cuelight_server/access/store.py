"""Where accounts and tokens are kept."""

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, literal, select, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.access.model import Account, Answered, Once, Token
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
        )
    )


def account(sql: Connection, id: str) -> Account | None:
    """One account, or None."""
    row = sql.execute(select(schema.actor).where(schema.actor.c.id == id)).one_or_none()
    return None if row is None else _account(row)


def accounts(sql: Connection, after: str = "", size: int = DEFAULT_SIZE) -> Page[Account]:
    """Accounts by id, from above the id `after`."""
    query = select(schema.actor).where(schema.actor.c.id > after).order_by(schema.actor.c.id)
    found = sql.execute(query.limit(checked_size(size) + 1))
    return page_of([_account(row) for row in found], size, lambda each: each.id)


def disable_account(sql: Connection, id: str, at: str) -> None:
    """From now on this account neither enters nor acts."""
    sql.execute(update(schema.actor).where(schema.actor.c.id == id).values(disabled_at=at))


def save_token(sql: Connection, token: Token) -> None:
    """Store a new token."""
    sql.execute(
        insert(schema.token).values(
            id=token.id,
            actor=token.actor,
            secret_hash=token.secret_hash,
            environment=token.environment.value if token.environment else None,
            created_at=token.created_at,
        )
    )


def token(sql: Connection, id: str) -> Token | None:
    """One token, or None."""
    row = sql.execute(select(schema.token).where(schema.token.c.id == id)).one_or_none()
    return None if row is None else _token(row)


def tokens_of(sql: Connection, actor: str, size: int = DEFAULT_SIZE) -> list[Token]:
    """The tokens of one account, newest first."""
    query = select(schema.token).where(schema.token.c.actor == actor).order_by(schema.token.c.created_at.desc())
    return [_token(row) for row in sql.execute(query.limit(checked_size(size)))]


def tokens(sql: Connection, after: str = "", size: int = DEFAULT_SIZE) -> Page[Token]:
    """Every token and key by id, from above the id `after`."""
    query = select(schema.token).where(schema.token.c.id > after).order_by(schema.token.c.id)
    found = sql.execute(query.limit(checked_size(size) + 1))
    return page_of([_token(row) for row in found], size, lambda each: each.id)


def revoke_token(sql: Connection, id: str, at: str) -> None:
    """From now on this token opens nothing."""
    sql.execute(update(schema.token).where(schema.token.c.id == id).values(revoked_at=at))


def mark_used(sql: Connection, id: str, at: str) -> None:
    """When a token was last seen: an operational write."""
    sql.execute(update(schema.token).where(schema.token.c.id == id).values(last_used_at=at))


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


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        kind=ActorKind(row.kind),
        admin=row.admin,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        actor=row.actor,
        secret_hash=row.secret_hash,
        environment=Environment(row.environment) if row.environment else None,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


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
