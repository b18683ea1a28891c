"""Changing what governs a workflow: proposed by one, agreed to by others under the old rules, then put into force."""

import pytest
from sqlalchemy import text, update

from cuelight_server.access import store as access
from cuelight_server.access.model import Account
from cuelight_server.control import governing
from cuelight_server.control.access import disable_actor
from cuelight_server.control.members import admit
from cuelight_server.control.proposals import listing, show
from cuelight_server.control.push import push
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.prompts import store as prompts
from server.tests.folders import folder, without
from server.tests.governed import (
    ADMIN,
    ANA,
    ANN,
    BEN,
    CHI,
    CY,
    DEE,
    EASIER,
    ELI,
    STRANGER,
    actor,
    library,
    needs,
    now,
    proposed,
    rules,
)
from server.tests.pushing import lines, log, size

AT = "2026-01-05T09:00:00.000000Z"


def agreed(desk, id, *people):
    for one in people or (ANA, CHI):
        governing.approve(desk, actor(desk, one), id)


def test_promise_3_a_lower_tier_takes_the_old_tiers_yes_and_is_in_force_only_then(desk):
    library(desk)
    id = proposed(desk, tier="low")
    assert needs(desk, id) == {"workflow_owner": None, "engineering_owner": None}
    with pytest.raises(Blocked, match="still takes the yes of the workflow owner, engineering owner") as refused:
        governing.put_into_force(desk, actor(desk, DEE), id)
    assert refused.value.details["missing"][0] == {"role": "workflow_owner", "could": [ANA, ANN]}
    agreed(desk, id)
    assert now(desk).document["tier"] == "elevated"
    done = governing.put_into_force(desk, actor(desk, DEE), id)
    assert (done.revision, done.changes, now(desk).document["tier"]) == (2, ("tier: elevated -> low",), "low")
    assert show(desk, id).state == "in_force"
    assert verify_desk(desk).problems == ()


def test_promise_3_no_author_agrees_to_their_own_change_of_the_rules(desk):
    library(desk)
    id = proposed(desk, by=ANA)
    with pytest.raises(Denied, match="no author says yes to their own change") as refused:
        governing.approve(desk, actor(desk, ANA), id)
    assert refused.value.hint == f"ask {ANN} (workflow owner), {CHI} or {CY} (engineering owner)"
    agreed(desk, id, ANN, CHI)
    governing.put_into_force(desk, actor(desk, ANA), id)


def test_promise_3_neither_does_their_second_account(desk):
    library(desk)
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(update(schema.actor).where(schema.actor.c.id == CY).values(person=DEE))
    id = proposed(desk, by=DEE)
    with pytest.raises(Denied, match="no author says yes"):
        governing.approve(desk, actor(desk, CY), id)


def test_promise_3_one_person_is_one_yes_in_whatever_role(desk):
    owners = rules()["owners"]
    owners["engineering_owner"]["backup"] = ANA
    library(desk, owners=owners)
    id = proposed(desk, tier="standard", owners=owners)
    governing.approve(desk, actor(desk, ANA), id, "workflow_owner")
    with pytest.raises(Conflict, match="said yes as workflow owner already"):
        governing.approve(desk, actor(desk, ANA), id, "engineering_owner")
    assert needs(desk, id) == {"workflow_owner": ANA, "engineering_owner": None}


def test_promise_3_whoever_changed_the_rules_is_an_author_and_who_put_them_into_force_is_none(desk):
    library(desk)
    id = proposed(desk, by=DEE)
    agreed(desk, id)
    governing.put_into_force(desk, actor(desk, ANN), id)
    with reading(desk.registry) as sql:
        assert prompts.revised_since(sql, "library", 1) == [DEE]


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"tier": "low"}, {"workflow_owner", "engineering_owner"}),
        ({"release": {"approvals": ["workflow_owner"]}}, {"workflow_owner", "engineering_owner"}),
        ({"business_owner": BEN}, {"workflow_owner", "engineering_owner"}),
        ({"authority": {"actions": []}}, {"workflow_owner", "engineering_owner", "risk_owner"}),
    ],
)
def test_the_old_rules_say_who_is_asked_also_for_an_authority(desk, changes, asked):
    extra = {"extra": [{"classes": ["boundary"], "roles": ["risk_owner"]}]}
    library(desk, release=extra)
    id = proposed(desk, by=ELI, **{"release": extra, **changes})
    assert set(needs(desk, id)) == asked


