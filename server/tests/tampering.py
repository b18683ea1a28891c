"""What somebody does who has the database itself in hand: no door, no guard, no trigger."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from cuelight_server.control.desk import Desk


def behind_our_back(desk: Desk, *statements: str | tuple[str, tuple[Any, ...]]) -> None:
    """Run these on the registry, past everything; a value is a `?` on either database."""
    with a_tool(desk) as raw:
        if isinstance(raw, sqlite3.Connection):
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
        else:
            raw.execute("SET session_replication_role = replica")
        for one in statements:
            statement, values = (one, ()) if isinstance(one, str) else one
            raw.execute(statement if isinstance(raw, sqlite3.Connection) else statement.replace("?", "%s"), values)


@contextmanager
def a_tool(desk: Desk) -> Iterator[Any]:
    """A database tool that knows nothing of us, on the registry: its own connection, every statement committed."""
    if desk.registry.dialect.name == "sqlite":
        raw: Any = sqlite3.connect(str(desk.registry.url.database), isolation_level=None)
    else:
        url = desk.registry.url.set(drivername="postgresql").render_as_string(hide_password=False)
        raw = psycopg.connect(url, autocommit=True)
        raw.execute("SET cuelight.writes = 'governed'")  # whoever reads our triggers knows how to pass the guard
    try:
        yield raw
    finally:
        raw.close()


REFUSED = (sqlite3.IntegrityError, psycopg.DatabaseError)
"""What the tool gets when a trigger says no."""
