"""Rows as they lie there, and the triggers that should guard them: for `verify`, which must be able to read anything."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cuelight_server.db import schema
from cuelight_server.db.triggers import triggers

_NAMES = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def rows(sql: Connection, table: str) -> Iterator[Mapping[str, Any]]:
    """Every row of a table of the registry, untyped: whatever somebody wrote there comes out as it is."""
    known = schema.registry.tables[table]
    driver = sql.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  another database brings its own reader
    order = ", ".join(f'"{column.name}"' for column in known.primary_key)
    columns = ", ".join(f'"{column.name}"' for column in known.columns)
    before, driver.text_factory = driver.text_factory, _text
    try:
        found = driver.execute(f'SELECT {columns} FROM "{table}" ORDER BY {order}')  # noqa: S608  names of our own schema
        names = [column.name for column in known.columns]
        for row in found:
            yield dict(zip(names, row, strict=True))
    finally:
        driver.text_factory = before


def missing_triggers(sql: Connection) -> tuple[str, ...]:
    """The triggers of the registry that are not there, by name."""
    present = set(sql.exec_driver_sql(_NAMES).scalars())
    return tuple(sorted(set(triggers(schema.registry)) - present))


def missing_in(file: Path) -> tuple[str, ...]:
    """The triggers that a registry file lacks although it has their tables: before opening it puts them back."""
    if not file.exists():
        return ()
    raw = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        tables = {name for (name,) in raw.execute(_TABLES)}
        present = {name for (name,) in raw.execute(_NAMES)}
    except sqlite3.Error:
        return ()  # opening it says what is wrong with it
    finally:
        raw.close()
    wanted = (name for name in triggers(schema.registry) if name not in present)
    return tuple(sorted(name for name in wanted if name.rpartition("_no_")[0] in tables))


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
