"""The allow-list on PostgreSQL: what is listed is written without the door, and nothing else, however it is spelled."""

import pytest
from sqlalchemy import insert, select, text, update

from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, open_calls, open_registry, reading, transaction
from cuelight_server.db.operational import operational
from cuelight_server.db.writing import governed
from cuelight_server.kernel.errors import Denied

pytestmark = pytest.mark.database("postgresql")

AT = "2026-01-05T09:00:00.000000Z"
ACTOR = {"id": "mei.tanaka", "name": "Mei", "kind": "person", "admin": False, "created_at": AT}
TOKEN = {"id": "t1", "actor": "mei.tanaka", "secret_hash": "x", "created_at": AT}
EVERY_TABLE = sorted([*schema.registry.tables.values(), *schema.calls.tables.values()], key=lambda table: table.name)


@pytest.fixture
def registry(tmp_path, databases):
    engine = open_registry(tmp_path, databases("desk"))
    yield engine
    engine.dispose()


@pytest.fixture
def calls(tmp_path, databases):
    engine = open_calls(tmp_path, databases("desk"))
    yield engine
    engine.dispose()


OPERATIONAL = {
    "checkpoint": "insert",
    "checkpoint_sink": "insert update",
    "client_seen": "insert update delete",
    "idempotency_key": "delete",
    "answer_cache": "insert update delete",
    "evaluation": "update:state,done,total,attempts,worker,heartbeat_at,spend",
    "evaluation_result": "insert update",
    "review_answer": "insert update:better,live,note,answered_at",
    "session": "insert delete update:last_seen_at",
    "sign_in_flow": "insert delete",
    "sign_in_tries": "insert update delete",
    "token": "update:last_used_at",
    "workload_token": "insert delete",
    "call": "insert update",
}


def may_do(table, what, column=""):
    allowed = OPERATIONAL.get(table.name, "").split()
    return what in allowed or any(each.startswith(what + ":") and column in each[7:].split(",") for each in allowed)


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_operational_writes_reach_what_is_listed_and_no_other_table_or_column(registry, calls, table):
    engine = registry if table.metadata is schema.registry else calls
    nowhere = f'"{table.name}" WHERE false'
    tries = {
        f'INSERT INTO "{table.name}" SELECT * FROM {nowhere}': may_do(table, "insert"),
        f"DELETE FROM {nowhere}": may_do(table, "delete"),
    } | {
        f'UPDATE "{table.name}" SET "{c.name}" = "{c.name}" WHERE false': may_do(table, "update", c.name)
        for c in table.columns
    }
    for statement, allowed in tries.items():
        if allowed:
            with operational(engine) as sql:
                sql.execute(text(statement))
        else:
            with pytest.raises(Denied), operational(engine) as sql:
                sql.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER version_no_update ON version",
        "CREATE TABLE mine (x int)",
        "SELECT * INTO mine FROM actor",
        "ALTER TABLE version ADD COLUMN x int",
        "TRUNCATE client_seen",
        "SET cuelight.writes = 'governed'",
        "SELECT set_config('cuelight.writes', 'governed', true)",
        "/* x */ SET cuelight.writes = 'governed'",
        "SELECT 1; DELETE FROM actor",
        "DO $$ BEGIN DELETE FROM actor; END $$",
        "WITH old AS (DELETE FROM actor RETURNING id) SELECT id FROM old",
        "MERGE INTO actor USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
        "UPDATE token SET last_used_at = 'x', revoked_at = NULL",
        "INSERT INTO audit_head VALUES (1, 'x', '[]') ON CONFLICT DO NOTHING",
    ],
)
def test_an_operational_connection_finds_no_way_round(registry, statement):
    with pytest.raises(Denied), operational(registry) as sql:
        sql.exec_driver_sql(statement)


def test_an_operational_refusal_undoes_what_was_allowed_before_it(registry):
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        sql.execute(insert(schema.token).values(TOKEN))
    with pytest.raises(Denied), operational(registry) as sql:
        sql.execute(update(schema.token).values(last_used_at=AT))
        sql.execute(update(schema.token).values(revoked_at=None))
    with reading(registry) as sql:
        assert sql.scalars(select(schema.token.c.last_used_at)).all() == [None]


def test_after_a_governed_write_the_same_connection_is_an_ordinary_one_again(registry):
    with governed(registry) as sql:
        pid = sql.scalar(text("SELECT pg_backend_pid()"))
        sql.execute(insert(schema.actor).values(ACTOR))
    with pytest.raises(Denied), operational(registry) as sql:
        assert sql.scalar(text("SELECT pg_backend_pid()")) == pid
        sql.execute(update(schema.actor).values(admin=True))
    with transaction(registry, Intent.WRITE) as sql:
        sql.execute(update(schema.actor).values(admin=True))
