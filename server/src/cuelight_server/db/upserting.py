"""An insert over what may be there already, in the words of the database that is asked."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(sql: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can be told what to do where the row is there already."""
    return postgresql.insert(table) if sql.dialect.name == "postgresql" else sqlite.insert(table)
