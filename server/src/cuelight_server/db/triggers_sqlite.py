"""The triggers on SQLite: what is written once stays, whoever asks, also a database tool."""

from sqlalchemy import Connection, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint, text

from cuelight_server.db import schema
from cuelight_server.db.words import NEVER_CHANGES


def triggers(tables: MetaData) -> dict[str, str]:
    """Trigger name -> CREATE TRIGGER statement, for every table that must not change."""
    made: dict[str, str] = {}
    for table in schema.IMMUTABLE:
        if table.metadata is tables:
            made |= _immutable(table)
    if schema.evaluation.metadata is tables:
        made |= _finished_evaluation() | _desk_facts()
    return made


def drop_all(sql: Connection) -> None:
    """Take every trigger off the file, for a migration, which puts today's on again."""
    for name in sql.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        sql.exec_driver_sql(f'DROP TRIGGER "{name}"')


def _immutable(table: Table) -> dict[str, str]:
    """Refuse UPDATE, DELETE, and INSERT over a stored row: INSERT OR REPLACE deletes without a delete trigger."""
    name = table.name
    refuse = f"SELECT RAISE(ABORT, 'a stored {name} {NEVER_CHANGES}')"
    keys = [c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint)]
    same = " OR ".join(_stored(name, [column.name for column in key]) for key in keys)
    return {
        f"{name}_no_update": _trigger(f"{name}_no_update", f"UPDATE ON {name}", refuse),
        f"{name}_no_delete": _trigger(f"{name}_no_delete", f"DELETE ON {name}", refuse),
        f"{name}_no_replace": _trigger(
            f"{name}_no_replace",
            f"INSERT ON {name} WHEN {same}",
            f"SELECT RAISE(ABORT, 'this {name} is stored already')",
        ),
    }


def _stored(table: str, key: list[str]) -> str:
    equal = " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {equal})"  # noqa: S608  names out of our own schema


def _finished_evaluation() -> dict[str, str]:
    """An evaluation and its results are open until it is finished, and evidence from then on."""
    refuse = f"SELECT RAISE(ABORT, 'a finished evaluation {NEVER_CHANGES}')"
    finished = "EXISTS (SELECT 1 FROM evaluation WHERE id = {}.evaluation AND finished_at IS NOT NULL)"
    events = {
        "evaluation_no_update": "UPDATE ON evaluation WHEN OLD.finished_at IS NOT NULL",
        "evaluation_no_delete": "DELETE ON evaluation WHEN OLD.finished_at IS NOT NULL",
        "evaluation_no_replace": (
            "INSERT ON evaluation WHEN EXISTS (SELECT 1 FROM evaluation WHERE id = NEW.id AND finished_at IS NOT NULL)"
        ),
        "evaluation_result_no_insert": f"INSERT ON evaluation_result WHEN {finished.format('NEW')}",
        "evaluation_result_no_update": f"UPDATE ON evaluation_result WHEN {finished.format('OLD')}",
        "evaluation_result_no_delete": f"DELETE ON evaluation_result WHEN {finished.format('OLD')}",
    }
    return {name: _trigger(name, moment, refuse) for name, moment in events.items()}


def _desk_facts() -> dict[str, str]:
    """A desk stays what it was made as (demo or not); only its epoch changes, when a backup is restored."""
    refuse = f"SELECT RAISE(ABORT, 'what a desk was made as {NEVER_CHANGES}')"
    events = {
        "desk_no_update": "UPDATE ON desk WHEN OLD.key <> 'epoch' OR NEW.key <> OLD.key",
        "desk_no_delete": "DELETE ON desk",
        "desk_no_replace": "INSERT ON desk WHEN EXISTS (SELECT 1 FROM desk WHERE key = NEW.key)",
    }
    return {name: _trigger(name, moment, refuse) for name, moment in events.items()}


def _trigger(name: str, moment: str, action: str) -> str:
    return f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {moment} BEGIN {action}; END"
