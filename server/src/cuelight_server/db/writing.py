"""The governed transaction: only `control/door.py` opens it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from cuelight_server.db.transactions import Intent, transaction


@contextmanager
def governed(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write every table; commits on leaving, rolls everything back on any exception."""
    with transaction(engine, Intent.WRITE) as sql:
        yield sql
