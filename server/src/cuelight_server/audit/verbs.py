"""Everything that can be done: at once the permission matrix, the vocabulary of the log and a table in the docs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from cuelight_server.kernel.terms import Role

REFUSED = "refused"  # what the log calls an attempt that was denied or blocked: no verb, since nothing was done


class Verb(StrEnum):
    """One thing that one can do; all but DESK_READ change the desk."""

    DESK_READ = "desk.read"  # changes nothing and leaves no line; every read declares it
    DESK_CREATE = "desk.create"
    ACTOR_ADD = "actor.add"
    ACTOR_DISABLE = "actor.disable"
    ACTOR_LINK = "actor.link"
    EMAIL_VERIFY = "email.verify"
    INVITATION_ISSUE = "invitation.issue"
    INVITATION_ACCEPT = "invitation.accept"
    PASSWORD_CHANGE = "password.change"  # noqa: S105  a verb
    SIGN_IN_FAIL = "sign_in.fail"
    TOKEN_ISSUE = "token.issue"  # noqa: S105  a verb
    TOKEN_REVOKE = "token.revoke"  # noqa: S105  a verb
    TOKEN_ISSUE_OWN = "token.issue_own"  # noqa: S105  a verb
    TOKEN_REVOKE_OWN = "token.revoke_own"  # noqa: S105  a verb
    TOKEN_EXCHANGE = "token.exchange"  # noqa: S105  a verb
    IDENTITY_LINK = "identity.link"
    IDENTITY_CONNECT = "identity.connect"
    IDENTITY_UNLINK = "identity.unlink"
    ADMIN_APPOINT = "admin.appoint"
    ADMIN_DISMISS = "admin.dismiss"
    TRUST_ADD = "trust.add"
    TRUST_END = "trust.end"
    WORKFLOW_CREATE = "workflow.create"
    WORKFLOW_PUSH = "workflow.push"
    WORKFLOW_GOVERN = "workflow.govern"
    PROMPT_MINT = "prompt.mint"
    DRAFT_SAVE = "draft.save"
    SUITE_PUSH = "suite.push"
    KNOWLEDGE_PUSH = "knowledge.push"
    PRICES_PUSH = "prices.push"
    RECORDING_PUSH = "recording.push"
    EVALUATION_RUN = "evaluation.run"
    EVALUATION_FINISH = "evaluation.finish"
    RELEASE_APPROVE = "release.approve"
    RELEASE_OPEN = "release.open"
    RELEASE_ROLL_BACK = "release.roll_back"
    PROMPT_SWITCH_OFF = "prompt.switch_off"

    @property
    def rule(self) -> "Rule":
        """What the verb means and who may do it."""
        return CATALOGUE[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may do a verb, unless nobody says so: no one.

    `roles` are owners of the workflow; `admin` an administrator; `anyone` each person with a token; `system` the desk
    itself, or a shell that already owns the data folder.
    """

    sentence: str
    roles: frozenset[Role] = frozenset()
    admin: bool = False
    anyone: bool = False
    system: bool = False


_ALL = frozenset(Role)
_BUSINESS, _EXPERT, _ENGINEERING = Role.WORKFLOW_OWNER, Role.DOMAIN_EXPERT, Role.ENGINEERING_OWNER
_RISK, _SUPPORT = Role.RISK_OWNER, Role.SUPPORT_OWNER
_MAKERS = frozenset({_BUSINESS, _EXPERT, _ENGINEERING})
_STOPPERS = frozenset({_ENGINEERING, _SUPPORT, _BUSINESS, _RISK})

