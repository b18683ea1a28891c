"""One-time links: the first owner, an invitation, a forgotten password; and changing one's own."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from cuelight_server.access.model import Purpose, SessionRules
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.audit import store as audit
from cuelight_server.control.access import add_actor, disable_actor, issue_key
from cuelight_server.control.invitations import accept, change_password, issue_link, issue_owner_link, look
from cuelight_server.control.sessions import sign_in, visit
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import Environment
from server.tests.signing_in import HERE, PASSWORD, give_password

QUICK, RULES = QuickPasswords(), SessionRules()
OTHER = "five more words in a row"


def come(desk, id, password):
    return sign_in(desk, QUICK, id, password, HERE, rules=RULES)


def use(desk, code, password=PASSWORD, **more):
    return accept(desk, QUICK, code, password, HERE, **more)


def test_a_person_who_is_invited_sets_their_password_once(desk, person):
    person("ana.author")
    made = issue_link(desk, SYSTEM, "ana.author")
    assert look(desk, made.code, HERE).purpose is Purpose.INVITE
    assert use(desk, made.code) == "ana.author"
    assert come(desk, "ana.author", PASSWORD)
    with pytest.raises(Denied, match="no longer"):
        use(desk, made.code, OTHER)
    assert come(desk, "ana.author", PASSWORD)
    assert verify_desk(desk).problems == ()


def test_a_new_link_ends_the_one_before_and_sets_a_forgotten_password_anew(desk, person):
    person("ana.author")
    give_password(desk, "ana.author")
    session = come(desk, "ana.author", PASSWORD)
    first, second = issue_link(desk, SYSTEM, "ana.author"), issue_link(desk, SYSTEM, "ana.author")
    assert second.purpose is Purpose.RESET
    with pytest.raises(Denied):
        use(desk, first.code, OTHER)
    use(desk, second.code, OTHER)
    assert visit(desk, session, RULES) is None  # whoever was signed in with the old password is out
    with pytest.raises(Denied):
        come(desk, "ana.author", PASSWORD)
    assert come(desk, "ana.author", OTHER)


@pytest.mark.parametrize(("purpose", "hours"), [(Purpose.OWNER, 24), (Purpose.INVITE, 72), (Purpose.RESET, 2)])
def test_a_link_runs_out(desk, person, clock, purpose, hours):
    if purpose is Purpose.OWNER:
        made = issue_owner_link(desk)
    else:
        person("ana.author")
        if purpose is Purpose.RESET:
            give_password(desk, "ana.author")
        made = issue_link(desk, SYSTEM, "ana.author")
    clock.forward(timedelta(hours=hours, minutes=-1))
    assert look(desk, made.code, HERE).purpose is purpose
    clock.forward(timedelta(minutes=1))
    with pytest.raises(Denied):
        use(desk, made.code, owner=("mei.tanaka", "Mei Tanaka"))


@pytest.mark.parametrize(
    "code", ["", "x", "0" * 16 + "." + "0" * 64, "0" * 16, "' OR 1=1 --", "x" * 100_000, "\x00", "é"]
)
def test_a_made_up_link_opens_nothing_and_leaves_a_line(desk, person, code):
    person("ana.author")
    issue_link(desk, SYSTEM, "ana.author")
    with pytest.raises(Denied):
        look(desk, code, HERE)
    with reading(desk.registry) as sql:
        assert audit.newest(sql, size=1).items[0].verb == "sign_in.fail"


def test_a_link_with_another_secret_is_none(desk, person):
    person("ana.author")
    id, _, secret = issue_link(desk, SYSTEM, "ana.author").code.partition(".")
    with pytest.raises(Denied):
        look(desk, f"{id}.{secret[::-1]}", HERE)


def test_who_tries_links_has_to_wait(desk):
    answers = []
    for _ in range(24):
        with pytest.raises(Denied) as refused:
            look(desk, "made up", HERE)
        answers.append("retry_after" in refused.value.details)
    assert any(answers)


def test_the_link_of_who_was_disabled_is_over(desk, person):
    person("ana.author")
    made = issue_link(desk, SYSTEM, "ana.author")
    disable_actor(desk, SYSTEM, "ana.author")
    with pytest.raises(Denied):
        use(desk, made.code)
    with pytest.raises(Blocked):
        issue_link(desk, SYSTEM, "ana.author")


def test_only_a_person_who_is_here_gets_a_link_and_only_from_an_administrator(desk, person):
    issue_key(desk, SYSTEM, "crm", Environment.STAGING)
    with pytest.raises(Invalid):
        issue_link(desk, SYSTEM, "app:crm")
    with pytest.raises(NotFound):
        issue_link(desk, SYSTEM, "no.one")
    with pytest.raises(Denied):
        issue_link(desk, person("mei.tanaka"), "mei.tanaka")


def test_the_first_owner_comes_with_a_link_and_there_is_no_second_one(desk):
    first, second = issue_owner_link(desk), issue_owner_link(desk)
    with pytest.raises(Denied):
        use(desk, first.code, owner=("eve.stone", "Eve Stone"))
    assert use(desk, second.code, owner=("mei.tanaka", "Mei Tanaka")) == "mei.tanaka"
    assert visit(desk, come(desk, "mei.tanaka", PASSWORD), RULES).actor.admin
    with pytest.raises(Conflict):
        issue_owner_link(desk)
    with pytest.raises(Denied):
        use(desk, second.code, owner=("eve.stone", "Eve Stone"))
    assert verify_desk(desk).problems == ()


def test_the_owners_link_is_over_when_an_owner_came_another_way(desk):
    made = issue_owner_link(desk)
    add_actor(desk, SYSTEM, "mei.tanaka", "Mei Tanaka", admin=True)
    with pytest.raises(Denied, match="owner already"):
        use(desk, made.code, owner=("eve.stone", "Eve Stone"))


@pytest.mark.parametrize(
    "owner", [None, ("", ""), ("Mei Tanaka", "Mei"), ("system", "Mei"), ("mei.tanaka", "\u202e"), ("app:x", "X")]
)
def test_an_owner_without_an_id_or_name_is_refused_and_the_link_stays_good(desk, owner):
    made = issue_owner_link(desk)
    with pytest.raises(Invalid):
        use(desk, made.code, owner=owner)
    assert use(desk, made.code, owner=("mei.tanaka", "Mei Tanaka"))


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "password1234",
        "PASSWORD1234",
        "aaaaaaaaaaaaaa",
        "ana.authorana" * 100,
        "x1" * 513,
        "Ana Author Anna",
    ],
)
def test_a_password_that_is_short_common_one_letter_or_endless_is_refused_and_the_link_stays_good(
    desk, person, password
):
    person("ana.author")
    add_actor(desk, SYSTEM, "anna", "Ana Author Anna")
    made = issue_link(desk, SYSTEM, "anna")
    with pytest.raises(Invalid):
        use(desk, made.code, password)
    assert use(desk, made.code, "é" * 6 + "ü" * 5 + "ö" * 400)


def test_one_changes_ones_own_password_with_the_old_one(desk, person):
    ana = person("ana.author")
    give_password(desk, "ana.author")
    with pytest.raises(Denied):
        change_password(desk, QUICK, ana, "not the old one", OTHER, HERE)
    for bad in ("short", PASSWORD):
        with pytest.raises(Invalid):
            change_password(desk, QUICK, ana, PASSWORD, bad, HERE)
    change_password(desk, QUICK, ana, PASSWORD, OTHER, HERE)
    assert come(desk, "ana.author", OTHER)
    assert verify_desk(desk).problems == ()


def test_who_guesses_the_old_password_has_to_wait(desk, person):
    ana = person("ana.author")
    give_password(desk, "ana.author")
    answers = []
    for _ in range(12):
        with pytest.raises(Denied) as refused:
            change_password(desk, QUICK, ana, "not the old one", OTHER, HERE)
        answers.append("retry_after" in refused.value.details)
    assert any(answers)


def test_no_secret_stands_in_the_database_the_log_or_a_printed_link(desk, person):
    person("ana.author")
    made = issue_link(desk, SYSTEM, "ana.author")
    secret = made.code.partition(".")[2]
    use(desk, made.code)
    with reading(desk.registry) as sql:
        stored = str([list(row) for table in schema.registry.sorted_tables for row in sql.execute(select(table))])
    assert "ana.author" in stored
    assert secret not in stored
    assert PASSWORD not in stored
    assert secret not in repr(made)


def test_of_many_who_use_a_link_at_once_one_gets_in(desk, person):
    person("ana.author")
    made, came, late = issue_link(desk, SYSTEM, "ana.author"), [], []

    def attempt(number):
        try:
            came.append(use(desk, made.code, f"password number {number}"))
        except Denied:
            late.append(number)

    crowd = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert (len(came), len(late)) == (1, 7)
    assert verify_desk(desk).problems == ()