def test_a_yes_is_for_exactly_what_was_read(desk):
    library(desk)
    first = proposed(desk, release=EASIER)
    agreed(desk, first)
    second = proposed(desk, release={"approvals": ["support_owner"]})
    assert (show(desk, first).state, show(desk, first).ended_why) == ("replaced", f"replaced by {second}")
    assert needs(desk, second) == {"workflow_owner": None, "engineering_owner": None}
    with pytest.raises(Conflict, match="is replaced since"):
        governing.put_into_force(desk, actor(desk, DEE), first)


def test_another_persons_proposal_is_not_pushed_away(desk):
    library(desk)
    id = proposed(desk, by=DEE, release=EASIER)
    before = size(desk)
    with pytest.raises(Conflict, match=f"{DEE} has proposed another change of what governs library: {id}"):
        proposed(desk, by=ELI, release={"approvals": ["support_owner"]})
    assert size(desk) == before
    assert proposed(desk, by=ELI, release=EASIER) == id  # the same again is nothing new


def test_who_held_the_role_when_they_said_yes_and_does_not_any_more_does_not_count(desk):
    library(desk)
    id = proposed(desk)
    agreed(desk, id, ANA, CHI)
    disable_actor(desk, SYSTEM, ANA)
    with pytest.raises(Blocked, match="the yes of the workflow owner"):
        governing.put_into_force(desk, actor(desk, DEE), id)
    agreed(desk, id, ANN)
    governing.put_into_force(desk, actor(desk, DEE), id)


def test_rules_that_changed_meanwhile_make_a_proposal_stale(desk):
    library(desk)
    id = proposed(desk, release=EASIER)
    agreed(desk, id)
    push(desk, actor(desk, ANA), folder(workflow=rules(tier="high")))
    assert show(desk, id).stale
    with pytest.raises(Conflict, match="has changed since"):
        governing.put_into_force(desk, actor(desk, DEE), id)
    assert proposed(desk, tier="high", release=EASIER) != id


def test_a_role_that_nobody_but_the_author_could_fill_is_filled_by_an_administrator_and_by_no_other(desk):
    owners = rules()["owners"]
    del owners["workflow_owner"]["backup"]
    library(desk, owners=owners)
    id = proposed(desk, by=ANA, tier="standard", owners=owners)
    assert needs(desk, id) == {"engineering_owner": None, "administrator": None}
    with pytest.raises(Denied, match="holds none of the roles"):
        governing.approve(desk, actor(desk, DEE), id, "administrator")
    agreed(desk, id, CHI, ADMIN)
    governing.put_into_force(desk, actor(desk, ANA), id)


def test_an_administrator_stands_in_for_nobody_who_is_here(desk):
    library(desk)
    id = proposed(desk)
    with pytest.raises(Invalid, match="the yes of the administrator is not asked for"):
        governing.approve(desk, actor(desk, ADMIN), id, "administrator")
    with pytest.raises(Denied):
        governing.approve(desk, actor(desk, ADMIN), id)


def test_its_author_takes_it_back_and_an_owner_declines_it_each_with_a_reason(desk):
    library(desk)
    id = proposed(desk)
    with pytest.raises(Denied, match="only they take it back"):
        governing.withdraw(desk, actor(desk, ELI), id, "no")
    with pytest.raises(Invalid, match="a reason"):
        governing.withdraw(desk, actor(desk, DEE), id, " ")
    governing.withdraw(desk, actor(desk, DEE), id, "too early")
    assert (show(desk, id).state, show(desk, id).ended_why) == ("withdrawn", "too early")
    other = proposed(desk)
    with pytest.raises(Denied, match="is not asked about"):
        governing.decline(desk, actor(desk, BEN), other, "no")
    governing.decline(desk, actor(desk, CHI), other, "the tier is right")
    assert show(desk, other).state == "declined"
    for act in (governing.approve, governing.put_into_force):
        with pytest.raises(Conflict, match="is declined since"):
            act(desk, actor(desk, ANA), other)
    assert verify_desk(desk).problems == ()