CATALOGUE: Mapping[Verb, Rule] = MappingProxyType(
    {
        Verb.DESK_READ: Rule(sentence="Look at the desk.", anyone=True),
        Verb.DESK_CREATE: Rule(sentence="Set up a desk in an empty data folder.", system=True),
        Verb.ACTOR_ADD: Rule(sentence="Add a person, an app, a service or an agent.", admin=True, system=True),
        Verb.ACTOR_DISABLE: Rule(sentence="Disable a person, an app, a service or an agent.", admin=True, system=True),
        Verb.ACTOR_LINK: Rule(sentence="Say that two accounts are one person.", admin=True, system=True),
        Verb.EMAIL_VERIFY: Rule(sentence="Vouch for a person's e-mail address.", admin=True, system=True),
        Verb.INVITATION_ISSUE: Rule(
            sentence="Give a person a one-time link to set a password.", admin=True, system=True
        ),
        Verb.INVITATION_ACCEPT: Rule(sentence="Set a password with a one-time link.", anyone=True, system=True),
        Verb.PASSWORD_CHANGE: Rule(sentence="Change one's own password.", anyone=True),
        Verb.SIGN_IN_FAIL: Rule(sentence="Write down that somebody did not get in.", system=True),
        Verb.TOKEN_ISSUE: Rule(sentence="Issue a token to a person, or a key to an app.", admin=True, system=True),
        Verb.TOKEN_REVOKE: Rule(sentence="Revoke a token or a key.", admin=True, system=True),
        Verb.TOKEN_ISSUE_OWN: Rule(sentence="Make a token for oneself.", anyone=True),
        Verb.TOKEN_REVOKE_OWN: Rule(sentence="Revoke a token of one's own.", anyone=True),
        Verb.TOKEN_EXCHANGE: Rule(
            sentence="Give a trusted pipeline a short key in exchange for its own token.", system=True
        ),
        Verb.IDENTITY_LINK: Rule(
            sentence="Say which account a person of the sign-in provider has here.", admin=True, system=True
        ),
        Verb.IDENTITY_CONNECT: Rule(
            sentence="Connect one's own account with oneself at the sign-in provider.", anyone=True
        ),
        Verb.IDENTITY_UNLINK: Rule(
            sentence="Say that a person of the sign-in provider has that account no longer.", admin=True, system=True
        ),
        Verb.ADMIN_APPOINT: Rule(sentence="Make a person an administrator.", system=True),
        Verb.ADMIN_DISMISS: Rule(sentence="Take a person's being an administrator away.", system=True),
        Verb.TRUST_ADD: Rule(sentence="Trust a pipeline to act as a service account.", admin=True, system=True),
        Verb.TRUST_END: Rule(sentence="Trust a pipeline no longer.", admin=True, system=True),
        Verb.WORKFLOW_CREATE: Rule(sentence="Create a workflow and name its owners.", anyone=True),
        Verb.WORKFLOW_PUSH: Rule(
            sentence="Change a workflow, but not its owners, tier, release rules or authority.", roles=_MAKERS
        ),
        Verb.WORKFLOW_GOVERN: Rule(
            sentence="Change a workflow's owners, tier, release rules or authority.",
            roles=frozenset({_BUSINESS, _RISK}),
        ),
        Verb.PROMPT_MINT: Rule(sentence="Mint a version of a prompt.", roles=_MAKERS),
        Verb.DRAFT_SAVE: Rule(sentence="Save a draft of a prompt.", roles=_ALL),
        Verb.SUITE_PUSH: Rule(sentence="Push a suite of test cases.", roles=_MAKERS | {_RISK}),
        Verb.KNOWLEDGE_PUSH: Rule(sentence="Push knowledge that prompts may use.", roles=_MAKERS),
        Verb.PRICES_PUSH: Rule(sentence="Push the prices of models.", roles=frozenset({_BUSINESS, _ENGINEERING})),
        Verb.RECORDING_PUSH: Rule(sentence="Push recorded outputs that stand in for a model.", roles=_MAKERS),
        Verb.EVALUATION_RUN: Rule(sentence="Run an evaluation.", roles=_ALL),
        Verb.EVALUATION_FINISH: Rule(sentence="Write down how an evaluation ended.", system=True),
        Verb.RELEASE_APPROVE: Rule(sentence="Approve a version for an environment.", roles=_ALL),
        Verb.RELEASE_OPEN: Rule(sentence="Release an approved version.", roles=frozenset({_ENGINEERING, _BUSINESS})),
        Verb.RELEASE_ROLL_BACK: Rule(
            sentence="Roll a release back; this never needs a gate.", roles=_STOPPERS, system=True
        ),
        Verb.PROMPT_SWITCH_OFF: Rule(sentence="Switch a prompt off, or on again.", roles=_STOPPERS, system=True),
    }
)
