"""The permission matrix, written out: who may do what, and that everyone else may not."""

import re

import pytest

from cuelight_server.audit.permissions import may, phrase, who_may
from cuelight_server.audit.verbs import CATALOGUE, REFUSED, Verb
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.terms import ActorKind, Environment, Role

PERSON = Actor("mei.tanaka", "Mei Tanaka", ActorKind.PERSON)
ADMIN = Actor("ada.admin", "Ada", ActorKind.PERSON, admin=True)
APP = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)

# W workflow owner, D domain expert, E engineering owner, R risk owner, S support owner,
# a administrator, p any person, s the desk itself
MATRIX = {
    "desk.read": "WDERSap",
    "desk.create": "s",
    "actor.add": "as",
    "actor.disable": "as",
    "actor.link": "as",
    "email.verify": "as",
    "invitation.issue": "as",
    "invitation.accept": "WDERSaps",
    "password.change": "WDERSap",
    "sign_in.fail": "s",
    "token.issue": "as",
    "token.revoke": "as",
    "token.issue_own": "WDERSap",
    "token.revoke_own": "WDERSap",
    "token.exchange": "s",
    "identity.link": "as",
    "identity.connect": "WDERSap",
    "identity.unlink": "as",
    "admin.appoint": "s",
    "admin.dismiss": "s",
    "trust.add": "as",
    "trust.end": "as",
    "workflow.create": "WDERSap",
    "workflow.push": "WDE",
    "workflow.govern": "WR",
    "prompt.mint": "WDE",
    "draft.save": "WDERS",
    "suite.push": "WDER",
    "knowledge.push": "WDE",
    "prices.push": "WE",
    "recording.push": "WDE",
    "evaluation.run": "WDERS",
    "evaluation.finish": "s",
    "release.approve": "WDERS",
    "release.open": "WE",
    "release.roll_back": "WERSs",
    "prompt.switch_off": "WERSs",
}
WHO = {
    "W": (PERSON, {Role.WORKFLOW_OWNER}),
    "D": (PERSON, {Role.DOMAIN_EXPERT}),
    "E": (PERSON, {Role.ENGINEERING_OWNER}),
    "R": (PERSON, {Role.RISK_OWNER}),
    "S": (PERSON, {Role.SUPPORT_OWNER}),
    "a": (ADMIN, set()),
    "p": (PERSON, set()),
    "s": (SYSTEM, set()),
}


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("letter", WHO)
def test_each_may_do_what_the_matrix_says_and_nothing_else(verb, letter):
    actor, roles = WHO[letter]
    assert may(verb, actor, roles).allowed is (letter in MATRIX[verb.value])


@pytest.mark.parametrize("verb", Verb)
def test_an_app_key_changes_nothing_whatever_roles_it_claims(verb):
    assert not may(verb, APP, set(Role)).allowed


@pytest.mark.parametrize("verb", Verb)
def test_the_desk_itself_borrows_no_role(verb):
    assert may(verb, SYSTEM, set(Role)).allowed is may(verb, SYSTEM, set()).allowed


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
