"""What a transaction is for: reading is the default, and whoever wants to write has to come through a door."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_MS = 5000  # how long a transaction waits for its turn to write, unless it says otherwise


class Intent(StrEnum):
    """What a transaction is for."""

    READ = "read"
    WRITE = "write"
    OPERATIONAL = "operational"


@contextmanager
def transaction(engine: Engine, intent: Intent, *, wait_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Connection]:
    """One transaction; for WRITE it waits for its turn before the first statement, so that writers stand in a row.

    For `db.writing`, `db.operational`, `db.standing`, `db.migrating`, `db.copying` and `reading` only: others use one of those.
    """
    with engine.connect().execution_options(cuelight_intent=intent, cuelight_wait_ms=wait_ms) as sql, sql.begin():
        yield sql


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read-only view of one moment: it waits for no writer, and a write through it fails."""
    with transaction(engine, Intent.READ) as sql:
        yield sql


def intent_of(sql: Connection | None) -> Intent:
    """What the transaction of this connection is for; READ where nobody said."""
    return Intent(sql.get_execution_options().get("cuelight_intent", Intent.READ)) if sql else Intent.READ


def patience_of(sql: Connection) -> int:
    """How many milliseconds the transaction of this connection waits for others."""
    return int(sql.get_execution_options().get("cuelight_wait_ms", BUSY_TIMEOUT_MS))
