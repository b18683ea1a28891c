"""No foreign key takes evidence along: what is deleted elsewhere never reaches it, in the tables and in the databases."""

import pytest
from sqlalchemy import text

from cuelight_server.db import schema
from cuelight_server.db.engine import reading

KEYS = [
    pytest.param(key, id=f"{table.name}.{key.parent.name}")
    for tables in (schema.registry, schema.calls)
    for table in tables.sorted_tables
    for key in sorted(table.foreign_keys, key=lambda one: one.parent.name)
]


def test_there_are_foreign_keys_to_look_at():
    assert len(KEYS) > 15


@pytest.mark.parametrize("key", KEYS)
def test_no_foreign_key_cascades(key):
    assert key.ondelete is None
    assert key.onupdate is None


def test_nothing_points_at_what_can_be_erased_and_the_log_points_at_nothing():
    for one in (schema.personal, schema.audit_event, schema.audit_head, schema.checkpoint, schema.signing_key):
        assert not one.foreign_keys
        assert not [
            key for table in schema.registry.sorted_tables for key in table.foreign_keys if key.column.table is one
        ]


def test_the_database_itself_says_the_same(desk):
    with reading(desk.registry) as sql:
        if sql.dialect.name == "sqlite":
            rules = {
                rule
                for name in schema.registry.tables
                for row in sql.exec_driver_sql(f'PRAGMA foreign_key_list("{name}")')
                for rule in (row[5], row[6])
            }
            assert rules == {"NO ACTION"}
        else:
            query = "SELECT DISTINCT confdeltype::text, confupdtype::text FROM pg_constraint WHERE contype = 'f'"
            assert sql.execute(text(query)).all() == [("a", "a")]
