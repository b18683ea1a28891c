"""Making a desk in an empty place and opening it again: what was settled then stays settled."""

import pytest
from sqlalchemy import select

from cuelight_server.audit import store as audit
from cuelight_server.control.opening import create_desk, is_desk, open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Databases, open_registry, reading
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from server.tests.tampering import behind_our_back


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "desk"


@pytest.fixture
def where(databases):
    return databases("desk")


@pytest.mark.parametrize(("demo", "local"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_desk_that_is_opened_again_is_what_it_was_made_as(folder, where, demo, local):
    made = create_desk(folder, demo=demo, local=local, databases=where)
    made.close()
    again = open_desk(folder, databases=where)
    assert (again.demo, again.local, again.epoch) == (demo, local, made.epoch)
    again.close()


def test_two_desks_have_two_epochs(make_desk):
    assert make_desk("one").epoch != make_desk("other").epoch


def test_a_new_desk_has_its_environments_its_administrator_and_two_audit_lines(folder, where):
    desk = create_desk(folder, demo=True, admin=("ada.admin", "Ada"), databases=where)
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


def test_a_desk_is_never_made_over_another(folder, where):
    create_desk(folder, databases=where).close()
    with pytest.raises(Conflict):
        create_desk(folder, demo=True, databases=where)


@pytest.mark.database("sqlite")
def test_a_desk_is_never_made_among_other_things(folder):
    create_desk(folder).close()
    (folder.parent / "holiday.jpg").touch()
    with pytest.raises(Invalid):
        create_desk(folder.parent)


@pytest.mark.database("postgresql")
def test_a_desk_in_files_is_not_forgotten_over_a_new_one_in_a_database(folder, where):
    create_desk(folder).close()
    with pytest.raises(Conflict) as refused:
        create_desk(folder, databases=where)
    assert "CUELIGHT_DATABASE_URL" in refused.value.hint
    assert not is_desk(folder, where)


@pytest.mark.database("postgresql")
def test_with_a_registry_in_a_database_the_calls_may_stay_in_a_file(folder, where):
    made = create_desk(folder, databases=Databases(registry=where.registry))
    assert [path.name for path in folder.iterdir() if path.suffix == ".db"] == ["calls.db"]
    made.close()
    again = open_desk(folder, databases=Databases(registry=where.registry))
    assert (again.registry.dialect.name, again.calls.dialect.name) == ("postgresql", "sqlite")
    again.close()


@pytest.mark.database("postgresql")
def test_with_a_registry_in_a_file_the_calls_may_be_in_a_database(folder, where):
    made = create_desk(folder, databases=Databases(calls=where.calls))
    assert (made.registry.dialect.name, made.calls.dialect.name) == ("sqlite", "postgresql")
    made.close()


@pytest.mark.database("postgresql")
def test_with_both_in_a_database_there_is_no_folder_at_all(folder, where):
    create_desk(folder, databases=where).close()
    assert not folder.exists()


def test_where_there_is_no_desk_none_is_opened_and_none_is_made(folder, where):
    with pytest.raises(NotFound) as missing:
        open_desk(folder, databases=where)
    assert missing.value.hint
    assert not folder.exists()
    assert not is_desk(folder, where)


def test_a_desk_whose_making_was_cut_short_can_be_made_again(folder, where):
    open_registry(folder, where).dispose()
    assert not is_desk(folder, where)
    with pytest.raises(NotFound):
        open_desk(folder, databases=where)
    create_desk(folder, databases=where).close()
    assert is_desk(folder, where)


def test_a_desk_of_a_format_to_come_is_left_alone(folder, where):
    desk = create_desk(folder, databases=where)
    behind_our_back(desk, "UPDATE desk SET value = '2' WHERE key = 'format'")
    desk.close()
    with pytest.raises(Unavailable, match="format 2"):
        open_desk(folder, databases=where)


@pytest.mark.database("postgresql")
@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://nobody@127.0.0.1:1/none", "postgresql+psycopg://nobody@no-such-host.invalid/none"],
    ids=["nobody listens", "no such host"],
)
def test_a_database_that_does_not_answer_is_unavailable_with_a_hint_and_without_the_password(folder, url):
    secret = url.replace("nobody", "nobody:hush-hush")
    for way in (create_desk, open_desk):
        with pytest.raises(Unavailable) as refused:
            way(folder, databases=Databases(registry=secret, calls=secret))
        assert refused.value.hint
        assert "hush-hush" not in f"{refused.value}{refused.value.details}{refused.value!r}"
