"""SQLite as a port: what it promises us, and that its triggers and allow-list answer whoever asks."""

import sqlite3
import stat
import threading

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError, OperationalError

from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, open_calls, open_registry, reading, transaction
from cuelight_server.db.failures import our_kind
from cuelight_server.db.operational import operational
from cuelight_server.db.writing import governed
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, Unavailable

AT = "2026-01-05T09:00:00.000000Z"
ACTOR = {"id": "mei.tanaka", "name": "Mei", "kind": "person", "admin": False, "created_at": AT}
TOKEN = {"id": "t1", "actor": "mei.tanaka", "secret_hash": "x", "created_at": AT}
EVERY_TABLE = sorted([*schema.registry.tables.values(), *schema.calls.tables.values()], key=lambda table: table.name)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "desk"


@pytest.fixture
def registry(folder):
    engine = open_registry(folder)
    yield engine
    engine.dispose()


@pytest.fixture
def calls(registry, folder):
    engine = open_calls(folder)
    yield engine
    engine.dispose()


@pytest.fixture
def raw(registry, folder):
    """A database tool that knows nothing of us: its own connection, foreign keys off."""
    connection = sqlite3.connect(folder / "registry.db", isolation_level=None)
    yield connection
    connection.close()


def put_a_row(raw, table):
    values = {column.name: 1 if column.type.python_type in (int, bool) else "x" for column in table.columns}
    marks = ", ".join("?" for _ in values)
    raw.execute(f"INSERT INTO {table.name} VALUES ({marks})", list(values.values()))


def rows(raw, table):
    return raw.execute(f"SELECT * FROM {table}").fetchall()


def test_the_folder_and_every_file_in_it_are_for_their_owner_only(registry, calls, folder):
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes.pop("desk") == 0o700
    assert {"registry.db", "registry.db-wal", "registry.db-shm", "calls.db"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_an_empty_folder_that_others_could_enter_is_closed_to_them(folder):
    folder.mkdir(mode=0o755)
    open_registry(folder).dispose()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_full_of_other_things_is_refused_and_left_as_it_was(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(Invalid):
        open_registry(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_commit_of_the_registry_is_on_disk_and_foreign_keys_hold(registry, calls):
    for engine, synchronous in ((registry, 2), (calls, 1)):
        with reading(engine) as sql:
            asked = {
                name: sql.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
            }
        assert asked == {"journal_mode": "wal", "synchronous": synchronous, "foreign_keys": 1}
    with pytest.raises(IntegrityError), governed(registry) as sql:
        sql.execute(insert(schema.token).values(TOKEN))


@pytest.mark.parametrize("enter", [reading, lambda engine: engine.begin()], ids=["reading", "a plain transaction"])
def test_what_is_not_opened_for_writing_cannot_write(registry, enter):
    with pytest.raises(OperationalError, match="readonly"), enter(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


def test_a_connection_that_read_before_can_write_afterwards_and_the_other_way_round(registry):
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == []
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == ["mei.tanaka"]


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


def test_a_second_writer_waits_for_the_first_instead_of_failing_half_way(registry):
    order = []
    inside, waiting = threading.Event(), threading.Event()

    def second():
        inside.wait()
        waiting.set()
        with governed(registry):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with governed(registry):
        inside.set()
        waiting.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("table", schema.IMMUTABLE, ids=lambda table: table.name)
def test_what_is_written_once_refuses_a_database_tool(raw, table):
    put_a_row(raw, table)
    before = rows(raw, table.name)
    column = next(iter(table.columns)).name
    for statement in (
        f"UPDATE {table.name} SET {column} = {column}",
        f"UPDATE OR REPLACE {table.name} SET {column} = {column}",
        f"DELETE FROM {table.name}",
        f"INSERT OR REPLACE INTO {table.name} SELECT * FROM {table.name}",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=f"a stored {table.name} never changes|stored already"):
            raw.execute(statement)
    assert rows(raw, table.name) == before


def test_an_approval_cannot_be_replaced_through_its_other_key(raw):
    put_a_row(raw, schema.approval)
    with pytest.raises(sqlite3.IntegrityError, match="stored already"):
        raw.execute(
            "INSERT OR REPLACE INTO approval SELECT 'other', prompt, number, environment, binding, role, "
            "person, 'forged', created_at FROM approval"
        )


def test_our_own_code_is_refused_in_our_own_words(registry, raw):
    put_a_row(raw, schema.version)
    with pytest.raises(Blocked, match="a stored version never changes") as refused, governed(registry) as sql:
        sql.execute(update(schema.version).values(content="better"))
    assert refused.value.hint
    with pytest.raises(Conflict), governed(registry) as sql:
        sql.execute(
            insert(schema.version)
            .prefix_with("OR REPLACE")
            .from_select([column.name for column in schema.version.columns], select(schema.version))
        )


def test_a_demo_desk_stays_one_but_a_restored_desk_gets_a_new_epoch(registry, raw):
    raw.executemany("INSERT INTO desk VALUES (?, ?)", [("demo", "true"), ("epoch", "one")])
    for statement in (
        "UPDATE desk SET value = 'false' WHERE key = 'demo'",
        "UPDATE desk SET key = 'demo' WHERE key = 'epoch'",
        "DELETE FROM desk",
        "INSERT OR REPLACE INTO desk VALUES ('demo', 'false')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            raw.execute(statement)
    raw.execute("UPDATE desk SET value = 'two' WHERE key = 'epoch'")
    assert dict(rows(raw, "desk")) == {"demo": "true", "epoch": "two"}


def test_an_evaluation_is_open_until_it_is_finished_and_evidence_from_then_on(raw):
    put_a_row(raw, schema.evaluation_result)
    raw.execute("UPDATE evaluation_result SET passed = 0")
    put_a_row(raw, schema.evaluation)  # its finished_at is set
    for statement in (
        "UPDATE evaluation SET verdict = 'pass'",
        "DELETE FROM evaluation",
        "INSERT OR REPLACE INTO evaluation SELECT * FROM evaluation",
        "UPDATE evaluation_result SET passed = 1",
        "DELETE FROM evaluation_result",
        "INSERT INTO evaluation_result VALUES ('x', 'baseline', 'x', 1, 1, '{}')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="a finished evaluation never changes"):
            raw.execute(statement)


def test_triggers_that_somebody_dropped_are_back_when_the_desk_is_opened(registry, raw, folder):
    raw.execute("DROP TRIGGER version_no_update")
    open_registry(folder).dispose()
    put_a_row(raw, schema.version)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        raw.execute("UPDATE version SET content = 'x'")


def test_a_taken_key_is_a_conflict(registry):
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
    with pytest.raises(Conflict), governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


def test_a_desk_that_another_program_holds_is_unavailable_with_a_hint(registry, raw):
    with registry.connect() as sql:
        sql.exec_driver_sql("PRAGMA busy_timeout = 20")
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy") as refused, governed(registry):
        pass
    assert refused.value.hint
    raw.execute("ROLLBACK")
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))


def test_a_full_disk_is_unavailable_and_leaves_nothing_half_written(registry):
    with registry.connect() as sql:
        pages = sql.exec_driver_sql("PRAGMA page_count").scalar_one()
        sql.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="disk is full"), governed(registry) as sql:
        sql.execute(insert(schema.actor), [ACTOR | {"id": f"p{n}", "name": "n" * 100} for n in range(500)])
    with reading(registry) as sql:
        assert sql.scalars(select(schema.actor.c.id)).all() == []


def test_a_file_that_is_no_database_is_unavailable(folder):
    folder.mkdir()
    (folder / "registry.db").write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="no database") as refused:
        open_registry(folder)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, Unavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Unavailable),
        (sqlite3.SQLITE_READONLY_DBMOVED, Unavailable),
        (sqlite3.SQLITE_READONLY_DIRECTORY, Unavailable),
        (sqlite3.SQLITE_FULL, Unavailable),
        (sqlite3.SQLITE_IOERR_FSYNC, Unavailable),
        (sqlite3.SQLITE_CANTOPEN, Unavailable),
        (sqlite3.SQLITE_CORRUPT, Unavailable),
        (sqlite3.SQLITE_NOTADB, Unavailable),
        (sqlite3.SQLITE_AUTH, Denied),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Conflict),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, Conflict),
    ],
)
def test_each_failure_of_the_database_has_one_of_our_kinds_and_a_hint(code, kind):
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    found = our_kind(error)
    assert type(found) is kind
    assert found.hint


