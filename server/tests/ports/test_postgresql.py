"""PostgreSQL as a port: what it promises us, and that its triggers answer whoever asks."""

# long because: one port, and every table of the desk is tried through it

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError

from cuelight_server.db import schema
from cuelight_server.db.engine import open_calls, open_registry, reading
from cuelight_server.db.failures_postgresql import our_kind
from cuelight_server.db.operational import operational
from cuelight_server.db.upserting import upsert
from cuelight_server.db.writing import governed
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, Unavailable
from cuelight_server.telemetry import store as telemetry
from cuelight_server.telemetry.model import Call

pytestmark = pytest.mark.database("postgresql")

AT = "2026-01-05T09:00:00.000000Z"
ACTOR = {"id": "mei.tanaka", "name": "Mei", "kind": "person", "admin": False, "created_at": AT}
TOKEN = {"id": "t1", "actor": "mei.tanaka", "secret_hash": "x", "created_at": AT}
EVERY_TABLE = sorted([*schema.registry.tables.values(), *schema.calls.tables.values()], key=lambda table: table.name)


@pytest.fixture
def where(databases):
    return databases("desk")


@pytest.fixture
def registry(tmp_path, where):
    engine = open_registry(tmp_path, where)
    yield engine
    engine.dispose()


@pytest.fixture
def calls(tmp_path, where):
    engine = open_calls(tmp_path, where)
    yield engine
    engine.dispose()


@pytest.fixture
def psql(registry):
    """A database tool that knows nothing of us: its own connection, every statement committed."""
    url = registry.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def raw(psql):
    """The same tool, told how to pass the guards."""
    psql.execute("SET cuelight.writes = 'governed'")
    return psql


def put_a_row(raw, table):
    """One row, whatever the foreign keys say."""
    kinds = {int: 1, bool: True, bytes: b"x"}
    values = {column.name: kinds.get(column.type.python_type, "x") for column in table.columns}
    marks = ", ".join("%s" for _ in values)
    raw.execute("SET session_replication_role = replica")
    raw.execute(f'INSERT INTO "{table.name}" VALUES ({marks})', list(values.values()))
    raw.execute("SET session_replication_role = origin")


def rows(raw, table):
    return raw.execute(f'SELECT * FROM "{table}"').fetchall()


