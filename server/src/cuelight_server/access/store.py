"""Where accounts and tokens are kept."""

from typing import Any

from sqlalchemy import Connection, Row, insert, literal, select, update

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
