"""The governed transaction: only `control/door.py` opens it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from cuelight_server.db.transactions import BUSY_TIMEOUT_MS, Intent, transaction


@contextmanager
def governed(engine: Engine, *, wait_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Connection]:
    """A transaction that may write every table; commits on leaving, rolls everything back on any exception."""
    with transaction(engine, Intent.WRITE, wait_ms=wait_ms) as sql:
        yield sql
