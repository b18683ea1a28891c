"""Failed sign-ins leave lines, and nobody can fill the log with them."""

import threading
from datetime import UTC, datetime, timedelta

from cuelight_server.audit import store as audit
from cuelight_server.control.failed_sign_ins import note_failed_sign_in, write_failed_sign_ins
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.errors import Unavailable
from server.tests.tampering import a_tool


def written(desk):
    with reading(desk.registry) as sql:
        return [one for one in audit.readable(sql) if one.verb == "sign_in.fail"]


def test_many_failures_in_a_minute_are_one_line_with_their_count(desk, clock, person):
    person("mei.tanaka")
    for _ in range(40):
        note_failed_sign_in(desk, "password", "mei.tanaka", "203.0.113.7")
    note_failed_sign_in(desk, "token unknown", None, "203.0.113.7")
    clock.forward(timedelta(minutes=2))
    write_failed_sign_ins(desk)
    found = written(desk)
    assert sum(one.facts["count"] for one in found) == 41
    assert {(one.facts["kind"], one.facts["who"]) for one in found} == {
        ("password", "mei.tanaka"),
        ("token unknown", None),
    }
    assert {one.actor for one in found} == {"system"}
    assert verify_desk(desk).problems == ()
    assert write_failed_sign_ins(desk) == 0


def test_the_minute_that_is_not_over_waits_and_is_written_at_the_end_of_a_server(desk):
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    assert write_failed_sign_ins(desk) == 0
    assert write_failed_sign_ins(desk, all_of_it=True) == 1


def test_an_attacker_with_a_thousand_addresses_fills_33_lines_a_minute_and_is_counted_in_full(make_desk):
    still = datetime(2026, 1, 5, 9, tzinfo=UTC)
    desk = make_desk("still", clock=lambda: still)
    for n in range(1000):
        note_failed_sign_in(desk, "password", None, f"2001:db8::{n:x}")
    write_failed_sign_ins(desk, all_of_it=True)
    found = written(desk)
    assert len(found) == 33
    assert sum(one.facts["count"] for one in found) == 1000
    assert [one.facts["count"] for one in found if one.facts["kind"] == "various"] == [968]


def test_what_a_stranger_typed_is_nowhere(desk):
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    write_failed_sign_ins(desk, all_of_it=True)
    assert written(desk)[0].facts["who"] is None


def test_what_cannot_be_written_now_is_not_forgotten(desk):
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    if desk.registry.dialect.name == "sqlite":
        with a_tool(desk) as raw:
            raw.execute("BEGIN IMMEDIATE")
            try:
                write_failed_sign_ins(desk, all_of_it=True)
            except Unavailable:
                pass
            else:
                raise AssertionError("it should have waited in vain")
    assert write_failed_sign_ins(desk, all_of_it=True) == 1


def test_counting_from_many_threads_loses_none(desk):
    def hammer():
        for _ in range(200):
            note_failed_sign_in(desk, "token unknown", None, "203.0.113.7")

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    counted = desk.failed.take(desk.clock() + timedelta(days=365))
    assert sum(count for _, _, count in counted) == 1600