def test_undo_is_a_change_like_any_other_and_goes_back_to_what_governed_before(desk):
    library(desk)
    before = now(desk)
    id = proposed(desk, tier="elevated", release=EASIER)
    with pytest.raises(Conflict, match="nothing to undo"):
        governing.undo(desk, actor(desk, DEE), id)
    agreed(desk, id)
    governing.put_into_force(desk, actor(desk, DEE), id)
    back = governing.undo(desk, actor(desk, DEE), id)
    assert needs(desk, back.id) == {"workflow_owner": None, "engineering_owner": None}
    agreed(desk, back.id)
    governing.put_into_force(desk, actor(desk, DEE), back.id)
    assert (now(desk).revision, now(desk).document) == (3, before.document)
    with pytest.raises(Conflict, match="governs now"):
        governing.undo(desk, actor(desk, DEE), id)
    assert verify_desk(desk).problems == ()


def test_in_tier_low_one_person_decides_at_once(desk):
    library(desk, tier="low")
    done = push(desk, actor(desk, ANA), folder(workflow=rules(tier="low", release=EASIER))).to_json()
    assert (done["governance"], done["proposal"]) == ("changed", None)
    assert lines(desk)[-1] == ("workflow.govern", "library")


def test_an_agent_proposes_and_never_says_yes(desk):
    library(desk)
    machine(desk, "agent:writer", ActorKind.AGENT)
    admit(desk, actor(desk, ANA), "library", "agent:writer", "risk_owner")
    id = proposed(desk, by="agent:writer")
    for refused in (governing.approve, governing.put_into_force):
        with pytest.raises(Denied, match="an agent drafts and proposes"):
            refused(desk, actor(desk, "agent:writer"), id)
    agreed(desk, id)
    governing.put_into_force(desk, actor(desk, ANA), id)


def machine(desk, id, kind):
    with transaction(desk.registry, Intent.WRITE) as sql:
        access.save_account(sql, Account(id=id, name=id, kind=kind, admin=False, created_at=AT))


def test_a_prompt_that_is_left_out_and_brought_back_keeps_its_own_rules(desk):
    own = rules()
    own["prompts"]["answer"]["release"] = {"approvals": ["risk_owner"]}
    own["prompts"]["letter"] = {"use_case": "Write a letter", "fallback": {"person": "front desk"}}
    library(desk, prompts=own["prompts"])
    without_it = without(rules(prompts=own["prompts"]), "prompts", "answer")
    bundle = folder(workflow=without_it)
    bundle["prompts"] = {}
    done = push(desk, actor(desk, ANA), bundle).to_json()
    assert done["governance"] == "proposed"
    assert now(desk).document["prompts"]["answer"]["release"] == {"approvals": ["risk_owner"]}


def test_what_a_change_of_the_rules_makes_void_is_told(desk):
    library(desk)
    with transaction(desk.registry, Intent.WRITE) as sql:
        given = {"id": "apr_1", "prompt": "library.answer", "number": 1, "environment": "production", "role": "x"}
        sql.execute(schema.approval.insert().values(**given, binding="b", person=ANA, note="", created_at=AT))
    id = proposed(desk)
    agreed(desk, id)
    assert governing.put_into_force(desk, actor(desk, DEE), id).voided == ("apr_1",)
    assert log(desk)[-1].facts["voided"] == ["apr_1"]


def test_who_does_not_see_the_workflow_finds_no_proposal(desk):
    library(desk)
    id = proposed(desk)
    zoe = actor(desk, STRANGER)
    for one in (id, "gov_none"):
        with pytest.raises(NotFound, match=f"there is no proposal {one}"):
            governing.approve(desk, zoe, one)
    assert [one.id for one in listing(desk).items] == [id]


def test_promise_9_a_proposal_a_yes_or_a_place_that_was_changed_by_hand_is_named(desk):
    library(desk)
    id = proposed(desk)
    agreed(desk, id)
    admit(desk, actor(desk, ANA), "library", STRANGER, "reader")
    assert verify_desk(desk).problems == ()
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(text("UPDATE proposal SET author = 'eli.stone', document = '{}'"))
        sql.execute(text("UPDATE membership SET role = 'member'"))
        made = {"id": "yes_x", "proposal": id, "role": "risk_owner", "person": DEE, "note": "", "created_at": AT}
        sql.execute(schema.consent.insert().values(**made))
    found = "\n".join(verify_desk(desk).problems)
    for words in (
        f"proposal {id}: author is eli.stone",
        f"proposal {id}: its content",
        "place library zoe.stranger member is there",
        "place library zoe.stranger reader is gone",
        "consent yes_x is there",
    ):
        assert words in found
