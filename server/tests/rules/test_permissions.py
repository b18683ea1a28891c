"""The permission matrix, written out: who may do what, and that everyone else may not."""

import re
from dataclasses import replace

import pytest

from cuelight_server.audit.permissions import may, phrase, who_may
from cuelight_server.audit.verbs import CATALOGUE, REFUSED, Verb
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.terms import ActorKind, Environment, Member, Role

PERSON = Actor("mei.tanaka", "Mei Tanaka", ActorKind.PERSON)
ADMIN = Actor("ada.admin", "Ada", ActorKind.PERSON, admin=True)
APP = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)
SERVICE = Actor("service:ci", "ci", ActorKind.SERVICE)
AGENT = Actor("agent:writer", "writer", ActorKind.AGENT)

# W workflow owner, D domain expert, E engineering owner, R risk owner, S support owner, r reader, m member,
# a administrator, p any person, s the desk itself, c an app; v a service account and g an agent with every role
MATRIX = {
    "desk.read": "WDERSrmapvg",
    "desk.enter": "WDERSrmapscvg",
    "desk.operate": "s",
    "desk.create": "s",
    "actor.add": "as",
    "actor.disable": "as",
    "actor.link": "as",
    "email.verify": "as",
    "invitation.issue": "as",
    "invitation.accept": "WDERSrmaps",
    "session.end": "WDERSrmap",
    "password.change": "WDERSrmap",
    "token.issue": "as",
    "token.revoke": "as",
    "token.issue_own": "WDERSrmap",
    "token.revoke_own": "WDERSrmap",
    "token.exchange": "s",
    "identity.link": "as",
    "identity.connect": "WDERSrmap",
    "identity.unlink": "as",
    "admin.appoint": "s",
    "admin.dismiss": "s",
    "trust.add": "as",
    "trust.end": "as",
    "workflow.create": "WDERSrmap",
    "workflow.push": "WDEv",
    "workflow.govern": "WR",
    "governance.propose": "WDERSvg",
    "governance.approve": "WDERSa",
    "governance.decline": "WDERSa",
    "governance.withdraw": "WDERSrmapvg",
    "governance.apply": "WDERSa",
    "handover.offer": "WDERSa",
    "handover.accept": "WDERSrmap",
    "handover.decline": "WDERSrmap",
    "member.admit": "WER",
    "member.dismiss": "WERa",
    "auditor.appoint": "as",
    "auditor.dismiss": "as",
    "prompt.mint": "WDEv",
    "draft.save": "WDERSmvg",
    "suite.push": "WDERv",
    "knowledge.push": "WDEv",
    "prices.push": "WEv",
    "recording.push": "WDEv",
    "evaluation.run": "WDERSmvg",
    "evaluation.cancel": "WDERSmavg",
    "evaluation.finish": "s",
    "prompt.try": "WDERSmvg",
    "review.open": "WDERSv",
    "review.answer": "WDERS",
    "review.sign": "WDERS",
    "release.approve": "WDERS",
    "release.open": "WEv",
    "release.roll_back": "WERSsv",
    "prompt.switch_off": "WERSsv",
    "prompt.retire": "WEv",
    "prompt.revive": "Wv",
    "model.retire": "Eav",
    "provider.set": "a",
    "provider.remove": "a",
    "provider.reseal": "s",
    "desk.restore": "s",
    "desk.migrate": "s",
    "person.erase": "as",
    "sign_in.fail": "s",
    "key.make": "s",
    "key.rotate": "s",
    "runtime.fetch": "c",
    "runtime.acknowledge": "c",
    "call.record": "c",
}
ALL = {*Role, *Member}
WHO = {
    "W": (PERSON, {Role.WORKFLOW_OWNER}),
    "D": (PERSON, {Role.DOMAIN_EXPERT}),
    "E": (PERSON, {Role.ENGINEERING_OWNER}),
    "R": (PERSON, {Role.RISK_OWNER}),
    "S": (PERSON, {Role.SUPPORT_OWNER}),
    "r": (PERSON, {Member.READER}),
    "m": (PERSON, {Member.MEMBER}),
    "a": (ADMIN, set()),
    "p": (PERSON, set()),
    "s": (SYSTEM, set()),
    "c": (APP, ALL),
    "v": (SERVICE, ALL),
    "g": (AGENT, ALL),
}
ASKED_OF_NOBODY = Verb.DESK_ENTER


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("letter", WHO)
def test_each_may_do_what_the_matrix_says_and_nothing_else(verb, letter):
    actor, held = WHO[letter]
    assert may(verb, actor, held).allowed is (letter in MATRIX[verb.value])


