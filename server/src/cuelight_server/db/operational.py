"""Writes that need no audit line: an allow-list that SQLite itself enforces, statement by statement."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from sqlalchemy import Connection, Engine

from cuelight_server.db.engine import Intent, transaction

INSERT, UPDATE, DELETE = "insert", "update", "delete"

# (what, table) -> the columns it may touch; None = all of them.
ALLOWED: MappingProxyType[tuple[str, str], frozenset[str] | None] = MappingProxyType(
    {
        (UPDATE, "token"): frozenset({"last_used_at"}),
        (INSERT, "client_seen"): None,
        (UPDATE, "client_seen"): None,
        (DELETE, "client_seen"): None,  # a lease that ran out
        (UPDATE, "evaluation"): frozenset(  # progress and the lease; its outcome goes through the door
            {"state", "done", "total", "attempts", "worker", "heartbeat_at"}
        ),
        (INSERT, "evaluation_result"): None,
        (UPDATE, "evaluation_result"): None,  # a resumed run writes a case again; a trigger ends that at the finish
        (INSERT, "call"): None,
        (UPDATE, "call"): None,
    }
)
_WRITES = {sqlite3.SQLITE_INSERT: INSERT, sqlite3.SQLITE_UPDATE: UPDATE, sqlite3.SQLITE_DELETE: DELETE}
_HARMLESS = frozenset(
    {
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)


@contextmanager
def operational(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write what ALLOWED lists; any other write, however it is spelled, is Denied."""
    with transaction(engine, Intent.WRITE) as sql:
        driver = sql.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101  another database brings its own grants
        driver.set_authorizer(_authorize)
        try:
            yield sql
        finally:
            driver.set_authorizer(None)


def _authorize(action: int, table: str | None, column: str | None, _database: str | None, _trigger: str | None) -> int:
    if action in _HARMLESS:
        return sqlite3.SQLITE_OK
    what = (_WRITES.get(action, ""), table or "")
    if what not in ALLOWED:
        return sqlite3.SQLITE_DENY
    columns = ALLOWED[what]
    return sqlite3.SQLITE_OK if columns is None or column in columns else sqlite3.SQLITE_DENY
