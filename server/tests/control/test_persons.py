"""Two accounts of one person are known as one, by link or by e-mail address."""

import pytest

from cuelight_server.access import store
from cuelight_server.audit import store as audit
from cuelight_server.control.access import authenticate, issue_key, issue_token
from cuelight_server.control.persons import link, verify_email
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import Environment


@pytest.fixture
def three(person):
    for id in ("mei.tanaka", "mei.oncall", "mei.third", "ben.okoro"):
        person(id)


def persons(desk):
    with reading(desk.registry) as sql:
        return {one.id: one.person_id for one in store.accounts(sql).items}


def test_each_account_is_a_person_of_its_own_until_somebody_says_otherwise(desk, three):
    assert persons(desk) == {id: id for id in persons(desk)}


def test_accounts_that_are_linked_are_one_person_whatever_the_order(desk, three):
    link(desk, SYSTEM, "mei.oncall", "mei.tanaka")
    link(desk, SYSTEM, "mei.tanaka", "mei.third")
    assert {persons(desk)[id] for id in ("mei.tanaka", "mei.oncall", "mei.third")} == {"mei.third"}
    assert persons(desk)["ben.okoro"] == "ben.okoro"
    with pytest.raises(Conflict):
        link(desk, SYSTEM, "mei.oncall", "mei.third")
    assert verify_desk(desk).problems == ()


def test_whoever_acts_carries_the_person_behind_the_account(desk, three):
    link(desk, SYSTEM, "mei.oncall", "mei.tanaka")
    assert authenticate(desk, issue_token(desk, SYSTEM, "mei.oncall")).who == "mei.tanaka"
    assert authenticate(desk, issue_token(desk, SYSTEM, "ben.okoro")).who == "ben.okoro"


def test_who_has_the_same_verified_address_is_the_same_person(desk, three):
    verify_email(desk, SYSTEM, "mei.tanaka", "Mei@Example.org")
    verify_email(desk, SYSTEM, "mei.oncall", "mei@example.org ")
    verify_email(desk, SYSTEM, "ben.okoro", "ben@example.org")
    assert persons(desk)["mei.oncall"] == persons(desk)["mei.tanaka"]
    assert persons(desk)["ben.okoro"] == "ben.okoro"
    verify_email(desk, SYSTEM, "mei.oncall", "mei.oncall@example.org")  # a new address makes no new person
    assert persons(desk)["mei.oncall"] == persons(desk)["mei.tanaka"]
    assert verify_desk(desk).problems == ()


def test_the_log_does_not_hold_the_address(desk, three):
    verify_email(desk, SYSTEM, "mei.tanaka", "mei@example.org")
    with reading(desk.registry) as sql:
        assert "example.org" not in str(audit.newest(sql, size=1).items[0])


@pytest.mark.parametrize(
    "address",
    ["", "mei", "mei@", "mei@example", "m\u0435i@example.org", "a b@example.org", "x" * 65 + "@example.org", "a@b.c\n"],
)
def test_what_is_no_address_is_refused(desk, three, address):
    if address == "a@b.c\n":
        address = "a@b.c\nBcc: x@example.org"
    with pytest.raises(Invalid):
        verify_email(desk, SYSTEM, "mei.tanaka", address)


def test_only_people_are_linked_and_only_by_an_administrator(desk, three, person):
    issue_key(desk, SYSTEM, "crm", Environment.STAGING)
    with pytest.raises(Invalid):
        link(desk, SYSTEM, "app:crm", "mei.tanaka")
    with pytest.raises(NotFound):
        link(desk, SYSTEM, "mei.tanaka", "no.one")
    for attempt in (
        lambda: link(desk, person("ben.okoro"), "mei.oncall", "ben.okoro"),
        lambda: verify_email(desk, person("ben.okoro"), "ben.okoro", "mei@example.org"),
    ):
        with pytest.raises(Denied):
            attempt()
