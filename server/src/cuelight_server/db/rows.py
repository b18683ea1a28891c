"""Rows as they lie there, and the triggers that should guard them: for `verify`, which must be able to read anything."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cuelight_server.db import schema
from cuelight_server.db.engine import FILES, Databases, registry_engine
from cuelight_server.db.standing import names
from cuelight_server.db.transactions import reading
from cuelight_server.db.triggers import table_of, triggers

_AT_ONCE = 100  # rows in memory while a table is read


def rows(sql: Connection, table: str) -> Iterator[Mapping[str, Any]]:
    """Every row of a table of the registry, untyped: whatever somebody wrote there comes out as it is."""
    known = schema.registry.tables[table]
    order = ", ".join(f'"{column.name}"' for column in known.primary_key)
    columns = [column.name for column in known.columns]
    listed = ", ".join(f'"{name}"' for name in columns)
    query = f'SELECT {listed} FROM "{table}" ORDER BY {order}'  # noqa: S608  names of our own schema
    for row in _found(sql, query):
        yield dict(zip(columns, row, strict=True))


def missing_triggers(sql: Connection) -> tuple[str, ...]:
    """The triggers of the registry that are not there, or switched off, by name."""
    return tuple(sorted(set(triggers(schema.registry, sql.dialect.name)) - names(sql)))


def missing_in(folder: Path, databases: Databases = FILES) -> tuple[str, ...]:
    """The triggers that a registry lacks although it has their tables: before opening it puts them back."""
    engine = registry_engine(folder, databases)
    try:
        with reading(engine) as sql:
            there = names(sql)
            return tuple(name for name in missing_triggers(sql) if table_of(name) in there)
    finally:
        engine.dispose()


def _found(sql: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Column types hold on PostgreSQL; in SQLite any value may lie in any column, and a text need not be one."""
    driver = sql.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield from map(tuple, sql.exec_driver_sql(query, execution_options={"yield_per": _AT_ONCE}))
        return
    before, driver.text_factory = driver.text_factory, _text
    try:
        yield from driver.execute(query)
    finally:
        driver.text_factory = before


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
