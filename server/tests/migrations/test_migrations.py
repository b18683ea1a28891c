"""Revisions: up from nothing is what the code says, an old desk is brought along, and no other schema is opened."""

import shutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text, update

from cuelight_server import cli
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import (
    Intent,
    calls_engine,
    open_calls,
    open_registry,
    reading,
    registry_engine,
    transaction,
)
from cuelight_server.db.migrating import bring_up, context, migrate, plans
from cuelight_server.db.migrations import TODAY, Line
from cuelight_server.db.standing import Standing, names, standing, version_table
from cuelight_server.db.triggers import triggers
from cuelight_server.kernel.errors import Blocked, NotFound, Unavailable
from server.tests.releasing import prepare

STORES = {"registry": (schema.registry, registry_engine), "calls": (schema.calls, calls_engine)}
TOMORROW = f'''"""9999, a moon for each version: nobody needs it, but a test does."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{TODAY.revisions[-1]}"


def upgrade():
    if op.get_context().opts["store"] == "registry":
        op.add_column("version", sa.Column("moon", sa.Text()))
        op.execute("UPDATE version SET moon = 'full'")
        with op.batch_alter_table("prompt") as prompt:
            prompt.alter_column("created_at", type_=sa.String(40))
'''


@pytest.fixture
def tomorrow(tmp_path):
    """A Cuelight to come, which has one revision more; it writes to an immutable table and makes another anew."""
    shutil.copytree(TODAY.folder, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "migrations/versions/r9999_a_moon.py").write_text(TOMORROW)
    return Line(tmp_path / "migrations", (*TODAY.revisions, "9999"))


@pytest.fixture
def first(untouched):
    """A desk as the first Cuelight made it, before there were revisions."""
    script = ScriptDirectory(str(TODAY.folder))
    for store in STORES:
        on(untouched, store, lambda sql, s=store: up_to_the_first(sql, s, script), Intent.WRITE)
    forget_the_revisions(untouched)
    return untouched


def up_to_the_first(sql, store, script):
    alembic = context(sql, store, fn=lambda at, _context: script._upgrade_revs(TODAY.revisions[0], at))
    with Operations.context(alembic):
        alembic.run_migrations()


@pytest.fixture
def made(untouched):
    """A desk with rows in it, closed; `untouched` is where."""
    folder, databases = untouched
    desk = create_desk(folder, databases=databases)
    prepare(desk)
    desk.close()
    return untouched


def on(place, store, look, intent=Intent.READ):
    engine = STORES[store][1](*place)
    try:
        with transaction(engine, intent) as sql:
            return look(sql)
    finally:
        engine.dispose()


def problems(place):
    desk = open_desk(place[0], databases=place[1])
    try:
        return verify_desk(desk).problems
    finally:
        desk.close()


def forget_the_revisions(place):
    """As a desk was before there were revisions."""
    for store, (tables, _) in STORES.items():
        on(place, store, lambda sql, t=tables: sql.exec_driver_sql(f"DROP TABLE {version_table(t)}"), Intent.WRITE)


def revision(place, store):
    return on(place, store, lambda sql: sql.scalar(text(f"SELECT version_num FROM {version_table(STORES[store][0])}")))


def differences(place, store):
    return on(place, store, lambda sql: compare_metadata(context(sql, store), STORES[store][0]))


def test_the_revisions_that_the_code_names_are_those_that_are_there_in_one_line():
    script = ScriptDirectory(str(TODAY.folder))
    assert tuple(one.revision for one in script.walk_revisions())[::-1] == TODAY.revisions
    assert script.get_heads() == [TODAY.revisions[-1]]


@pytest.mark.parametrize("store", STORES)
def test_up_from_nothing_is_what_the_code_says_triggers_too(untouched, store):
    tables = STORES[store][0]
    on(untouched, store, lambda sql: bring_up(sql, store), Intent.WRITE)
    assert differences(untouched, store) == []
    there = on(untouched, store, names)
    dialect = "postgresql" if untouched[1].registry else "sqlite"
    assert there == {*tables.tables, *triggers(tables, dialect), version_table(tables)}
    assert revision(untouched, store) == TODAY.revisions[-1]


@pytest.mark.parametrize("store", STORES)
def test_a_new_desk_is_what_the_revisions_say(made, store):
    assert differences(made, store) == []
    assert revision(made, store) == TODAY.revisions[-1]


