"""Rights at the door: kinds of account, keys that are narrowed, places that were given, and what is looked at again."""

from dataclasses import replace

import pytest

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import authenticate, issue_token, revoke
from cuelight_server.control.door import act, enter
from cuelight_server.control.members import admit, appoint_auditor, dismiss, dismiss_auditor
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.views import audit
from cuelight_server.views.audit import Reader
from cuelight_server.views.desk import status
from cuelight_server.views.sight import sight_of
from server.tests.control.test_governing import machine
from server.tests.folders import PROMPT, edited, folder
from server.tests.governed import ANA, BEN, CHI, STRANGER, actor, library, rules
from server.tests.pushing import log, rows, size

WARM = edited(PROMPT, "settings", "temperature", to=0.3)


def open_door(desk, who, verb, subject="library.answer"):
    with act(desk, who, verb, subject):
        pass


@pytest.fixture
def robots(desk):
    """A service account with the engineering owner's role, an agent with every role."""
    library(desk)
    machine(desk, "service:ci", ActorKind.SERVICE)
    machine(desk, "agent:writer", ActorKind.AGENT)
    admit(desk, actor(desk, ANA), "library", "service:ci", "engineering_owner")
    for role in ("workflow_owner", "engineering_owner", "risk_owner", "support_owner", "domain_expert"):
        admit(desk, actor(desk, ANA), "library", "agent:writer", role)
    return desk


def test_a_service_account_mints_and_releases_and_never_approves(robots):
    ci = actor(robots, "service:ci")
    push(robots, ci, folder(labels={"v1": PROMPT, "v2": WARM}, workflow=rules()))
    open_door(robots, ci, Verb.RELEASE_OPEN)
    for verb in (Verb.RELEASE_APPROVE, Verb.GOVERNANCE_APPROVE, Verb.MEMBER_ADMIT):
        with pytest.raises(Denied, match="never decides for them"):
            open_door(robots, ci, verb)
    with pytest.raises(Denied):
        approve(robots, ci, "library.answer", "v1")


def test_a_service_account_is_bound_to_the_workflows_it_was_let_into(robots):
    ci = actor(robots, "service:ci")
    assert sight_of(robots, ci).workflows == {"library"}
    with pytest.raises(NotFound):
        open_door(robots, ci, Verb.RELEASE_OPEN, "museum.guide")
    dismiss(robots, actor(robots, ANA), "library", "service:ci", "engineering_owner")
    with pytest.raises(NotFound):
        open_door(robots, ci, Verb.RELEASE_OPEN)


@pytest.mark.parametrize("verb", [one for one in Verb if one.rule.governed and one.rule.place])
def test_an_agent_with_every_role_drafts_and_proposes_and_nothing_else(robots, verb):
    allowed = {Verb.DRAFT_SAVE, Verb.PROMPT_TRY, Verb.EVALUATION_RUN, Verb.EVALUATION_CANCEL}
    allowed |= {Verb.GOVERNANCE_PROPOSE, Verb.GOVERNANCE_WITHDRAW}
    if verb in allowed:
        open_door(robots, actor(robots, "agent:writer"), verb)
    else:
        with pytest.raises(Denied):
            open_door(robots, actor(robots, "agent:writer"), verb)


def test_a_name_in_the_owners_makes_no_machine_an_owner(robots):
    owners = rules()["owners"]
    owners["risk_owner"]["person"] = "agent:writer"
    machine(robots, "service:other", ActorKind.SERVICE)
    assert sight_of(robots, actor(robots, "service:other")).workflows == frozenset()


def test_a_narrowed_key_does_less_than_its_holder_and_the_door_looks_at_it(desk):
    library(desk)
    chi = replace(actor(desk, CHI), scopes=frozenset({"read", "evaluation.run"}))
    open_door(desk, chi, Verb.EVALUATION_RUN)
    with pytest.raises(Denied, match=r"its key is for evaluation\.run, read only"):
        open_door(desk, chi, Verb.RELEASE_OPEN)
    with pytest.raises(Denied):
        open_door(desk, replace(actor(desk, BEN), scopes=frozenset({"release.open"})), Verb.RELEASE_OPEN)


