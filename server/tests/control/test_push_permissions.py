"""Who may push what: each part of a folder asks for its own permission, and a refused part undoes the whole."""

import pytest

from cuelight.contract.errors import Denied, NotFound
from cuelight_server.control.access import authenticate, issue_key
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store
from server.tests.folders import OWNERS, PROMPT, content, edited, folder, recording, suite, workflow
from server.tests.pushing import lines, log, rows, size, told

WARM = edited(PROMPT, "settings", "temperature", to=0.3)


@pytest.fixture
def sent(desk, person):
    """`sent(by=..., bundle=...)`: pushes a folder, as the workflow owner if nobody else is named."""

    def send(*, by=None, bundle=None):
        return push(desk, by or person(OWNERS["workflow_owner"]), bundle or folder()).to_json()

    return send


GOVERNED = {
    "the tier goes up": workflow(tier="high"),
    "another owner": edited(workflow(), "owners", "risk_owner", "person", to="eli.stone"),
    "a backup": edited(workflow(), "owners", "risk_owner", "backup", to="eli.stone"),
    "the named business owner": workflow(business_owner="ben.cole"),
    "other approvals": workflow(release={"approvals": ["risk_owner"]}),
    "approvals of one prompt": edited(workflow(), "prompts", "answer", "release", to={"approvals": ["risk_owner"]}),
    "an owner of one prompt": edited(
        workflow(), "prompts", "answer", "owners", to={"risk_owner": {"person": "eli.stone"}}
    ),
    "who may roll back": workflow(rollback={"roles": ["risk_owner"]}),
    "the situations": workflow(
        situations={
            "automated_decision": True,
            "brand_or_legal": False,
            "system_of_record": False,
            "personal_data": False,
            "tools": True,
        }
    ),
}


@pytest.mark.parametrize("document", GOVERNED.values(), ids=GOVERNED)
def test_what_governs_waits_for_others_and_a_tier_goes_up_at_once(desk, person, sent, document):
    sent()
    with reading(desk.registry) as sql:
        kept = store.workflow(sql, "library")
    done = sent(by=person("dee.lund"), bundle=folder(workflow=document))
    raised = document["tier"] == "high"
    assert done["governance"] == ("changed" if raised else "proposed")
    assert lines(desk)[-1] == ("workflow.govern" if raised else "governance.propose", "library")
    with reading(desk.registry) as sql:
        now = store.workflow(sql, "library")
    assert (now.revision, now.document == kept.document) == ((2, False) if raised else (1, True))


def test_who_only_makes_may_not_raise_a_tier_but_may_propose(desk, person, sent):
    sent()
    kept = rows(desk)
    with pytest.raises(Denied, match="may not change a workflow's owners"):
        sent(by=person("chi.okafor"), bundle=folder(workflow=GOVERNED["the tier goes up"]))
    assert rows(desk) == kept
    assert (
        sent(by=person("chi.okafor"), bundle=folder(workflow=GOVERNED["other approvals"]))["governance"] == "proposed"
    )


def test_a_wider_authority_is_governed_too(desk, person, sent):
    sent()
    wider = {"actions": [{"action": "hold.place", "mode": "may_execute"}]}
    done = sent(bundle=folder(authority=wider))
    assert done["governance"] == "proposed"
    assert done["proposal"]["changes"] == ["authority.hold.place.mode: may_prepare -> may_execute"]
    with reading(desk.registry) as sql:
        assert store.workflow(sql, "library").authority != wider


def test_the_rest_of_a_folder_is_stored_while_its_rules_wait(desk, person, sent):
    sent()
    changed = {**GOVERNED["other approvals"], "title": "Answering every reader"}
    done = sent(bundle=folder(labels={"v1": PROMPT, "v2": WARM}, workflow=changed))
    assert (told(done["minted"]), done["governance"]) == ([("v2", 2)], "proposed")
    with reading(desk.registry) as sql:
        now = store.workflow(sql, "library").document
    assert (now["title"], "release" in now) == ("Answering every reader", False)
    assert sent(bundle=folder(labels={"v1": PROMPT, "v2": WARM}, workflow=changed))["governance"] == "waiting"


