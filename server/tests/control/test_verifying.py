"""A verification reads the log in a stream: what it holds does not grow with the lines, and what it finds is the same."""

import tracemalloc

import pytest

from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event
from cuelight_server.control.access import issue_token
from cuelight_server.control.verify import Turns, verify_desk
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.turns import takes_turn
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Unavailable
from server.tests.tampering import behind_our_back


def refusals(desk, count):
    with transaction(desk.registry, Intent.WRITE) as sql:
        for _ in range(count):
            facts = {"verb": "release.open", "kind": "denied", "message": "no " * 100, "hint": ""}
            at = "2026-01-05T09:00:00.000000Z"
            audit.append(sql, Event(at=at, actor="ada", verb="refused", subject="sales", facts=facts))


def peak(desk):
    """The most memory, in bytes, that objects of one verification took at once."""
    tracemalloc.start()
    try:
        assert verify_desk(desk).problems == ()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_verification_of_five_times_as_many_lines_takes_no_more_memory(desk):
    refusals(desk, 1_200)
    before = peak(desk)
    refusals(desk, 4_800)
    assert peak(desk) < 1.3 * before


def test_a_line_that_is_filed_under_another_verb_is_named_and_its_row_is_not_accused(desk, person):
    issue_token(desk, SYSTEM, person("mei.tanaka").id)
    behind_our_back(desk, "UPDATE audit_event SET verb = 'refused' WHERE verb = 'token.issue'")
    (found,) = [one for one in verify_desk(desk).problems if not one.startswith("triggers")]
    assert found.endswith("is filed under another verb than it says, so a search would miss it")


def test_two_servers_of_a_desk_do_not_verify_at_once(desk):
    two = Turns(desk)
    with reading(desk.registry) as sql:
        alone = takes_turn(sql, "verify") and desk.registry.dialect.name == "sqlite"
        if alone:
            assert two.verify().problems == ()  # another process on the files has its own locks
        else:
            with pytest.raises(Unavailable, match="running on another server") as refused:
                two.verify()
            assert refused.value.details == {"retry_after": 10}
    assert two.verify().problems == ()


@pytest.mark.parametrize("verb", ["", 'refused","verb":"token.issue', "token.issue%"])
def test_lines_of_a_verb_are_found_whatever_stands_in_the_column_they_are_filed_under(desk, person, verb):
    issue_token(desk, SYSTEM, person("mei.tanaka").id)
    behind_our_back(desk, ("UPDATE audit_event SET verb = ? WHERE verb = 'token.issue'", (verb,)))
    with reading(desk.registry) as sql:
        assert [one.verb for one in audit.readable(sql).of("token.issue")] == ["token.issue"]


def test_lines_that_say_a_name_are_all_among_those_that_hold_it(desk, person):
    person("mei.tanaka")
    with reading(desk.registry) as sql:
        held = list(audit.readable(sql).holding("salted"))
        assert [one for one in audit.readable(sql) if '"salted"' in str(one.facts).replace("'", '"')] == held != []
