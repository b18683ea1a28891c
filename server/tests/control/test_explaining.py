"""Why yes and why no: every question that the door asks, in its order, and who could."""

import pytest

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import disable_actor
from cuelight_server.control.door import act
from cuelight_server.control.explaining import explain
from cuelight_server.control.members import admit, appoint_auditor
from cuelight_server.control.releases import approve
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind
from server.tests import releasing
from server.tests.control.test_governing import machine
from server.tests.governed import ADMIN, ANA, ANN, BEN, CHI, CY, DEE, ELI, STRANGER, actor, library
from server.tests.releasing import AUTHOR, BACKUP, ENGINEER, OWNER, PROMPT, RISK


def asked(desk, who, verb, subject="library.answer@v1", by=ANA):
    return explain(desk, actor(desk, by), who, verb, subject)


def names(found):
    return [one.name for one in found.steps]


def test_a_yes_names_the_role_and_how_it_is_held(desk):
    library(desk)
    found = asked(desk, CHI, "release.open")
    assert (found.allowed, found.why) == (True, "engineering owner, as the first")
    assert names(found) == ["account", "sight", "kind", "scope", "role"]
    assert asked(desk, CY, "release.open").why == "engineering owner, as the backup"
    assert found.could == (ANA, ANN, CHI, CY)


def test_a_no_ends_with_what_is_missing(desk):
    library(desk)
    found = asked(desk, ELI, "release.open")
    assert (found.allowed, found.steps[-1].name) == (False, "role")
    assert found.why == "it takes the workflow owner or the engineering owner"
    assert found.roles == ("the workflow owner", "the engineering owner")


def test_an_agent_is_stopped_by_its_kind_and_a_disabled_account_before_everything(desk):
    library(desk)
    machine(desk, "agent:writer", ActorKind.AGENT)
    admit(desk, actor(desk, ANA), "library", "agent:writer", "engineering_owner")
    assert asked(desk, "agent:writer", "release.open").steps[-1].name == "kind"
    assert asked(desk, "agent:writer", "draft.save").allowed
    disable_actor(desk, SYSTEM, CHI)
    assert names(asked(desk, CHI, "release.open")) == ["account"]


def test_an_approval_is_explained_with_tier_authors_and_the_process(desk):
    releasing.prepare(desk)
    releasing.evaluate(desk, "v1")
    author = asked(desk, AUTHOR, "release.approve", f"{PROMPT}@v1", by=OWNER)
    assert (author.allowed, author.steps[-1].name) == (False, "separation")
    assert author.why == f"{AUTHOR} wrote v1, and no author approves"
    owner = asked(desk, OWNER, "release.approve", f"{PROMPT}@v1", by=OWNER)
    assert (owner.allowed, owner.why) == (True, "would say yes as workflow owner")
    assert owner.steps[-3].words == "tier elevated asks for the yes of: workflow owner, engineering owner"
    assert set(owner.could) == {OWNER, ENGINEER, BACKUP}
    approve(desk, actor(desk, OWNER), PROMPT, "v1")
    again = asked(desk, OWNER, "release.approve", f"{PROMPT}@v1", by=OWNER)
    assert (again.allowed, again.why) == (False, f"{OWNER} said yes as workflow owner already")
    assert "is no workflow owner" in asked(desk, RISK, "release.approve", f"{PROMPT}@v1", by=OWNER).why


def test_what_is_explained_is_what_the_door_does(desk):
    library(desk)
    governed = [one for one in Verb if one.rule.governed and one.rule.place and one is not Verb.WORKFLOW_CREATE]
    for who in (ANA, BEN, CHI, DEE, ELI, CY, ADMIN):
        for verb in governed:
            told = asked(desk, who, verb.value, "library").allowed
            try:
                with act(desk, actor(desk, who), verb, "library"):
                    done = True
            except Denied:
                done = False
            assert told is done, (who, verb)


def test_nobody_is_explained_what_they_do_not_see(desk):
    library(desk)
    for subject in ("library", "museum"):
        with pytest.raises(NotFound, match=f"there is no {subject} here for you"):
            asked(desk, STRANGER, "release.open", subject, by=STRANGER)
    with pytest.raises(NotFound, match=f"there is no {STRANGER} here"):
        asked(desk, STRANGER, "release.open", by=ANA)
    with pytest.raises(Invalid, match=r"there is no verb release\.everything"):
        asked(desk, ANA, "release.everything")
    appoint_auditor(desk, SYSTEM, STRANGER)
    assert asked(desk, STRANGER, "release.open", by=STRANGER).steps[-1].name == "role"


def test_who_could_add_people_is_told_to_administrators_only(desk):
    library(desk)
    assert asked(desk, ANA, "actor.add", "x", by=ANA).could == ()
    assert asked(desk, ADMIN, "actor.add", "x", by=ADMIN).could == (ADMIN,)