def test_the_risk_owner_may_not_mint_along_with_what_she_governs(desk, person, sent):
    sent()
    kept = rows(desk)
    bundle = folder(labels={"v1": PROMPT, "v2": WARM}, workflow=GOVERNED["other approvals"])
    with pytest.raises(Denied, match="may not"):
        sent(by=person("dee.lund"), bundle=bundle)
    assert rows(desk) == kept


def test_a_maker_may_reword_the_workflow_without_governing_it(desk, person, sent):
    sent()
    done = sent(by=person("ben.cole"), bundle=folder(workflow=workflow(title="Answering every reader")))
    assert (done["governance"], lines(desk)[-1]) == ("unchanged", ("workflow.push", "library"))


def test_a_wording_and_a_rule_in_one_push_leave_two_lines(desk, sent):
    sent()
    before = size(desk)
    sent(bundle=folder(workflow=workflow(title="Answering every reader", tier="high")))
    assert lines(desk, before) == [("workflow.push", "library"), ("workflow.govern", "library")]
    assert {one.facts["revision"] for one in log(desk, before)} == {2}


@pytest.mark.parametrize("tier", ["standard", "low"])
def test_a_tier_goes_down_by_no_push(desk, sent, tier):
    sent()
    done = sent(bundle=folder(labels={"v1": PROMPT, "v2": WARM}, workflow=workflow(tier=tier)))
    assert done["proposal"]["changes"] == [f"tier: elevated -> {tier}"]
    with reading(desk.registry) as sql:
        assert store.workflow(sql, "library").document["tier"] == "elevated"


ROLES = {
    "a version": (folder(labels={"v1": PROMPT, "v2": WARM}), {"ana.reyes", "ben.cole", "chi.okafor"}),
    "a draft": (folder(labels={"v1": PROMPT, "idea": WARM}), {*OWNERS.values()}),
    "a suite": (folder(suites={"answer": suite(defaults={"catalogue": [1]})}), {*OWNERS.values()} - {"eli.stone"}),
    "knowledge": (
        folder(knowledge={"hours": {"knowledge": "hours", "items": []}}),
        {"ana.reyes", "ben.cole", "chi.okafor"},
    ),
    "prices": (folder(prices={"models": []}), {"ana.reyes", "chi.okafor"}),
    "a recording": (folder(recordings=[recording(content().digest)]), {"ana.reyes", "ben.cole", "chi.okafor"}),
}


@pytest.mark.parametrize(("bundle", "makers"), ROLES.values(), ids=ROLES)
@pytest.mark.parametrize("who", [*OWNERS.values(), "zoe.stranger"])
def test_each_thing_takes_its_own_permission(desk, person, sent, bundle, makers, who):
    sent()
    kept = rows(desk)
    actor = person(who)
    kept = rows(desk) if who == "zoe.stranger" else kept
    if who in makers:
        sent(by=actor, bundle=bundle)
        assert rows(desk) != kept
    else:
        with pytest.raises(NotFound if who == "zoe.stranger" else Denied):
            sent(by=actor, bundle=bundle)
        assert rows(desk) == kept


def test_whoever_creates_a_workflow_puts_its_first_content_in_and_has_no_say_after_that(desk, person, sent):
    zoe = person("zoe.stranger")
    done = sent(by=zoe, bundle=folder(labels={"v1": PROMPT, "idea": WARM}, recordings=[recording(content().digest)]))
    assert told(done["minted"]) == [("v1", 1)]
    with pytest.raises(Denied):
        sent(by=zoe, bundle=folder(labels={"v2": WARM}))


def test_an_app_may_push_nothing(desk, sent):

    app = authenticate(desk, issue_key(desk, SYSTEM, "crm", Environment.PRODUCTION))
    with pytest.raises(Denied):
        sent(by=app)
