"""All rows of a store, from one database into another: how a backup leaves PostgreSQL and comes into it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, delete, func, insert, select

from cuelight_server.db import schema
from cuelight_server.db.engine import Databases, calls_engine, open_calls, open_registry, registry_engine
from cuelight_server.db.transactions import Intent, reading, transaction
from cuelight_server.db.triggers import drop_triggers, set_triggers
from cuelight_server.kernel.errors import Conflict

_AT_ONCE = 500  # rows between two looks at the memory


def copy_out(folder: Path, databases: Databases, into: Path) -> None:
    """The stores that are in PostgreSQL as SQLite files in the folder `into`, each as it was at one moment.

    The calls first: the version behind each of them is in the registry that follows.
    """
    if databases.calls:
        _copy(calls_engine(folder, databases), open_calls(into), schema.calls)
    if databases.registry:
        _copy(registry_engine(folder, databases), open_registry(into), schema.registry)


def copy_in(files: Path, folder: Path, databases: Databases) -> None:
    """The SQLite files of a desk into the stores that are in PostgreSQL: every store whole or not at all.

    Conflict where there are rows already. The desk is there once its registry is; before that the calls wait alone.
    """
    if databases.calls:
        _copy(calls_engine(files), open_calls(folder, databases), schema.calls)
    try:
        if databases.registry:
            _copy(registry_engine(files), open_registry(folder, databases), schema.registry)
    except BaseException:
        if databases.calls:
            _sweep(open_calls(folder, databases), schema.calls)
        raise


def _copy(source: Engine, target: Engine, tables: MetaData) -> None:
    try:
        with reading(source) as old, transaction(target, Intent.WRITE) as new:
            _refuse_rows(new, tables)
            drop_triggers(new, tables)  # a finished evaluation takes no further result, and here they all come at once
            for table in tables.sorted_tables:
                for part in _parts(old, tables, table.name):
                    new.execute(insert(table), part)
            set_triggers(new, tables)
    finally:
        source.dispose()
        target.dispose()


def _parts(sql: Connection, tables: MetaData, name: str) -> Iterator[list[dict[str, object]]]:
    found = sql.execution_options(stream_results=True).execute(select(tables.tables[name]))
    rows = (dict(row._mapping) for row in found)  # noqa: SLF001  its public name
    while part := list(islice(rows, _AT_ONCE)):
        yield part


def _refuse_rows(sql: Connection, tables: MetaData) -> None:
    for table in tables.sorted_tables:
        if sql.scalar(select(func.count()).select_from(table)):
            raise Conflict(f"the database has rows already, in {table.name}", "name an empty database, or a new schema")


def _sweep(target: Engine, tables: MetaData) -> None:
    try:
        with transaction(target, Intent.WRITE) as sql:
            drop_triggers(sql, tables)
            for table in reversed(tables.sorted_tables):
                sql.execute(delete(table))
            set_triggers(sql, tables)
    finally:
        target.dispose()
