"""A role that runs the server on PostgreSQL and cannot touch evidence, whatever it sends: everything else still works."""

import psycopg
import pytest
from psycopg import sql as words

from cuelight_server.cli import run
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Databases
from cuelight_server.db.roles import grants
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Invalid
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who

pytestmark = pytest.mark.database("postgresql")
ROLE = "cuelight_app"


@pytest.fixture
def restricted(untouched, places):
    """(folder, the URL of the role, a desk of the owner): the tables are the owner's, the server runs as ROLE."""
    folder, databases = untouched
    owner = create_desk(folder, databases=databases, admin=("root", "Root"))
    with psycopg.connect(places.url, autocommit=True) as raw:
        if raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
            raw.execute(words.SQL("CREATE ROLE {} LOGIN").format(words.Identifier(ROLE)))
    with psycopg.connect(str(databases.registry).replace("+psycopg", ""), autocommit=True) as raw:
        for statement in grants(owner.registry, ROLE):
            raw.execute(statement)
    url = str(databases.registry).replace("//postgres@", f"//{ROLE}@")
    assert url != databases.registry
    yield folder, url, owner
    owner.close()


def test_a_server_runs_as_the_restricted_role_from_push_to_rollback(restricted):
    folder, url, owner = restricted
    prepare(owner, versions=1)
    evaluate(owner, "v1")
    desk = open_desk(folder, databases=Databases(registry=url, calls=url))
    try:
        for one in (OWNER, ENGINEER):
            approve(desk, who(desk, one), PROMPT, "v1")
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
        assert roll_back(desk, SYSTEM, PROMPT, why="bad").switched_off
        assert not [one for one in verify_desk(desk).problems if one.startswith(("log", "triggers"))]
    finally:
        desk.close()


@pytest.mark.parametrize("table", [one.name for one in schema.IMMUTABLE])
def test_the_role_cannot_change_delete_or_empty_evidence_even_as_a_governed_writer(restricted, table):
    _, url, _ = restricted
    key = next(iter(schema.registry.tables[table].primary_key)).name
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as raw:
        raw.execute("SET cuelight.writes = 'governed'")
        for statement in (
            f'UPDATE "{table}" SET "{key}" = "{key}"',
            f'DELETE FROM "{table}"',
            f'TRUNCATE "{table}"',
            f'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
            f'DROP TABLE "{table}"',
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(statement)


def test_the_role_cannot_step_round_the_triggers_or_make_tables(restricted):
    _, url, _ = restricted
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as raw:
        for statement in (
            "SET session_replication_role = replica",
            "CREATE TABLE mine (x int)",
            "CREATE OR REPLACE FUNCTION cuelight_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SET ROLE postgres",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(statement)


def test_the_command_prints_the_statements_and_refuses_a_name_that_is_none(restricted, monkeypatch, capsys):
    folder, _, owner = restricted
    monkeypatch.setenv("CUELIGHT_DATABASE_URL", owner.registry.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CUELIGHT_CALLS_URL", owner.calls.url.render_as_string(hide_password=False))
    assert run(["grants", ROLE, "--data", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f'"audit_event" TO "{ROLE}";' in printed
    assert run(["grants", 'x"; DROP TABLE version', "--data", str(folder)]) == 20


@pytest.mark.database("sqlite")
def test_a_sqlite_file_has_no_roles(desk):
    with pytest.raises(Invalid, match="no roles"):
        grants(desk.registry, ROLE)
