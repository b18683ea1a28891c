"""The two SQLite files of a data folder, opened so that a commit is on disk and a plain transaction cannot write."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, text
from sqlalchemy.schema import CreateColumn

from cuelight_server.db import schema
from cuelight_server.db.failures import in_our_words
from cuelight_server.db.triggers import triggers
from cuelight_server.kernel.errors import Invalid

__all__ = [
    "CALLS_FILE",
    "REGISTRY_FILE",
    "Connection",
    "Engine",
    "Intent",
    "open_calls",
    "open_registry",
    "reading",
    "transaction",
]

REGISTRY_FILE, CALLS_FILE = "registry.db", "calls.db"
BUSY_TIMEOUT_MS = 5000  # how long a transaction waits for its turn to write, unless it says otherwise
_POOL_SIZE, _POOL_OVERFLOW, _POOL_TIMEOUT_S = 8, 56, 10


class Intent(StrEnum):
    """What a transaction is for. Reading is the default: whoever wants to write has to come through a door."""

    READ = "read"
    WRITE = "write"


def open_registry(folder: Path) -> Engine:
    """The engine of `registry.db`; folder (0700), file (0600), tables and triggers are made where they are missing.

    Invalid when the folder holds other things and no desk, Unavailable when the file cannot be used.
    """
    prepare_folder(folder)
    return _open(folder / REGISTRY_FILE, schema.registry, synchronous="FULL")


def open_calls(folder: Path) -> Engine:
    """The engine of `calls.db`, as `open_registry`; a power cut may take the last calls, never their order."""
    prepare_folder(folder)
    return _open(folder / CALLS_FILE, schema.calls, synchronous="NORMAL")


def prepare_folder(folder: Path) -> None:
    """Make the folder, for its owner only; a folder that is full of other things is refused, not taken over."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / REGISTRY_FILE).exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} holds other things and no desk", "give an empty or a new folder")
    folder.chmod(0o700)


@contextmanager
def transaction(engine: Engine, intent: Intent, *, wait_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Connection]:
    """One transaction; for writing it waits for its turn before the first statement (BEGIN IMMEDIATE).

    For `db.writing`, `db.operational` and `reading` only: others use one of those.
    """
    with engine.connect().execution_options(cuelight_intent=intent, cuelight_wait_ms=wait_ms) as sql, sql.begin():
        yield sql


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read-only view of one moment: it waits for no writer, and a write through it fails."""
    with transaction(engine, Intent.READ) as sql:
        yield sql


def _open(path: Path, tables: MetaData, *, synchronous: str) -> Engine:
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_TIMEOUT_S,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", lambda raw, _record: _set_up(raw, synchronous))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", in_our_words, retval=True)
    _make_missing(engine, tables)
    return engine


def _set_up(raw: sqlite3.Connection, synchronous: str) -> None:
    raw.isolation_level = None  # sqlite3 begins nothing by itself; `_begin` does
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "recursive_triggers=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin(sql: Connection) -> None:
    writes = sql.get_execution_options().get("cuelight_intent", Intent.READ) is Intent.WRITE
    wait_ms = sql.get_execution_options().get("cuelight_wait_ms", BUSY_TIMEOUT_MS)
    sql.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    sql.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
    sql.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _new_columns(sql: Connection, table: Table) -> list[tuple[str, str]]:
    """(table, definition) of the columns that a desk of an earlier version lacks; only such as can be added are added."""
    present = {row[1] for row in sql.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    if not present:
        return []
    lacking = [one for one in table.columns if one.name not in present]
    addable = [one for one in lacking if one.nullable or one.server_default is not None]
    return [(table.name, str(CreateColumn(one).compile(sql))) for one in addable]


def _make_missing(engine: Engine, tables: MetaData) -> None:
    """Make what is missing; a complete file is only read, so that a read-only disk can still be looked at."""
    wanted = triggers(tables)
    present = text("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")
    with reading(engine) as sql:
        missing: set[Any] = {*tables.tables, *wanted} - set(sql.scalars(present))
        columns = [column for table in tables.tables.values() for column in _new_columns(sql, table)]
    if not missing and not columns:
        return
    with transaction(engine, Intent.WRITE) as sql:
        tables.create_all(sql)
        for table, column in columns:
            sql.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
        for statement in wanted.values():
            sql.exec_driver_sql(statement)
