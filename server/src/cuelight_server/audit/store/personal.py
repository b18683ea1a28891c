"""The texts about people that lines only vouch for: read, and erased for good."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from cuelight_server.audit.model import Personal
from cuelight_server.db import schema

_ALL = schema.personal


def of_lines(sql: Connection, lines: Collection[int]) -> list[Personal]:
    """The texts of these lines that are still there; at most as many lines as a page has."""
    found = sql.execute(select(_ALL).where(_ALL.c.seq.in_(lines)))
    return [Personal(**row._mapping) for row in found]  # noqa: SLF001  SQLAlchemy's public name


def every(sql: Connection) -> list[Personal]:
    """All texts that are still there."""
    return [Personal(**row._mapping) for row in sql.execute(select(_ALL))]  # noqa: SLF001  SQLAlchemy's public name


def erase(sql: Connection, person: str) -> int:
    """Take every text about this person away; how many there were."""
    return sql.execute(delete(_ALL).where(_ALL.c.person == person)).rowcount
