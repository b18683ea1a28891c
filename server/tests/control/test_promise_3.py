"""Promise 3: an approval counts only for exactly what was approved, by people entitled then and now, distinct, no author."""

import pytest

from cuelight_server.control.access import disable_actor
from cuelight_server.control.releases import approve, check, release
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Denied
from server.tests.releasing import (
    BACKUP,
    ENGINEER,
    OWNER,
    PROMPT,
    RISK,
    content,
    document,
    evaluate,
    govern,
    live,
    mint,
    prepare,
    suite,
    who,
)


@pytest.fixture
def approved(desk):
    """v1 is green: report, and the yes of the workflow owner and the engineering owner."""
    prepare(desk)
    evaluate(desk, "v1")
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, "v1")
    assert check(desk, PROMPT, "v1").ok
    return desk


def authority(desk):
    govern(desk, document(), {"actions": [{"action": "crm.delete", "mode": "may_execute"}]})


def owners(desk):
    mine = document()
    mine["owners"]["workflow_owner"] = {"person": RISK}
    govern(desk, mine)


def cases(desk):
    suite(desk, "more")
    evaluate(desk, "v1")


def evidence(desk):
    evaluate(desk, "v1", provider="echo")


@pytest.mark.parametrize("change", [authority, owners, cases, evidence])
def test_promise_3_any_edit_voids_the_approvals(approved, change):
    change(approved)
    items = {one.id for one in check(approved, PROMPT, "v1").missing}
    assert {"approval:workflow_owner", "approval:engineering_owner"} <= items
    with pytest.raises(Blocked):
        release(approved, who(approved, ENGINEER), PROMPT, "v1")
    assert live(approved) is None


def test_promise_3_approvals_of_one_version_are_none_of_another_even_with_equal_content(approved):
    mint(approved, 3, made=content("version 1"))
    with pytest.raises(Blocked):
        release(approved, who(approved, ENGINEER), PROMPT, "v3")


def test_promise_3_who_was_entitled_then_and_is_not_now_does_not_count(approved):
    disable_actor(approved, SYSTEM, OWNER)
    with pytest.raises(Blocked, match=f"{OWNER} is no workflow owner any more"):
        release(approved, who(approved, ENGINEER), PROMPT, "v1")
    approve(approved, who(approved, BACKUP), PROMPT, "v1", role="workflow_owner")
    release(approved, who(approved, ENGINEER), PROMPT, "v1")
    assert live(approved) == 1


def test_promise_3_people_are_distinct_and_none_is_an_author(desk):
    prepare(desk, versions=0)
    mint(desk, 1, author=ENGINEER)
    evaluate(desk, "v1")
    with pytest.raises(Denied):
        approve(desk, who(desk, ENGINEER), PROMPT, "v1")
    approve(desk, who(desk, BACKUP), PROMPT, "v1", role="workflow_owner")
    with pytest.raises(Blocked):
        approve(desk, who(desk, BACKUP), PROMPT, "v1", role="engineering_owner")
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
    assert live(desk) is None