@pytest.mark.parametrize("verb", [one for one in Verb if one.rule.governed])
def test_an_app_key_changes_nothing_whatever_roles_it_claims(verb):
    assert not may(verb, APP, ALL).allowed


@pytest.mark.parametrize("verb", Verb)
def test_the_desk_itself_borrows_no_role(verb):
    assert may(verb, SYSTEM, ALL).allowed is may(verb, SYSTEM, set()).allowed


APPROVING = [
    Verb.RELEASE_APPROVE,
    Verb.REVIEW_SIGN,
    Verb.REVIEW_ANSWER,
    Verb.GOVERNANCE_APPROVE,
    Verb.GOVERNANCE_APPLY,
    Verb.WORKFLOW_GOVERN,
]
MOVING = [Verb.RELEASE_OPEN, Verb.RELEASE_ROLL_BACK, Verb.PROMPT_SWITCH_OFF]


@pytest.mark.parametrize("verb", APPROVING)
@pytest.mark.parametrize("actor", [SERVICE, AGENT, APP, replace(SERVICE, admin=True), replace(AGENT, admin=True)])
def test_no_machine_ever_approves(verb, actor):
    assert not may(verb, actor, ALL).allowed


@pytest.mark.parametrize("verb", MOVING)
def test_an_agent_never_moves_a_deployment(verb):
    decision = may(verb, AGENT, ALL)
    assert (decision.allowed, decision.steps[-1].name) == (False, "kind")
    assert "never approves, releases or moves a deployment" in decision.why


@pytest.mark.parametrize("verb", [one for one in Verb if one is not ASKED_OF_NOBODY])
@pytest.mark.parametrize("letter", WHO)
def test_a_scope_only_takes_away(verb, letter):
    actor, held = WHO[letter]
    without = may(verb, actor, held).allowed
    assert may(verb, replace(actor, scopes=frozenset({verb.value})), held).allowed is without
    assert not may(verb, replace(actor, scopes=frozenset()), held).allowed


def test_a_scope_that_is_missing_is_named():
    decision = may(
        Verb.RELEASE_OPEN, replace(SERVICE, scopes=frozenset({"evaluate", "read"})), {Role.ENGINEERING_OWNER}
    )
    assert (decision.allowed, [one.name for one in decision.steps]) == (False, ["kind", "scope"])
    assert decision.why == "its key is for evaluate, read only, not for release.open"


def test_every_verb_has_a_rule_that_lets_someone_do_it_and_a_plain_sentence():
    assert set(CATALOGUE) == set(Verb)
    assert all(who_may(verb) for verb in Verb)
    assert all(re.fullmatch(r"[A-Z][^.]+\.", verb.rule.sentence) for verb in Verb)


def test_a_refusal_is_no_verb():
    assert REFUSED not in set(Verb)


def test_a_refusal_says_who_could():
    decision = may(Verb.RELEASE_OPEN, PERSON, {Role.DOMAIN_EXPERT})
    assert decision.who == ("the workflow owner", "the engineering owner")
    assert decision.why == "it takes the workflow owner or the engineering owner"


def test_a_verb_is_said_in_plain_words():
    assert phrase(Verb.EVALUATION_RUN) == "run an evaluation"
    assert phrase(Verb.RELEASE_ROLL_BACK) == "roll a release back"
    assert phrase(Verb.WORKFLOW_PUSH) == "change a workflow"
    assert all(not phrase(verb).endswith(".") for verb in Verb)