@pytest.mark.parametrize("enter", [reading, lambda engine: engine.begin()], ids=["reading", "a plain transaction"])
def test_what_is_not_opened_for_writing_cannot_write(registry, enter):
    with pytest.raises(InternalError, match="read-only"), enter(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


def test_a_connection_that_read_before_can_write_afterwards_and_the_other_way_round(registry):
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == []
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == ["mei.tanaka"]
    with pytest.raises(InternalError), reading(registry) as sql:
        sql.execute(update(schema.actor).values(name="x"))


def test_a_governed_transaction_that_fails_leaves_nothing(registry):
    with pytest.raises(ZeroDivisionError), governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        1 / 0  # noqa: B018  the failure
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == []


def test_a_reader_sees_one_moment_and_waits_for_no_writer(registry):
    with reading(registry) as before:
        assert before.scalars(select(schema.actor.c.id)).all() == []
        with governed(registry) as sql:
            sql.execute(insert(schema.actor).values(ACTOR))
        assert before.scalars(select(schema.actor.c.id)).all() == []
    with reading(registry) as afterwards:
        assert afterwards.scalars(select(schema.actor.c.id)).all() == ["mei.tanaka"]


def test_a_second_governed_writer_waits_for_the_first_and_sees_what_it_wrote(registry):
    inside, waiting, seen = threading.Event(), threading.Event(), []

    def second():
        inside.wait()
        waiting.set()
        with governed(registry) as sql:
            seen.extend(sql.scalars(select(schema.actor.c.id)).all())

    thread = threading.Thread(target=second)
    thread.start()
    with governed(registry) as sql:
        inside.set()
        waiting.wait()
        thread.join(0.1)
        assert seen == []
        sql.execute(insert(schema.actor).values(ACTOR))
    thread.join()
    assert seen == ["mei.tanaka"]


def test_two_desks_in_one_database_do_not_wait_for_each_other(registry, databases, tmp_path):
    other = open_registry(tmp_path, databases("other"))
    with governed(registry) as sql, governed(other) as beside:
        sql.execute(insert(schema.actor).values(ACTOR))
        assert beside.scalars(select(schema.actor.c.id)).all() == []
    other.dispose()


def test_an_operational_write_does_not_wait_for_a_governed_one(registry, raw):
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        sql.execute(insert(schema.token).values(TOKEN))
    with governed(registry), operational(registry) as sql:
        sql.execute(update(schema.token).values(last_used_at=AT))
    assert raw.execute("SELECT last_used_at FROM token").fetchall() == [(AT,)]


@pytest.mark.parametrize("table", schema.IMMUTABLE, ids=lambda table: table.name)
def test_what_is_written_once_refuses_a_database_tool(raw, table):
    put_a_row(raw, table)
    before = rows(raw, table.name)
    column = next(iter(table.columns)).name
    for statement in (
        f'UPDATE {table.name} SET "{column}" = "{column}"',
        f"DELETE FROM {table.name}",
        f"INSERT INTO {table.name} SELECT * FROM {table.name} ON CONFLICT ("
        + ", ".join(f'"{key.name}"' for key in table.primary_key)
        + f') DO UPDATE SET "{column}" = excluded."{column}"',
    ):
        with pytest.raises(psycopg.DatabaseError, match=f"a stored {table.name} never changes"):
            raw.execute(statement)
    with pytest.raises(psycopg.DatabaseError, match="never changes"):  # its own words, or those of what hangs on it
        raw.execute(f"TRUNCATE {table.name} CASCADE")
    assert rows(raw, table.name) == before


WORDS = {"checkpoint": "governed|null value"}  # inserted without the door, never changed


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_a_slip_in_a_database_tool_writes_no_table(psql, calls, table):
    column = next(iter(table.columns)).name
    passing = {"answer_cache", "session", "sign_in_tries", "sign_in_flow", "workload_token", "review_answer"}
    allowed = {"checkpoint_sink", "client_seen", "evaluation_result", "call", *passing}  # the operational ones
    for statement in (f'INSERT INTO "{table.name}" DEFAULT VALUES', f'UPDATE "{table.name}" SET "{column}" = NULL'):
        if table.name not in allowed:
            with pytest.raises(psycopg.DatabaseError, match=WORDS.get(table.name, "governed")):
                psql.execute(statement)
    with pytest.raises(psycopg.DatabaseError, match=r"governed|never changes"):
        psql.execute(f'TRUNCATE "{table.name}" CASCADE')


def test_our_own_code_is_refused_in_our_own_words(registry, raw):
    put_a_row(raw, schema.version)
    with pytest.raises(Blocked, match="a stored version never changes") as refused, governed(registry) as sql:
        sql.execute(update(schema.version).values(content="better"))
    assert refused.value.hint
    row = dict(zip((c.name for c in schema.version.columns), rows(raw, "version")[0], strict=True))
    with pytest.raises(Blocked), governed(registry) as sql:
        new = upsert(sql, schema.version).values(row)
        sql.execute(new.on_conflict_do_update(index_elements=["prompt", "number"], set_={"content": "better"}))


def test_a_demo_desk_stays_one_but_a_restored_desk_gets_a_new_epoch(raw):
    raw.execute("INSERT INTO desk VALUES ('demo', 'true'), ('epoch', 'one')")
    for statement in (
        "UPDATE desk SET value = 'false' WHERE key = 'demo'",
        "UPDATE desk SET key = 'demo' WHERE key = 'epoch'",
        "DELETE FROM desk",
        "TRUNCATE desk",
    ):
        with pytest.raises(psycopg.DatabaseError, match="never changes"):
            raw.execute(statement)
    raw.execute("UPDATE desk SET value = 'two' WHERE key = 'epoch'")
    assert dict(rows(raw, "desk")) == {"demo": "true", "epoch": "two"}


def test_an_evaluation_is_open_until_it_is_finished_and_evidence_from_then_on(raw):
    put_a_row(raw, schema.evaluation_result)
    raw.execute("UPDATE evaluation_result SET passed = false")
    put_a_row(raw, schema.evaluation)  # its finished_at is set
    for statement in (
        "UPDATE evaluation SET verdict = 'pass'",
        "DELETE FROM evaluation",
        "UPDATE evaluation_result SET passed = true",
        "DELETE FROM evaluation_result",
        "TRUNCATE evaluation CASCADE",
        "INSERT INTO evaluation_result VALUES ('x', 'baseline', 'x', 1, true, '{}')",
    ):
        with pytest.raises(psycopg.DatabaseError, match="a finished evaluation never changes"):
            raw.execute(statement)


def test_a_result_that_arrives_while_the_evaluation_is_being_finished_is_not_added_to_the_evidence(registry, raw):
    put_a_row(raw, schema.evaluation)
    raw.execute("SET session_replication_role = replica")
    raw.execute("UPDATE evaluation SET finished_at = NULL")
    told = []

    def late():
        row = {"evaluation": "x", "arm": "baseline", "case_id": "C9", "sample": 1, "passed": True, "document": "{}"}
        try:
            with operational(registry) as sql:
                sql.execute(insert(schema.evaluation_result).values(row))
        except Blocked as refused:
            told.append(refused.message)

    thread = threading.Thread(target=late)
    with governed(registry) as sql:
        sql.execute(update(schema.evaluation).values(finished_at=AT))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join()
    assert told == ["a finished evaluation never changes"]
    assert rows(raw, "evaluation_result") == []


def test_foreign_keys_hold_and_are_no_conflict(registry):
    with pytest.raises(IntegrityError), governed(registry) as sql:
        sql.execute(insert(schema.token).values(TOKEN))


def test_a_taken_key_is_a_conflict(registry):
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
    with pytest.raises(Conflict), governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


@pytest.mark.parametrize("name", ["n" * 121, "a\x00b"], ids=["too long", "a NUL"])
def test_what_does_not_fit_a_column_is_invalid(registry, name):
    with pytest.raises(Invalid) as refused, governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR | {"name": name}))
    assert refused.value.hint


