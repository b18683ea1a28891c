"""Writes that need no audit line: an allow-list that the database itself enforces, statement by statement."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from cuelight_server.db.allowed import ALLOWED, DELETE, INSERT, UPDATE
from cuelight_server.db.transactions import Intent, transaction

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
    """A transaction that may write what ALLOWED lists; any other write, however it is spelled, is Denied.

    SQLite's authorizer answers while a statement is prepared; on PostgreSQL the guards on the tables do
    (`db.triggers_postgresql`), and `db.postgresql` lets nothing through that is more than rows.
    """
    with transaction(engine, Intent.OPERATIONAL) as sql:
        driver = sql.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            yield sql
            return
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
