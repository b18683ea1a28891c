"""What the desk says of each prompt: a state in a word, and why."""

from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.control.runtime import Ack, acknowledge
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.views.desk import me, people, person, status
from server.tests.releasing import AUTHOR, BACKUP, ENGINEER, OWNER, PEOPLE, PROMPT, evaluate, mint, prepare, who


def go_live(desk, label, environment="production"):
    evaluate(desk, label)
    if environment == "production":
        for one in (OWNER, ENGINEER):
            approve(desk, who(desk, one), PROMPT, label)
    return release(desk, who(desk, ENGINEER), PROMPT, label, environment, "a note")


def row(desk, environment="production"):
    return next(one for one in status(desk).rows if one.environment == environment)


def test_a_prompt_that_was_never_released_is_off(desk):
    prepare(desk)
    assert (row(desk).state, row(desk).word, row(desk).serves, row(desk).report) == ("off", "Off", (), None)


def test_one_approved_version_is_go_with_its_release_note_and_what_a_rollback_would_do(desk):
    prepare(desk, versions=1)
    released = go_live(desk, "v1")
    first = row(desk)
    assert (first.state, first.serves, first.release, first.note) == ("go", (("v1", 100_000),), released.id, "a note")
    assert (first.rollback_target, first.report.verdict, first.report.label) == (None, "pass", "v1")
    mint(desk, 2)
    go_live(desk, "v2")
    assert (row(desk).state, row(desk).rollback_target) == ("go", "v1")


def test_a_newer_version_is_standby_only_when_it_passed_and_waits(desk):
    prepare(desk, versions=2)
    go_live(desk, "v1")
    assert (row(desk).state, row(desk).why) == ("go", "serving as approved; v2 was not evaluated yet")
    evaluate(desk, "v2", verdict="fail")
    assert (row(desk).state, row(desk).why) == ("go", "serving as approved; v2 did not pass its evaluation")
    evaluate(desk, "v2")
    assert (row(desk).state, row(desk).why) == ("standby", "v2 passed its evaluation and waits for its release")


def test_a_rollback_is_hold_and_says_the_reason_until_the_next_release(desk):
    prepare(desk, versions=3)
    go_live(desk, "v1")
    go_live(desk, "v2")
    roll_back(desk, SYSTEM, PROMPT, why="fences")
    assert (row(desk).state, row(desk).why) == ("hold", "rolled back from v2: fences")
    go_live(desk, "v3")
    assert row(desk).state == "go"


def test_a_switched_off_prompt_is_hold(desk):
    prepare(desk, versions=1)
    go_live(desk, "v1")
    roll_back(desk, SYSTEM, PROMPT, why="wrong")
    assert (row(desk).state, row(desk).why, row(desk).serves) == ("hold", "switched off: wrong", ())


def test_other_environments_show_where_something_was_released(desk):
    prepare(desk)
    assert [one.environment for one in status(desk).rows] == ["production"]
    go_live(desk, "v1", "staging")
    assert [(one.environment, one.state) for one in status(desk).rows] == [("production", "off"), ("staging", "go")]


def test_live_clients_are_counted_by_environment(desk):
    prepare(desk)
    released = go_live(desk, "v1", "staging")
    for name, version in (("a", released.snapshot_version), ("b", 0)):
        acknowledge(desk, [Ack(client=name, app="x", environment="staging", epoch=desk.epoch, version=version)])
    assert (row(desk, "staging").clients.live, row(desk, "staging").clients.following) == (2, 1)
    assert row(desk).clients.live == 0


def test_who_am_i_and_who_is_here(desk):
    prepare(desk)
    assert me(desk, who(desk, BACKUP)).roles == {"sales": ("workflow_owner", "engineering_owner")}
    assert [one.id for one in people(desk)] == sorted(PEOPLE)
    assert person(desk, AUTHOR) == who(desk, AUTHOR)
    assert person(desk, "nobody") is None
