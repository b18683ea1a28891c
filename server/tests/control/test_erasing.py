"""What can be erased of people: it is not in the lines, it goes for good, and the log verifies before and after."""

import pytest

from cuelight_server.audit import store as audit
from cuelight_server.audit.store.personal import every
from cuelight_server.control.access import add_actor, disable_actor, issue_token
from cuelight_server.control.erasing import erase_person
from cuelight_server.control.failed_sign_ins import note_failed_sign_in, write_failed_sign_ins
from cuelight_server.control.releases import approve, release
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Denied, NotFound
from cuelight_server.views import audit as view
from cuelight_server.views.people import accounts
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who
from server.tests.tampering import a_tool, behind_our_back


@pytest.fixture
def mei(desk):
    add_actor(desk, SYSTEM, "mei.tanaka", "Mei Tanaka-Oyelaran")
    issue_token(desk, SYSTEM, "mei.tanaka")
    return "mei.tanaka"


def everything(desk):
    """All that is stored, as text."""
    with a_tool(desk) as raw:
        found = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if desk.registry.dialect.name == "postgresql":
            found = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        names = [name for (name,) in raw.execute(found).fetchall()]
        return {name: repr(raw.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}


def test_a_name_is_in_no_line_but_lines_show_it_while_it_is_there(desk, mei):
    stored = everything(desk)
    assert {name for name, text in stored.items() if "Oyelaran" in text} == {"actor", "personal"}
    assert view.after(desk).items[1].facts["name"] == "Mei Tanaka-Oyelaran"
    assert verify_desk(desk).problems == ()


def test_after_an_erasure_the_name_is_nowhere_and_the_tree_is_as_it_was(desk, mei):
    with reading(desk.registry) as sql:
        before = audit.checkpoint(sql)
    disable_actor(desk, SYSTEM, mei)
    assert erase_person(desk, SYSTEM, mei) == 1
    assert not [name for name, text in everything(desk).items() if "Oyelaran" in text]
    assert view.after(desk).items[1].facts["name"] == "(erased)"
    assert [one.name for one in accounts(desk) if one.id == mei] == [mei]
    assert verify_desk(desk, str(before)).problems == ()


def test_who_may_still_come_in_is_not_erased_and_neither_is_nobody(desk, mei, person):
    with pytest.raises(Blocked, match="may still come in"):
        erase_person(desk, SYSTEM, mei)
    with pytest.raises(NotFound):
        erase_person(desk, SYSTEM, "no.body")
    disable_actor(desk, SYSTEM, mei)
    with pytest.raises(Denied):
        erase_person(desk, person("eve.stone"), mei)
    assert erase_person(desk, person("ada.admin", admin=True), mei) == 1


def test_addresses_of_a_person_and_of_strangers_are_erased_by_whom_they_are_about(desk, mei, clock):
    note_failed_sign_in(desk, "password", mei, "203.0.113.7")
    note_failed_sign_in(desk, "password", None, "198.51.100.9")
    write_failed_sign_ins(desk, all_of_it=True)
    assert not [name for name, text in everything(desk).items() if "203.0.113" in text and name != "personal"]
    disable_actor(desk, SYSTEM, mei)
    assert erase_person(desk, SYSTEM, mei) == 2
    assert erase_person(desk, SYSTEM, "-") == 1
    assert not [name for name, text in everything(desk).items() if "203.0.113" in text or "198.51" in text]
    assert verify_desk(desk).problems == ()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE personal SET value = 'Eve'", "is not what the line vouches for"),
        ("DELETE FROM personal", "is gone, and no line erased it"),
        ("INSERT INTO personal (seq, field, person, salt, value) VALUES (1, 'name', 'x', '', 'y')", "tells of none"),
        ("UPDATE personal SET person = 'eve.stone'", "is not what the line vouches for"),
        ("UPDATE actor SET name = 'Eve'", "name is Eve"),
    ],
)
def test_a_text_that_was_changed_behind_our_back_is_named(desk, mei, statement, words):
    behind_our_back(desk, statement)
    assert any(words in one for one in verify_desk(desk).problems)


def test_a_text_that_came_back_after_its_erasure_is_named(desk, mei):
    with reading(desk.registry) as sql:
        (kept,) = every(sql)
    disable_actor(desk, SYSTEM, mei)
    erase_person(desk, SYSTEM, mei)
    back = "INSERT INTO personal (seq, field, person, salt, value) VALUES (?, ?, ?, ?, ?)"
    behind_our_back(desk, (back, (kept.seq, kept.field, kept.person, kept.salt, kept.value)))
    assert any("it was erased" in one for one in verify_desk(desk).problems)


def test_neither_a_refusal_nor_a_stored_checklist_holds_a_name(desk):
    prepare(desk, versions=1)
    evaluate(desk, "v1")
    names = [one.replace(".", " ").title() for one in (OWNER, ENGINEER)]
    with pytest.raises(Blocked) as refused:
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
    assert names[0] in refused.value.message + refused.value.hint  # to the person who asks, by name
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")
    holding = {table for table, text in everything(desk).items() if any(name in text for name in names)}
    assert holding == {"actor", "personal", "workflow_revision"}
