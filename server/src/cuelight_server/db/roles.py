"""A PostgreSQL role that can run the server and cannot change evidence: what it is granted, by the tables as they are."""

import re
from collections.abc import Iterator

from sqlalchemy import Engine, MetaData, Table

from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.db.standing import version_table
from cuelight_server.kernel.errors import Invalid

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def grants(registry: Engine, role: str) -> list[str]:
    """The statements that the owner of the tables runs, once and after each migration. Invalid on SQLite."""
    if registry.dialect.name != "postgresql":
        raise Invalid("a SQLite file has no roles", "its triggers refuse; on PostgreSQL set CUELIGHT_DATABASE_URL")
    if not _NAME.fullmatch(role):
        raise Invalid(f"{role!r} is no name of a role", "use lower-case letters, digits and underscores")
    with reading(registry) as sql:
        place = str(sql.exec_driver_sql("SELECT current_schema()").scalar_one())
    return list(_statements(place.replace('"', '""'), role))


def _statements(place: str, role: str) -> Iterator[str]:
    yield f'REVOKE CREATE ON SCHEMA "{place}" FROM "{role}", PUBLIC'
    yield f'GRANT USAGE ON SCHEMA "{place}" TO "{role}"'
    for tables in (schema.registry, schema.calls):
        for table in tables.sorted_tables:
            yield f'REVOKE ALL ON "{place}"."{table.name}" FROM "{role}", PUBLIC'
            yield f'GRANT {", ".join(_rights(table))} ON "{place}"."{table.name}" TO "{role}"'
        yield from _read_only(place, role, tables)


def _read_only(place: str, role: str, tables: MetaData) -> Iterator[str]:
    yield f'GRANT SELECT ON "{place}"."{version_table(tables)}" TO "{role}"'


def _rights(table: Table) -> tuple[str, ...]:
    """What is written once is read and added to; the rest can change, and nothing can be emptied at once."""
    if table in schema.IMMUTABLE:
        return ("SELECT", "INSERT")
    return ("SELECT", "INSERT", "UPDATE", "DELETE")