@pytest.mark.parametrize("code", [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_MISUSE])
def test_a_mistake_in_the_program_is_not_dressed_up(code, registry):
    error = sqlite3.OperationalError("no such table: versions")
    error.sqlite_errorcode = code
    assert our_kind(error) is None
    with pytest.raises(OperationalError), reading(registry) as sql:
        sql.execute(text("SELECT * FROM versions"))


OPERATIONAL = {
    "checkpoint": "insert",
    "checkpoint_sink": "insert update",
    "client_seen": "insert update delete",
    "idempotency_key": "delete",
    "evaluation": "update:state,done,total,attempts,worker,heartbeat_at,spend",
    "evaluation_result": "insert update",
    "answer_cache": "insert update delete",
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
    nowhere = f"{table.name} WHERE 0"
    tries = {
        f"INSERT INTO {table.name} SELECT * FROM {nowhere}": may_do(table, "insert"),
        f"DELETE FROM {nowhere}": may_do(table, "delete"),
    } | {
        f'UPDATE {table.name} SET "{c.name}" = "{c.name}" WHERE 0': may_do(table, "update", c.name)
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
        "DROP TRIGGER version_no_update",
        "CREATE TABLE mine (x)",
        "ALTER TABLE version ADD COLUMN x",
        "PRAGMA writable_schema = ON",
        "ATTACH ':memory:' AS aside",
        "WITH old AS (SELECT id FROM actor) DELETE FROM actor WHERE id IN (SELECT id FROM old)",
        "INSERT OR REPLACE INTO audit_head VALUES (1, 'x', '[]')",
        "UPDATE token SET last_used_at = 'x', revoked_at = NULL",
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


def test_after_an_operational_write_the_same_connection_may_do_governed_work_again(registry):
    seen = {"client": "c1", "environment": "staging", "snapshot_version": 1, "epoch": "e", "app": "crm", "seen_at": AT}
    for version in (1, 2):
        with operational(registry) as sql:
            row = upsert(schema.client_seen).values(seen | {"snapshot_version": version})
            sql.execute(row.on_conflict_do_update(set_={"snapshot_version": row.excluded.snapshot_version}))
    with governed(registry) as sql:
        sql.execute(insert(schema.actor).values(ACTOR))
        assert sql.scalars(select(schema.client_seen.c.snapshot_version)).all() == [2]


def test_a_transaction_for_writing_holds_its_place_from_its_first_moment(registry, raw):
    with transaction(registry, Intent.WRITE), pytest.raises(sqlite3.OperationalError, match="locked"):
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("BEGIN IMMEDIATE")