def test_a_writer_that_waits_too_long_is_told_so(registry, raw):
    with raw.transaction():
        raw.execute("SELECT pg_advisory_xact_lock(hashtextextended('cuelight ' || current_schema(), 0))")
        with pytest.raises(Unavailable, match="busy") as refused, governed(registry, wait_ms=50):
            pass
    assert refused.value.hint
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


def test_of_two_writers_that_lock_each_other_out_one_is_told_to_try_again(registry, raw):
    raw.execute("SET deadlock_timeout = '10ms'")
    for id in ("a", "b"):
        raw.execute(
            "INSERT INTO client_seen VALUES ('crm', %s, 'staging', 1, 'e', 'x')",
            (id,),
        )
    together, told = threading.Barrier(2), []

    def touch(first, second):
        try:
            with operational(registry) as sql:
                sql.execute(update(schema.client_seen).where(schema.client_seen.c.client == first).values(epoch="x"))
                together.wait()
                sql.execute(update(schema.client_seen).where(schema.client_seen.c.client == second).values(epoch="x"))
        except Unavailable as refused:
            told.append(refused.message)

    threads = [threading.Thread(target=touch, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["the database is busy with another writer"]


def test_a_connection_that_breaks_is_unavailable_and_the_next_one_works(registry, raw):
    with pytest.raises(Unavailable, match="does not answer"), governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        raw.execute("SELECT pg_terminate_backend(%s)", (sql.scalar(text("SELECT pg_backend_pid()")),))
        sql.execute(select(schema.actor))
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == []


def test_a_server_that_was_restarted_costs_no_request(registry, raw):
    with reading(registry) as sql:
        pid = sql.scalar(text("SELECT pg_backend_pid()"))
    raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))  # wait until it is gone
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        assert sql.scalar(text("SELECT pg_backend_pid()")) != pid


def test_words_are_in_the_order_of_their_code_points_whatever_the_servers_language(registry, raw):
    assert raw.execute("SELECT 'a' < 'B'").fetchone() == (True,)  # the server's own order is another one
    with governed(registry) as sql:
        sql.execute(insert(schema.actor), [ACTOR | {"id": id} for id in ("a-b", "B", "a", "ab", "é", "_")])
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id).order_by(schema.actor.c.id)).all() == sorted(
            ["a-b", "B", "a", "ab", "é", "_"]
        )


def test_many_who_send_the_same_calls_at_once_keep_each_of_them_once(calls):
    def call(number):
        return Call(
            id=f"c{number:03}",
            at=AT,
            environment="staging",
            prompt="sales.x",
            number=1,
            digest=None,
            reason="live",
            ok=True,
            document={},
        )

    sent = [call(number) for number in range(60)]
    together = threading.Barrier(8)

    def send(turn):
        together.wait()
        with operational(calls) as sql:
            return telemetry.insert_new(sql, sent[:: -1 if turn % 2 else 1])

    with ThreadPoolExecutor(8) as crowd:
        new = list(crowd.map(send, range(8)))
    assert sum(new) == 60
    with reading(calls) as sql:
        assert len(sql.scalars(select(schema.call.c.id)).all()) == 60


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("40001", Unavailable),
        ("40P01", Unavailable),
        ("55P03", Unavailable),
        ("57014", Unavailable),
        ("25006", Unavailable),
        ("53100", Unavailable),
        ("53300", Unavailable),
        ("08006", Unavailable),
        ("57P01", Unavailable),
        ("58030", Unavailable),
        ("XX001", Unavailable),
        ("28P01", Unavailable),
        ("3D000", Unavailable),
        ("42501", Unavailable),
        ("CU001", Blocked),
        ("CU002", Denied),
        ("23505", Conflict),
        ("22001", Invalid),
        ("22003", Invalid),
    ],
)
def test_each_failure_of_the_database_has_one_of_our_kinds_and_a_hint(state, kind, database):
    error = psycopg.DatabaseError("it failed")
    error.sqlstate = state
    found = our_kind(error)
    assert type(found) is kind
    assert found.hint


@pytest.mark.parametrize("state", ["42P01", "42601", "23502", "23503", "22P02"])
def test_a_mistake_in_the_program_is_not_dressed_up(state, registry):
    error = psycopg.DatabaseError("no such table: versions")
    error.sqlstate = state
    assert our_kind(error) is None
    with pytest.raises(ProgrammingError), reading(registry) as sql:
        sql.execute(text("SELECT * FROM versions"))
