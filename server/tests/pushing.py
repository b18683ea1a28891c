"""What tests of pushing look at: every row of the registry, and the lines of the audit log."""

from sqlalchemy import select

from cuelight_server.audit import store as audit
from cuelight_server.db import schema
from cuelight_server.db.engine import reading


def rows(desk):
    """Every row of every table of the registry but the audit log's, to see that nothing moved."""
    tables = [one for one in schema.registry.sorted_tables if not one.name.startswith("audit")]
    with reading(desk.registry) as sql:
        return {table.name: [tuple(row) for row in sql.execute(select(table))] for table in tables}


def log(desk, since=0):
    with reading(desk.registry) as sql:
        return audit.after(sql, since, 200).items


def size(desk):
    with reading(desk.registry) as sql:
        return audit.head(sql).size


def lines(desk, since=0):
    return [(one.verb, one.subject) for one in log(desk, since)]


def told(entries):
    return [(one["label"], one.get("number")) for one in entries]
