"""Where the connections to providers are kept."""

from dataclasses import asdict

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, insert, select, update

from cuelight_server.db.schema import provider_connection as table
from cuelight_server.vault.model import Connection

_MOST = 100


def connection(sql: Sql, provider: str) -> Connection | None:
    """One connection, or None."""
    row = sql.execute(select(table).where(table.c.provider == provider)).one_or_none()
    return None if row is None else Connection(**row._mapping)  # noqa: SLF001  its public name


def connections(sql: Sql) -> list[Connection]:
    """All of them, by name."""
    found = sql.execute(select(table).order_by(table.c.provider).limit(_MOST))
    return [Connection(**row._mapping) for row in found]  # noqa: SLF001  its public name


def save(sql: Sql, new: Connection) -> None:
    """Store it, in the place of the one that was there."""
    values = asdict(new)
    done = sql.execute(update(table).where(table.c.provider == new.provider).values(**values))
    if not done.rowcount:
        sql.execute(insert(table).values(**values))


def remove(sql: Sql, provider: str) -> None:
    """Take it out, sealed key and all."""
    sql.execute(delete(table).where(table.c.provider == provider))