def test_a_token_that_was_revoked_after_it_opened_the_door_changes_nothing(desk):
    library(desk)
    token = issue_token(desk, SYSTEM, CHI)
    chi = authenticate(desk, token)
    open_door(desk, chi, Verb.EVALUATION_RUN)
    revoke(desk, SYSTEM, token.split("_")[2])
    kept = rows(desk)
    with pytest.raises(Denied, match="revoked"):
        open_door(desk, chi, Verb.EVALUATION_RUN)
    assert rows(desk) == kept


def test_a_reader_looks_and_a_member_drafts_and_neither_more(desk):
    library(desk)
    zoe, ana = actor(desk, STRANGER), actor(desk, ANA)
    assert status(desk, sight_of(desk, zoe)).rows == ()
    admit(desk, ana, "library", STRANGER, "reader")
    assert len(status(desk, sight_of(desk, zoe)).rows) == 1
    for verb in (Verb.DRAFT_SAVE, Verb.EVALUATION_RUN, Verb.EVALUATION_CANCEL, Verb.PROMPT_MINT):
        with pytest.raises(Denied):
            open_door(desk, zoe, verb)
    admit(desk, ana, "library", STRANGER, "member")
    open_door(desk, zoe, Verb.DRAFT_SAVE)
    with pytest.raises(Denied):
        open_door(desk, zoe, Verb.PROMPT_MINT)
    for role in ("reader", "member"):
        dismiss(desk, ana, "library", STRANGER, role)
    with pytest.raises(NotFound):
        open_door(desk, zoe, Verb.DRAFT_SAVE)


@pytest.mark.parametrize(
    ("who", "role", "error"),
    [
        (STRANGER, "workflow_owner", Invalid),
        (STRANGER, "auditor", Invalid),
        ("nobody.here", "reader", NotFound),
        ("app:crm", "reader", Invalid),
        ("service:ci", "engineering_owner", Conflict),
    ],
)
def test_a_place_that_cannot_be_given_is_refused(robots, who, role, error):
    machine(robots, "app:crm", ActorKind.APP)
    with pytest.raises(error):
        admit(robots, actor(robots, ANA), "library", who, role)


def test_an_auditor_sees_everything_and_changes_nothing(desk):
    library(desk)
    appoint_auditor(desk, SYSTEM, STRANGER)
    zoe = actor(desk, STRANGER)
    assert sight_of(desk, zoe).everything
    with pytest.raises(Denied):
        open_door(desk, zoe, Verb.DRAFT_SAVE)
    with pytest.raises(Conflict):
        appoint_auditor(desk, SYSTEM, STRANGER)
    assert verify_desk(desk).problems == ()
    dismiss_auditor(desk, SYSTEM, STRANGER)
    assert not sight_of(desk, zoe).everything
    assert verify_desk(desk).problems == ()


def test_trying_a_foreign_place_leaves_a_line_whether_it_is_there_or_not(desk):
    library(desk)
    before = size(desk)
    for place in ("library", "nowhere"):
        with pytest.raises(NotFound):
            enter(desk, actor(desk, STRANGER), Verb.RELEASE_OPEN, f"{place}.answer")
    assert [(one.verb, one.subject, one.facts["kind"]) for one in log(desk, before)] == [
        ("refused", "library.answer", "not_found"),
        ("refused", "nowhere.answer", "not_found"),
    ]


def test_the_log_is_read_as_far_as_one_sees_and_pages_go_on(desk):
    library(desk)
    zoe, ben = actor(desk, STRANGER), actor(desk, BEN)
    stranger, reader = (Reader(id=one.id, sight=sight_of(desk, one)) for one in (zoe, ben))
    assert audit.events(desk, reader=stranger).items == ()
    seen = audit.events(desk, reader=reader).items
    assert {one.subject.partition(".")[0].partition("@")[0] for one in seen} == {"library"}
    found, cursor = [], None
    while True:
        page = audit.events(desk, int(cursor) if cursor else None, 2, reader=reader)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert tuple(found) == seen
    assert len(audit.after(desk, 0, 200).items) > len(seen)
