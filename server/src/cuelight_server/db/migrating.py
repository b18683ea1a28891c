"""Bringing the tables of a desk up to this server's schema: what would be done, and doing it in one transaction each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

from cuelight_server.db import schema
from cuelight_server.db.engine import FILES, Databases, calls_engine, registry_engine, registry_is_made
from cuelight_server.db.migrations import TODAY, Line
from cuelight_server.db.standing import Standing, names, revision_of, stamp, standing, version_table
from cuelight_server.db.transactions import Intent, reading, transaction
from cuelight_server.db.triggers import drop_triggers, set_triggers
from cuelight_server.kernel.errors import NotFound, Unavailable

After = Callable[[Connection, str, str], None]
_STORES: Mapping[str, MetaData] = {"registry": schema.registry, "calls": schema.calls}
_ENGINES = {"registry": registry_engine, "calls": calls_engine}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One revision that a store still has to go through; `what` is the first line of its file."""

    revision: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a migration does to one store; nothing when `steps` is empty and `stamped` true."""

    store: str
    revision: str | None
    steps: tuple[Step, ...]
    stamped: bool

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps and self.stamped

    @property
    def lines(self) -> tuple[str, ...]:
        """What would be done, in words, a line each."""
        if self.idle:
            return (f"{self.store}: at {self.revision}, up to date",)
        marked = () if self.stamped or not self.revision else (f"{self.store}: mark the tables as {self.revision}",)
        return marked + tuple(f"{self.store}: {step.what}" for step in self.steps)


def plans(folder: Path, databases: Databases = FILES, line: Line = TODAY) -> tuple[Plan, ...]:
    """What `migrate` would do; NotFound where there is no desk, Unavailable where a newer Cuelight was."""
    with _engines(folder, databases) as engines:
        return tuple(_plan(engine, store, line) for store, engine in engines.items())


def migrate(folder: Path, databases: Databases = FILES, line: Line = TODAY, after: After | None = None) -> None:
    """Bring both stores to the newest revision; each in one transaction, with its triggers away only inside it.

    `after` is called inside the registry's, once its tables are of today: with the revisions from which and to which.
    """
    with _engines(folder, databases) as engines:
        for store, engine in engines.items():
            with transaction(engine, Intent.WRITE) as sql:
                before = revision_of(sql, _STORES[store], line)
                bring_up(sql, store, line)
                if store == "registry" and after is not None and before not in (None, line.revisions[-1]):
                    after(sql, str(before), line.revisions[-1])


def context(sql: Connection, store: str, **more: Any) -> MigrationContext:
    """Alembic on one store: types and defaults are compared, the other store's tables are not looked at."""
    tables = _STORES[store]

    def ours(_found: object, name: str | None, kind: str, *_more: object) -> bool:
        return kind != "table" or name in tables.tables

    options = {"version_table": version_table(tables), "compare_type": True, "include_object": ours, "store": store}
    return MigrationContext.configure(sql, opts=options | more)


def bring_up(sql: Connection, store: str, line: Line = TODAY) -> None:
    """Bring one store up in the transaction of this connection; an empty one goes through every revision."""
    tables, script = _STORES[store], _script(line)
    if revision_of(sql, tables, line) is not None:
        stamp(sql, tables, line.revisions[0])  # made before there were revisions, where it says none
    drop_triggers(sql, tables)
    alembic = context(sql, store, fn=lambda at, _context: script._upgrade_revs("head", at))  # noqa: SLF001  as Alembic's manual has it
    with Operations.context(alembic):
        alembic.run_migrations()
    set_triggers(sql, tables)
    if sql.dialect.name == "sqlite" and sql.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise Unavailable(f"the migration of the {store} would leave rows that point at nothing", "report this")


def _plan(engine: Engine, store: str, line: Line) -> Plan:
    tables = _STORES[store]
    with reading(engine) as sql:
        revision, stamped = revision_of(sql, tables, line), version_table(tables) in names(sql)
    if standing(revision, line.revisions) is Standing.NEWER:
        raise Unavailable(f"the {store} is of a newer Cuelight (schema {revision})", "upgrade cuelight-server")
    left = line.revisions[line.revisions.index(revision) + 1 :] if revision else line.revisions
    return Plan(store=store, revision=revision, stamped=stamped, steps=tuple(_step(one, line) for one in left))


def _step(revision: str, line: Line) -> Step:
    return Step(revision=revision, what=_script(line).get_revision(revision).doc)


def _script(line: Line) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(line.folder))
    return ScriptDirectory.from_config(config)


@contextmanager
def _engines(folder: Path, databases: Databases) -> Iterator[dict[str, Engine]]:
    if not registry_is_made(folder, databases):
        raise NotFound("there is no desk to migrate", "make one with `cuelight-server init`, or set CUELIGHT_DATA")
    opened: dict[str, Any] = {store: make(folder, databases, migrating=True) for store, make in _ENGINES.items()}
    try:
        yield opened
    finally:
        for engine in opened.values():
            engine.dispose()