def test_a_comparison_would_see_a_column_too_many(made):
    on(made, "registry", lambda sql: sql.exec_driver_sql("ALTER TABLE version ADD COLUMN moon TEXT"), Intent.WRITE)
    assert [kind for kind, *_ in differences(made, "registry")] == ["remove_column"]


@pytest.mark.parametrize(
    ("at", "found"),
    [(None, Standing.NEW), ("2", Standing.CURRENT), ("1", Standing.OLDER), ("3", Standing.NEWER), ("", Standing.NEWER)],
)
def test_a_revision_that_was_never_heard_of_is_of_a_newer_cuelight(at, found):
    assert standing(at, ("1", "2")) is found


def steps(store, line, since="0001"):
    """What a migration tells of a store that is at a revision."""
    script = ScriptDirectory(str(line.folder))
    return [f"{store}: {script.get_revision(one).doc}" for one in line.revisions if one > since]


def test_a_desk_made_before_there_were_revisions_is_older_and_is_left_as_it_was(first):
    before = on(first, "registry", names)
    with pytest.raises(Unavailable, match="schema 0001"):
        open_registry(*first)
    assert on(first, "registry", names) == before


def test_a_desk_made_before_there_were_revisions_is_brought_all_the_way(first, tomorrow):
    told = [line for plan in plans(*first, tomorrow) for line in plan.lines]
    assert told == [line for store in STORES for line in [f"{store}: mark the tables as 0001", *steps(store, tomorrow)]]
    assert told[-1] == "calls: 9999, a moon for each version: nobody needs it, but a test does."
    migrate(*first, tomorrow)
    assert [revision(first, store) for store in STORES] == ["9999"] * 2
    assert all(plan.idle for plan in plans(*first, tomorrow))


@pytest.mark.parametrize("open_one", [open_registry, open_calls])
def test_an_older_desk_is_not_opened_and_says_how_to_bring_it_along(made, tomorrow, open_one):
    with pytest.raises(Unavailable, match="older") as refused:
        open_one(*made, tomorrow)
    assert "cuelight-server migrate" in refused.value.hint


def test_a_migration_changes_what_never_changes_and_leaves_the_triggers_as_they_were(made, tomorrow):
    before = on(made, "registry", names)
    migrate(*made, tomorrow)
    assert on(made, "registry", names) == before
    engine = open_registry(*made, tomorrow)
    with reading(engine) as sql:
        assert set(sql.scalars(text("SELECT moon FROM version"))) == {"full"}
    with pytest.raises(Blocked), transaction(engine, Intent.WRITE) as sql:
        sql.execute(update(schema.version).values(author="eve"))
    engine.dispose()


def test_a_desk_of_a_newer_cuelight_is_neither_opened_nor_migrated(made, tomorrow):
    migrate(*made, tomorrow)
    for way in (lambda: open_desk(made[0], databases=made[1]), lambda: plans(*made)):
        with pytest.raises(Unavailable, match="newer") as refused:
            way()
        assert "upgrade" in refused.value.hint


def test_a_migration_that_fails_leaves_the_desk_as_it_was(made, tomorrow):
    (tomorrow.folder / "versions/r9999_a_moon.py").write_text(TOMORROW + "        raise ZeroDivisionError\n")
    before, found = on(made, "registry", names), problems(made)
    with pytest.raises(ZeroDivisionError):
        migrate(*made, tomorrow)
    assert on(made, "registry", names) == before
    assert problems(made) == found  # its rows were put there past the door, which is all that there is to find
    assert not [one for one in found if "trigger" in one]


def test_where_there_is_no_desk_nothing_is_migrated(untouched):
    with pytest.raises(NotFound):
        plans(*untouched)
    assert not untouched[0].exists()


def test_the_command_says_what_it_would_do_and_does_it_when_told(first, monkeypatch, capsys):
    folder, databases = first
    monkeypatch.setenv("CUELIGHT_DATABASE_URL", databases.registry or "")
    monkeypatch.setenv("CUELIGHT_CALLS_URL", databases.calls or "")
    assert cli.run(["migrate", "--data", str(folder)]) == 0
    told = [line for store in STORES for line in [f"{store}: mark the tables as 0001", *steps(store, TODAY)]]
    assert capsys.readouterr().out.splitlines() == [*told, "Nothing was done yet: --yes does it."]
    assert version_table(schema.registry) not in on(first, "registry", names)
    assert cli.run(["migrate", "--data", str(folder), "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Done."
    assert revision(first, "registry") == TODAY.revisions[-1]
    assert cli.run(["migrate", "--data", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing to do."
