"""A store in a SQLite file, opened so that a commit is on disk and a plain transaction cannot write."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event

from cuelight_server.db.failures import in_our_words
from cuelight_server.db.transactions import BUSY_TIMEOUT_MS, Intent, intent_of, patience_of

_POOL_SIZE, _POOL_OVERFLOW, _POOL_TIMEOUT_S = 8, 56, 10


def file_engine(path: Path, *, synchronous: str, foreign_keys: bool = True) -> Engine:
    """The engine of one file (0600), which is made where it is missing; Unavailable when it cannot be used.

    `foreign_keys=False` is for a migration, which may have to make a table anew under rows that point at it.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_TIMEOUT_S,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", lambda raw, _record: _set_up(raw, synchronous, foreign_keys=foreign_keys))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", in_our_words, retval=True)
    return engine


def _set_up(raw: sqlite3.Connection, synchronous: str, *, foreign_keys: bool) -> None:
    raw.isolation_level = None  # sqlite3 begins nothing by itself; `_begin` does
    keys = "ON" if foreign_keys else "OFF"
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", f"foreign_keys={keys}", "recursive_triggers=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin(sql: Connection) -> None:
    writes = intent_of(sql) is not Intent.READ
    sql.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    sql.exec_driver_sql(f"PRAGMA busy_timeout={patience_of(sql)}")
    sql.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
