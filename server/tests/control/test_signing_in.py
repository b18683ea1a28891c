"""Signing in, staying in, and going: what opens the pages, for how long, and what strangers get to know."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cuelight_server.access import store, throttle
from cuelight_server.access.model import Came, SessionRules
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.audit import store as audit
from cuelight_server.control import sessions
from cuelight_server.control.access import disable_actor, issue_key
from cuelight_server.control.sessions import (
    DEMO,
    MOST_SESSIONS,
    end_all,
    end_one,
    open_session,
    sign_in,
    sign_out,
    visit,
)
from cuelight_server.control.throttle import count
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Denied, NotFound
from cuelight_server.kernel.terms import Environment
from server.tests.signing_in import HERE, PASSWORD, give_password

RULES = SessionRules()
WRONG = "another password"


@pytest.fixture
def quick():
    return QuickPasswords()


@pytest.fixture
def mei(desk, person):
    made = person("mei.tanaka")
    give_password(desk, "mei.tanaka")
    return made


def come(desk, quick, id="mei.tanaka", password=PASSWORD, source=HERE.source, **more):
    return sign_in(desk, quick, id, password, Came(source=source), rules=RULES, **more)


def why_not(desk, quick, *words, **more):
    with pytest.raises(Denied) as refused:
        come(desk, quick, *words, **more)
    return refused.value


def newest(desk):
    with reading(desk.registry) as sql:
        return audit.newest(sql, size=1).items[0]


def test_a_person_comes_in_with_their_password_and_is_known_by_the_secret(desk, quick, mei):
    secret = come(desk, quick)
    assert visit(desk, secret, RULES).actor == mei
    assert come(desk, quick, " Mei.Tanaka ") != secret


def test_the_database_keeps_neither_password_nor_secret(desk, quick, mei):
    secret = come(desk, quick)
    with reading(desk.registry) as sql:
        stored = str([list(row) for table in schema.registry.sorted_tables for row in sql.execute(select(table))])
    assert "mei.tanaka" in stored
    assert secret not in stored
    assert PASSWORD not in stored


@pytest.mark.parametrize(
    "id", ["no.one", "", "../mei", "mei.tanaka\x00", "x" * 10_000, "system", "app:crm", "Ж", "\ud800"]
)
def test_who_is_not_here_costs_the_same_work_and_gets_the_same_words_as_a_wrong_password(desk, quick, mei, id):
    issue_key(desk, SYSTEM, "crm", Environment.STAGING)
    wrong = why_not(desk, quick, "mei.tanaka", WRONG, source="a")
    assert quick.verified == 1
    unknown = why_not(desk, quick, id, WRONG, source="b")
    assert quick.verified == 2
    assert unknown.to_json() == wrong.to_json()


def test_who_has_no_password_or_is_disabled_gets_the_same_words_too(desk, quick, mei, person):
    person("ben.okoro")
    wrong = why_not(desk, quick, "mei.tanaka", WRONG)
    assert why_not(desk, quick, "ben.okoro", PASSWORD).to_json() == wrong.to_json()
    disable_actor(desk, SYSTEM, "mei.tanaka")
    assert why_not(desk, quick, "mei.tanaka", PASSWORD).to_json() == wrong.to_json()
    assert quick.verified == 3


def test_a_failed_sign_in_leaves_a_line_that_holds_nothing_that_was_typed(desk, quick, mei):
    why_not(desk, quick, "mei.tanaka", "my secret mistake")
    assert (newest(desk).verb, newest(desk).facts["who"]) == ("sign_in.fail", "mei.tanaka")
    why_not(desk, quick, "my secret mistake", PASSWORD)
    assert newest(desk).facts == {"kind": "password", "who": None, "source": HERE.source}
    assert "secret" not in str(newest(desk))


def test_an_account_that_failed_five_times_waits_longer_each_time_and_a_success_forgives(desk, quick, mei, clock):
    for _ in range(5):
        why_not(desk, quick, password=WRONG)
    waits = []
    for _ in range(9):
        failed = why_not(desk, quick, password=WRONG)
        assert "retry_after" not in failed.details
        wait = why_not(desk, quick, password=WRONG).details.get("retry_after", 0)
        waits.append(wait)
        clock.forward(timedelta(seconds=wait))
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert 30 < waits[-1] <= 60
    seen = quick.verified
    assert why_not(desk, quick, password=WRONG).details.get("retry_after") is None
    assert why_not(desk, quick, password=PASSWORD).details["retry_after"]  # who waits is not even looked at
    assert quick.verified == seen + 1
    clock.forward(timedelta(minutes=1))
    come(desk, quick)
    for _ in range(5):
        assert "retry_after" not in why_not(desk, quick, password=WRONG).details


def test_an_account_that_there_is_not_waits_like_one_that_there_is(desk, quick, mei):
    answers = {
        id: [why_not(desk, quick, id, WRONG, source=id).details.keys() for _ in range(12)]
        for id in ("mei.tanaka", "no.one")
    }
    assert answers["mei.tanaka"] == answers["no.one"]
    assert any(answers["no.one"])


def test_a_source_that_tries_many_accounts_waits_and_others_come_in(desk, quick, mei):
    for at in range(throttle.SOURCE.free + 4):
        refused = why_not(desk, quick, f"person{at}", WRONG, source="198.51.100.7")
        if "retry_after" in refused.details:
            break
    else:
        pytest.fail("the source never had to wait")
    assert at >= throttle.SOURCE.free
    assert visit(desk, come(desk, quick, source="192.0.2.9"), RULES)


def test_many_attempts_at_once_are_no_way_around(desk, quick, mei):
    refused = []

    def attempt():
        try:
            come(desk, quick, password=WRONG)
        except Denied as error:
            refused.append(error.details.get("retry_after", 0))

    crowd = [threading.Thread(target=attempt) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(refused) == 16
    assert sum(wait > 0 for wait in refused) >= 5  # the clock of the tests moves a second a look
    assert quick.verified == sum(wait == 0 for wait in refused)


def test_of_attempts_at_the_same_moment_none_is_lost(desk, quick, mei):
    start = threading.Barrier(16)

    def attempt():
        start.wait()
        count(desk, None, "198.51.100.7")

    crowd = [threading.Thread(target=attempt) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    with reading(desk.registry) as sql:
        key = throttle.key_of("source", "198.51.100.7")
        table = schema.sign_in_tries
        assert sql.scalar(select(table.c.failures).where(table.c.key == key)) == 16


def test_what_is_kept_of_strangers_has_an_end(desk, quick, mei, monkeypatch):
    monkeypatch.setattr(throttle, "MOST_ROWS", 10)
    for at in range(30):
        why_not(desk, quick, f"person{at}", WRONG, source=f"198.51.100.{at}")
    with reading(desk.registry) as sql:
        assert sql.scalar(select(func.count()).select_from(schema.sign_in_tries)) <= 10


@pytest.mark.parametrize("secret", [None, "", "0" * 64, "x" * 64, "é" * 64, "0" * 63, "a" * 100_000, "' OR 1=1 --"])
def test_a_made_up_secret_opens_nothing(desk, quick, mei, secret):
    come(desk, quick)
    assert visit(desk, secret, RULES) is None


def test_the_hash_that_is_stored_opens_nothing(desk, quick, mei):
    come(desk, quick)
    with reading(desk.registry) as sql:
        (stored,) = store.sessions_of(sql, "mei.tanaka")
    assert visit(desk, stored.hash, RULES) is None


def test_a_session_ends_after_two_hours_of_silence_and_after_half_a_day_anyway(desk, quick, mei, clock):
    silent, busy = come(desk, quick), come(desk, quick)
    for _ in range(11):
        clock.forward(timedelta(minutes=59))
        assert visit(desk, busy, RULES)
    assert visit(desk, silent, RULES) is None
    for _ in range(2):
        clock.forward(timedelta(minutes=59))
        visit(desk, busy, RULES)
    assert visit(desk, busy, RULES) is None


def test_signing_in_again_makes_a_new_secret_and_ends_the_one_that_the_browser_had(desk, quick, mei):
    first = come(desk, quick)
    second = come(desk, quick, old=first)
    assert visit(desk, first, RULES) is None
    assert visit(desk, second, RULES)
    assert visit(desk, come(desk, quick, old="planted by somebody"), RULES)


def test_a_session_that_was_signed_out_opens_nothing_also_for_who_copied_it(desk, quick, mei):
    stolen, other = come(desk, quick), come(desk, quick)
    sign_out(desk, stolen)
    assert visit(desk, stolen, RULES) is None
    assert visit(desk, other, RULES)


def test_a_person_sees_their_sessions_and_ends_one_or_all_but_nobody_elses(desk, quick, mei, person):
    person("ben.okoro")
    give_password(desk, "ben.okoro")
    ben = come(desk, quick, "ben.okoro")
    first, second, third = (come(desk, quick) for _ in range(3))
    listed = sessions.sessions(desk, mei, RULES)
    assert [one.source for one in listed] == [HERE.source] * 3
    with pytest.raises(NotFound):
        end_one(desk, mei, visit(desk, ben, RULES).session.id)
    end_one(desk, mei, visit(desk, second, RULES).session.id)
    with pytest.raises(NotFound):
        end_one(desk, mei, listed[1].id)
    assert end_all(desk, mei, but=visit(desk, first, RULES).session.hash) == 1
    assert [visit(desk, one, RULES) is not None for one in (first, second, third, ben)] == [True, False, False, True]
    assert end_all(desk, mei) == 1
    assert visit(desk, first, RULES) is None


def test_who_is_disabled_is_out_at_once_with_every_session(desk, quick, mei):
    secret = come(desk, quick)
    disable_actor(desk, SYSTEM, "mei.tanaka")
    assert visit(desk, secret, RULES) is None
    with pytest.raises(Denied):
        open_session(desk, "mei.tanaka", DEMO, HERE, rules=RULES)


@pytest.mark.parametrize("id", ["app:crm", "system", "no.one"])
def test_only_a_person_has_a_session(desk, id):
    issue_key(desk, SYSTEM, "crm", Environment.STAGING)
    with pytest.raises(Denied):
        open_session(desk, id, DEMO, HERE, rules=RULES)


def test_sessions_have_an_end_in_number_too_and_the_oldest_goes_first(desk, quick, mei):
    made = [come(desk, quick) for _ in range(MOST_SESSIONS + 3)]
    assert [visit(desk, one, RULES) is not None for one in made] == [False] * 3 + [True] * MOST_SESSIONS


def test_signing_in_and_out_leaves_no_line_and_no_row_that_verify_minds(desk, quick, mei):
    before = newest(desk)
    sign_out(desk, come(desk, quick))
    assert newest(desk) == before


def test_what_a_browser_says_of_itself_is_kept_short_and_plain(desk, mei):
    open_session(desk, "mei.tanaka", DEMO, Came(source="x" * 500, browser="\x1b[31m\u202eé" + "a" * 900), rules=RULES)
    (one,) = sessions.sessions(desk, mei, RULES)
    assert (len(one.source), len(one.browser)) == (64, 200)
    assert one.browser.startswith("?[31m??a")
