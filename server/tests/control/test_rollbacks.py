"""Rolling back, as people meet it: one switch, no gate, and the bad version does not come back."""

import json

import pytest

from cuelight.contract.snapshot import parse
from cuelight_server.control.desk import Desk
from cuelight_server.control.releases import approve, check, release, roll_back
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.views.runtime import current
from server.tests.releasing import (
    AUTHOR,
    ENGINEER,
    OWNER,
    PROMPT,
    SUPPORT,
    document,
    evaluate,
    govern,
    live,
    prepare,
    suite,
    who,
)


def ready(desk: Desk, label: str = "v1", environment: str = "production") -> None:
    """Evaluated and approved."""
    evaluate(desk, label)
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, label, environment)


def released(desk: Desk, label: str = "v1") -> None:
    ready(desk, label)
    release(desk, who(desk, ENGINEER), PROMPT, label, note="go")


def missing(desk: Desk, label: str, environment: str = "production") -> set[str]:
    return {item.id for item in check(desk, PROMPT, label, environment).missing}


def snapshot(desk: Desk, environment: str = "production"):
    return parse(json.loads(current(desk, environment).body))


def test_a_rollback_is_one_switch_to_the_pinned_version_and_needs_no_gate(desk):
    prepare(desk)
    released(desk, "v1")
    first = snapshot(desk).resolve(PROMPT).release
    released(desk, "v2")
    suite(desk, "more")  # no report counts any more
    back = roll_back(desk, who(desk, SUPPORT), PROMPT, why="fences")
    assert (back.from_, back.to, back.switched_off, back.no_op) == ("v2", "v1", False, False)
    assert snapshot(desk).resolve(PROMPT).version == "v1"
    assert snapshot(desk).resolve(PROMPT).release == first
    assert back.snapshot_version == snapshot(desk).version == 3


def test_rolling_back_the_first_release_switches_off_with_the_declared_fallback(desk):
    prepare(desk)
    released(desk, "v1")
    back = roll_back(desk, SYSTEM, PROMPT, why="wrong")
    served = snapshot(desk).resolve(PROMPT)
    assert (back.to, back.switched_off) == (None, True)
    assert (served.version, served.reason, served.fallback) == (None, "kill_switch", {"message": "a person will look"})


def test_after_a_switch_off_a_good_version_can_be_released(desk):
    prepare(desk)
    released(desk, "v1")
    roll_back(desk, SYSTEM, PROMPT, why="wrong")
    released(desk, "v2")
    assert snapshot(desk).resolve(PROMPT).version == "v2"
    assert roll_back(desk, SYSTEM, PROMPT, why="worse").switched_off


def test_a_rolled_back_version_cannot_come_back(desk):
    prepare(desk)
    released(desk, "v1")
    released(desk, "v2")
    roll_back(desk, SYSTEM, PROMPT, why="fences")
    assert missing(desk, "v2") == {"quarantine"}
    with pytest.raises(Blocked, match="fences"):
        release(desk, who(desk, ENGINEER), PROMPT, "v2")
    ready_in_staging = missing(desk, "v2", "staging")
    assert ready_in_staging == set()


def test_going_further_back_takes_the_name_of_what_serves(desk):
    prepare(desk, versions=3)
    for label in ("v1", "v2", "v3"):
        released(desk, label)
    seen = [roll_back(desk, SYSTEM, PROMPT, why="bad", from_label=label).to for label in ("v3", "v2", "v1")]
    assert seen == ["v2", "v1", None]


def test_promise_5_a_rollback_that_is_asked_for_twice_does_not_go_on_past_the_good_version(desk):
    prepare(desk, versions=3)
    for label in ("v1", "v2", "v3"):
        released(desk, label)
    first = roll_back(desk, SYSTEM, PROMPT, why="bad")
    again = roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert (again.no_op, again.from_, again.to, again.snapshot_version) == (True, "v3", "v2", first.snapshot_version)
    assert again.words == "already rolled back from v3 to v2; to go further back name what serves: --from v2"
    assert live(desk) == 2
    assert "quarantine" not in missing(desk, "v2")


def test_promise_5_after_the_next_release_a_rollback_needs_no_name_again(desk):
    prepare(desk, versions=3)
    for label in ("v1", "v2"):
        released(desk, label)
    roll_back(desk, SYSTEM, PROMPT, why="bad")
    released(desk, "v3")
    assert roll_back(desk, SYSTEM, PROMPT, why="bad").to == "v1"


def test_two_people_who_roll_back_the_same_version_get_one_rollback(desk):
    prepare(desk, versions=3)
    for label in ("v1", "v2", "v3"):
        released(desk, label)
    first = roll_back(desk, who(desk, SUPPORT), PROMPT, why="bad", from_label="v3")
    second = roll_back(desk, who(desk, OWNER), PROMPT, why="bad", from_label="v3")
    assert (first.to, second.to, second.no_op) == ("v2", "v2", True)
    assert second.snapshot_version == first.snapshot_version
    assert live(desk) == 2


def test_rolling_back_from_what_never_served_is_a_conflict(desk):
    prepare(desk, versions=3)
    released(desk, "v1")
    released(desk, "v2")
    with pytest.raises(Conflict, match="v3 is not what serves now") as refused:
        roll_back(desk, SYSTEM, PROMPT, why="bad", from_label="v3")
    assert refused.value.hint == "v2 does"


def test_rolling_back_what_is_off_does_nothing(desk):
    prepare(desk)
    released(desk)
    roll_back(desk, SYSTEM, PROMPT, why="bad")
    again = roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert (again.no_op, again.switched_off) == (True, True)


def test_a_rollback_needs_a_reason_and_a_release(desk):
    prepare(desk)
    with pytest.raises(Invalid):
        roll_back(desk, SYSTEM, PROMPT, why=" ")
    with pytest.raises(NotFound):
        roll_back(desk, SYSTEM, PROMPT, why="bad")


def test_who_may_not_roll_back_is_denied(desk):
    prepare(desk)
    released(desk)
    with pytest.raises(Denied):
        roll_back(desk, who(desk, AUTHOR), PROMPT, why="bad")


def test_a_pushed_authority_takes_effect_with_the_next_release_only(desk):
    prepare(desk)
    released(desk, "v1")
    govern(desk, document(), {"actions": [{"action": "crm.write", "mode": "may_execute"}]})
    roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert snapshot(desk).governed(PROMPT).authority == {"actions": []}
    released(desk, "v2")
    assert snapshot(desk).governed(PROMPT).authority["actions"]
