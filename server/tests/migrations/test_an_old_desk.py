"""A desk that the first revision wrote, with a whole story in it, is brought all the way to today and still proves itself.

`desk_0001.json.gz` holds every row of the sales story as the program of revision 0001 left it: pushed, evaluated,
approved, released, rolled back. It was written once, and is never written again by newer code.
"""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, insert, select, text

from cuelight.exported import verify_file
from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.control.checkpoints import issue
from cuelight_server.control.log_export import export, export_to
from cuelight_server.control.migrating import migrate
from cuelight_server.control.opening import open_desk
from cuelight_server.control.releases import roll_back
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, calls_engine, reading, registry_engine, transaction
from cuelight_server.db.migrating import context
from cuelight_server.db.migrations import TODAY
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Unavailable
from server.tests.tampering import behind_our_back

ROWS = Path(__file__).with_name("desk_0001.json.gz")
PROMPT = "sales.lead_qualification"
ENGINES = {"registry": registry_engine, "calls": calls_engine}


@pytest.fixture(scope="module")
def written():
    """Store -> table -> rows, as the first revision wrote them."""
    return json.loads(gzip.decompress(ROWS.read_bytes()))


@pytest.fixture
def old(untouched, written):
    """Where that desk is: tables of revision 0001, and its rows in them."""
    script = ScriptDirectory(str(TODAY.folder))
    for store, tables in written.items():
        engine = ENGINES[store](*untouched, migrating=True)
        with transaction(engine, Intent.WRITE) as sql:
            alembic = context(sql, store, fn=lambda at, _context: script._upgrade_revs(TODAY.revisions[0], at))
            with Operations.context(alembic):
                alembic.run_migrations()
            there = MetaData()
            there.reflect(sql, only=list(tables))
            for table in there.sorted_tables:
                if tables[table.name]:
                    sql.execute(insert(table), [stored(row) for row in tables[table.name]])
        engine.dispose()
    return untouched


def stored(row):
    return {name: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for name, value in row.items()}


@pytest.fixture
def today(old):
    """The desk, migrated and open."""
    migrate(old[0], old[1])
    desk = open_desk(old[0], databases=old[1])
    yield desk
    desk.close()


def lines(desk):
    with reading(desk.registry) as sql:
        return [SimpleNamespace(seq=one.seq, body=one.body) for one in sql.execute(select(schema.audit_event))]


def test_a_desk_of_the_first_revision_is_not_opened_before_it_is_migrated(old):
    with pytest.raises(Unavailable, match="schema 0001"):
        open_desk(old[0], databases=old[1])


def test_a_desk_of_the_first_revision_comes_to_today_with_every_row_and_everything_verifies(today, written):
    with reading(today.registry) as sql:
        for table in ("version", "release", "approval", "evaluation_result", "snapshot", "recording", "actor"):
            assert sql.scalar(text(f"SELECT count(*) FROM {table}")) == len(written["registry"][table]), table
    with reading(today.calls) as sql:
        assert sql.scalar(text("SELECT count(*) FROM call")) == len(written["calls"]["call"])
    assert verify_desk(today).problems == ()


def test_the_lines_of_the_first_revision_stay_byte_for_byte_and_one_line_tells_of_the_migration(today, written):
    told = lines(today)
    assert {one.seq: one.body for one in told[:-1]} == {
        one["seq"]: one["body"] for one in written["registry"]["audit_event"]
    }
    with reading(today.registry) as sql:
        (line,) = audit.readable(sql).of("desk.migrate")
    assert (line.seq, line.actor, line.subject) == (len(told), "system", "desk")
    assert line.facts == {"from": "0001", "to": TODAY.revisions[-1]}


def test_a_migration_that_has_nothing_to_do_leaves_no_line(today, old):
    before = len(lines(today))
    migrate(old[0], old[1])
    assert len(lines(today)) == before


def test_an_export_of_the_migrated_desk_is_verified_with_no_server(today, tmp_path):
    issue(today, KeyPlace(tmp_path / "signing.key"))
    assert export_to(tmp_path / "log.jsonl", export(today)) == len(lines(today))
    assert verify_file(tmp_path / "log.jsonl").findings == ()


def test_the_migrated_desk_still_works_and_what_it_does_verifies(today):
    back = roll_back(today, SYSTEM, PROMPT, "production", why="to see that it works")
    assert back.from_
    assert verify_desk(today).problems == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE version SET author = 'eve' WHERE number = 1", "author"),
        ("UPDATE approval SET person = 'eve'", "approval"),
        ("UPDATE deployment SET revision = revision + 7 WHERE environment = 'production'", "what serves"),
        ("UPDATE evaluation_result SET passed = NOT passed", "its outputs"),
        ("UPDATE audit_event SET body = replace(body, 'sales', 'seals') WHERE seq = 20", "log: line 20"),
        ("UPDATE suite SET actor = 'eve'", "suite sales"),
        ("UPDATE alembic_version SET version_num = '0001'", "the tables are marked as 0001"),
    ],
)
def test_a_row_of_the_first_revision_that_was_changed_by_sql_is_found_after_the_migration(today, change, words):
    behind_our_back(today, change)
    assert any(words in one for one in verify_desk(today).problems)


def test_a_row_that_was_changed_before_the_migration_is_found_after_it(old):
    engine = registry_engine(*old, migrating=True)
    with transaction(engine, Intent.WRITE) as sql:
        sql.exec_driver_sql("UPDATE release SET actor = 'eve'")
    engine.dispose()
    migrate(old[0], old[1])
    desk = open_desk(old[0], databases=old[1])
    assert any(one.startswith("release ") for one in verify_desk(desk).problems)
    desk.close()
