"""Who is here, and which tokens and keys open what: for whoever holds the data folder."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from cuelight_server.access import store
from cuelight_server.access.model import Account, Token
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.page import MAX_SIZE, Page

T = TypeVar("T")


def accounts(desk: Desk) -> list[Account]:
    """Every person and app, by id."""
    with reading(desk.registry) as sql:
        return list(_all(sql, store.accounts))


def tokens(desk: Desk) -> list[Token]:
    """Every token and key, by id; their secrets are nowhere."""
    with reading(desk.registry) as sql:
        return list(_all(sql, store.tokens))


def _all(sql: Connection, page: Callable[[Connection, str, int], Page[T]]) -> Iterator[T]:
    after: str | None = ""
    while after is not None:
        found = page(sql, after, MAX_SIZE)
        yield from found.items
        after = found.next
