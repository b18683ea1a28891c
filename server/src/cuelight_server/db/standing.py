"""How a store stands against this server: new, of today, older or newer; and making what is missing."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, select, text

from cuelight_server.db import schema
from cuelight_server.db.migrations import TODAY, Line
from cuelight_server.db.transactions import Intent, reading, transaction
from cuelight_server.db.triggers import set_triggers, triggers
from cuelight_server.kernel.errors import Unavailable

_NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')",
    # A trigger that somebody switched off counts as missing.
    "postgresql": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    """,
}


class Standing(StrEnum):
    """What can be done with a store: make it, use it, migrate it, or leave it to a newer server."""

    NEW = "new"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


def version_table(tables: MetaData) -> str:
    """Where Alembic keeps the revision; two names, for both stores may live in one PostgreSQL schema."""
    return "alembic_version" if tables is schema.registry else "alembic_version_calls"


def standing(revision: str | None, revisions: Sequence[str]) -> Standing:
    """Pure: a revision that this server has never heard of comes from a newer one."""
    if revision is None:
        return Standing.NEW
    if revision not in revisions:
        return Standing.NEWER
    return Standing.CURRENT if revision == revisions[-1] else Standing.OLDER


def revision_of(sql: Connection, tables: MetaData, line: Line = TODAY) -> str | None:
    """The revision of a store; a store made before there were revisions is at the first; None when it is empty."""
    there = names(sql)
    if version_table(tables) in there:
        found: str | None = sql.scalar(select(_stamped(tables).c.version_num))
        if found is not None:
            return found
    return line.revisions[0] if there & set(tables.tables) else None


def registry_revision(sql: Connection) -> str | None:
    """The revision of the registry."""
    return revision_of(sql, schema.registry)


def is_made(engine: Engine, tables: MetaData) -> bool:
    """Whether the store has its tables, or some of them."""
    with reading(engine) as sql:
        return bool(names(sql) & set(tables.tables))


def make_missing(engine: Engine, tables: MetaData, line: Line = TODAY) -> None:
    """Make what is missing in a store of today; a complete one is only read, so a read-only disk can be looked at.

    Unavailable when the store is of another schema than this server's.
    """
    with reading(engine) as sql:
        _check(revision_of(sql, tables, line), line)
        missing = {*tables.tables, *triggers(tables, sql.dialect.name), version_table(tables)} - names(sql)
    if not missing:
        return
    with transaction(engine, Intent.WRITE) as sql:
        _check(revision_of(sql, tables, line), line)  # another server may have been quicker
        tables.create_all(sql)
        set_triggers(sql, tables)
        stamp(sql, tables, line.revisions[-1])


def stamp(sql: Connection, tables: MetaData, revision: str) -> None:
    """Write the revision of a store that says none; one that says one keeps it."""
    stamped = _stamped(tables)
    stamped.create(sql, checkfirst=True)
    if sql.scalar(select(stamped.c.version_num)) is None:
        sql.execute(insert(stamped).values(version_num=revision))


def names(sql: Connection) -> set[str]:
    """The tables and triggers of the file, or of the PostgreSQL schema that new tables would go to."""
    return set(sql.scalars(text(_NAMES[sql.dialect.name])))


def _stamped(tables: MetaData) -> Table:
    """Alembic's own table, in its own shape."""
    return Table(version_table(tables), MetaData(), Column("version_num", String(32), primary_key=True))


def _check(revision: str | None, line: Line) -> None:
    match standing(revision, line.revisions):
        case Standing.OLDER:
            raise Unavailable(
                f"the desk's tables are of an older Cuelight (schema {revision}, this server wants {line.revisions[-1]})",
                "make a backup, then run `cuelight-server migrate`",
            )
        case Standing.NEWER:
            raise Unavailable(
                f"the desk's tables are of a newer Cuelight (schema {revision}, this server knows {line.revisions[-1]})",
                "upgrade cuelight-server to the version that made them, or a newer one",
            )
