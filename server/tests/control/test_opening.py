"""Making a desk in an empty folder and opening it again: what was settled then stays settled."""

import sqlite3

import pytest
from sqlalchemy import select

from cuelight_server.audit import store as audit
from cuelight_server.control.opening import create_desk, is_desk, open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import open_registry, reading
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound, Unavailable


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "desk"


@pytest.mark.parametrize(("demo", "local"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_desk_that_is_opened_again_is_what_it_was_made_as(folder, demo, local):
    made = create_desk(folder, demo=demo, local=local)
    made.close()
    again = open_desk(folder)
    assert (again.demo, again.local, again.epoch) == (demo, local, made.epoch)
    again.close()


def test_two_desks_have_two_epochs(tmp_path):
    one, other = create_desk(tmp_path / "one"), create_desk(tmp_path / "other")
    assert one.epoch != other.epoch
    one.close()
    other.close()


def test_a_new_desk_has_its_environments_its_administrator_and_two_audit_lines(folder):
    desk = create_desk(folder, demo=True, admin=("ada.admin", "Ada"))
    with reading(desk.registry) as sql:
        environments = sql.execute(select(schema.environment)).all()
        people = sql.execute(select(schema.actor.c.id, schema.actor.c.admin)).all()
        lines = audit.after(sql).items
        assert audit.examine(sql) == []
    assert sorted(environments) == [("development", 0), ("production", 0), ("staging", 0)]
    assert people == [("ada.admin", True)]
    assert [(line.seq, line.actor, line.verb) for line in lines] == [
        (1, "system", "desk.create"),
        (2, "system", "actor.add"),
    ]
    assert (lines[0].facts["demo"], lines[0].facts["epoch"]) == ("true", desk.epoch)
    desk.close()


def test_a_desk_is_never_made_over_another_and_never_among_other_things(folder):
    create_desk(folder).close()
    with pytest.raises(Conflict):
        create_desk(folder, demo=True)
    (folder.parent / "holiday.jpg").touch()
    with pytest.raises(Invalid):
        create_desk(folder.parent)


def test_where_there_is_no_desk_none_is_opened_and_none_is_made(folder):
    with pytest.raises(NotFound) as missing:
        open_desk(folder)
    assert missing.value.hint
    assert not folder.exists()
    assert not is_desk(folder)


def test_a_desk_whose_making_was_cut_short_can_be_made_again(folder):
    open_registry(folder).dispose()
    assert not is_desk(folder)
    with pytest.raises(NotFound):
        open_desk(folder)
    create_desk(folder).close()
    assert is_desk(folder)


def test_a_desk_of_a_format_to_come_is_left_alone(folder):
    create_desk(folder).close()
    raw = sqlite3.connect(folder / "registry.db", isolation_level=None)
    raw.execute("DROP TRIGGER desk_no_update")
    raw.execute("UPDATE desk SET value = '2' WHERE key = 'format'")
    raw.close()
    with pytest.raises(Unavailable, match="format 2"):
        open_desk(folder)
