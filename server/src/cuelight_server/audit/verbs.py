"""Everything that can be done: at once the permission matrix, the vocabulary of the log and a table in the docs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from cuelight_server.kernel.terms import ActorKind, Member, Role

REFUSED = "refused"  # what the log calls an attempt that was denied or blocked: no verb, since nothing was done


class Verb(StrEnum):
    """One thing that one can do; all but DESK_READ change the desk."""

    DESK_READ = "desk.read"  # changes nothing and leaves no line; every read declares it
    DESK_ENTER = "desk.enter"  # the two open doors and the sign of life: no account is asked for
    DESK_OPERATE = "desk.operate"
    DESK_CREATE = "desk.create"
    DESK_RESTORE = "desk.restore"
    DESK_MIGRATE = "desk.migrate"
    ACTOR_ADD = "actor.add"
    ACTOR_DISABLE = "actor.disable"
    ACTOR_LINK = "actor.link"
    EMAIL_VERIFY = "email.verify"
    INVITATION_ISSUE = "invitation.issue"
    INVITATION_ACCEPT = "invitation.accept"
    PASSWORD_CHANGE = "password.change"  # noqa: S105  a verb
    SESSION_END = "session.end"
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
    GOVERNANCE_PROPOSE = "governance.propose"
    GOVERNANCE_APPROVE = "governance.approve"
    GOVERNANCE_DECLINE = "governance.decline"
    GOVERNANCE_WITHDRAW = "governance.withdraw"
    GOVERNANCE_APPLY = "governance.apply"
    HANDOVER_OFFER = "handover.offer"
    HANDOVER_ACCEPT = "handover.accept"
    HANDOVER_DECLINE = "handover.decline"
    MEMBER_ADMIT = "member.admit"
    MEMBER_DISMISS = "member.dismiss"
    AUDITOR_APPOINT = "auditor.appoint"
    AUDITOR_DISMISS = "auditor.dismiss"
    PROMPT_MINT = "prompt.mint"
    DRAFT_SAVE = "draft.save"
    SUITE_PUSH = "suite.push"
    KNOWLEDGE_PUSH = "knowledge.push"
    PRICES_PUSH = "prices.push"
    RECORDING_PUSH = "recording.push"
    MODEL_RETIRE = "model.retire"
    EVALUATION_RUN = "evaluation.run"
    EVALUATION_CANCEL = "evaluation.cancel"
    EVALUATION_FINISH = "evaluation.finish"
    PROMPT_TRY = "prompt.try"
    REVIEW_OPEN = "review.open"
    REVIEW_ANSWER = "review.answer"
    REVIEW_SIGN = "review.sign"
    RELEASE_APPROVE = "release.approve"
    RELEASE_OPEN = "release.open"
    RELEASE_ROLL_BACK = "release.roll_back"
    PROMPT_SWITCH_OFF = "prompt.switch_off"
    PROMPT_RETIRE = "prompt.retire"
    PROMPT_REVIVE = "prompt.revive"
    PROVIDER_SET = "provider.set"
    PROVIDER_REMOVE = "provider.remove"
    PROVIDER_RESEAL = "provider.reseal"
    PERSON_ERASE = "person.erase"
    SIGN_IN_FAIL = "sign_in.fail"
    KEY_MAKE = "key.make"
    KEY_ROTATE = "key.rotate"
    RUNTIME_FETCH = "runtime.fetch"
    RUNTIME_ACKNOWLEDGE = "runtime.acknowledge"
    CALL_RECORD = "call.record"

    @property
    def rule(self) -> "Rule":
        """What the verb means and who may do it."""
        return CATALOGUE[self]


_PEOPLE = frozenset({ActorKind.PERSON})
_WORKING = frozenset({ActorKind.PERSON, ActorKind.SERVICE})
_DRAFTING = frozenset({ActorKind.PERSON, ActorKind.SERVICE, ActorKind.AGENT})
_APPS = frozenset({ActorKind.APP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may do a verb, unless nobody says so: no one.

    `kinds` are the accounts that can do it at all, whatever they hold. `roles` are owners of the workflow, `members`
    those who were let in; `admin` an administrator; `anyone` each account of these kinds; `system` the desk itself, or
    a shell that already owns the data folder; `open` that no account is asked for. `place` is false where the subject
    lies in no workflow; `governed` where it passes no door and leaves no line, since it changes nothing that is governed.
    """

    sentence: str
    kinds: frozenset[ActorKind] = _WORKING
    roles: frozenset[Role] = frozenset()
    members: frozenset[Member] = frozenset()
    admin: bool = False
    anyone: bool = False
    system: bool = False
    open: bool = False
    place: bool = True
    governed: bool = True


_ALL = frozenset(Role)
_BUSINESS, _EXPERT, _ENGINEERING = Role.WORKFLOW_OWNER, Role.DOMAIN_EXPERT, Role.ENGINEERING_OWNER
_RISK, _SUPPORT = Role.RISK_OWNER, Role.SUPPORT_OWNER
_MAKERS = frozenset({_BUSINESS, _EXPERT, _ENGINEERING})
_STOPPERS = frozenset({_ENGINEERING, _SUPPORT, _BUSINESS, _RISK})
_GOVERNING = frozenset({_BUSINESS, _RISK})
_DOORKEEPERS = frozenset({_BUSINESS, _ENGINEERING, _RISK})
_DRAFTERS = frozenset({Member.MEMBER})

CATALOGUE: Mapping[Verb, Rule] = MappingProxyType(
    {
        Verb.DESK_READ: Rule(sentence="Look at the desk.", kinds=_DRAFTING, anyone=True, governed=False),
        Verb.DESK_ENTER: Rule(
            sentence="Come to the door: sign in, sign out, see whether the server is up.",
            open=True,
            place=False,
            governed=False,
        ),
        Verb.DESK_OPERATE: Rule(
            sentence="Serve, look after and verify the desk on its own machine.",
            system=True,
            place=False,
            governed=False,
        ),
        Verb.DESK_CREATE: Rule(sentence="Set up a desk in an empty data folder.", system=True, place=False),
        Verb.DESK_RESTORE: Rule(sentence="Make a desk of a backup, under a new epoch.", system=True, place=False),
        Verb.DESK_MIGRATE: Rule(
            sentence="Bring the tables of an older desk up to this server.", system=True, place=False
        ),
        Verb.ACTOR_ADD: Rule(
            sentence="Add a person, an app, a service or an agent.", admin=True, system=True, place=False
        ),
        Verb.ACTOR_DISABLE: Rule(
            sentence="Disable a person, an app, a service or an agent.", admin=True, system=True, place=False
        ),
        Verb.ACTOR_LINK: Rule(sentence="Say that two accounts are one person.", admin=True, system=True, place=False),
        Verb.EMAIL_VERIFY: Rule(sentence="Vouch for a person's e-mail address.", admin=True, system=True, place=False),
        Verb.INVITATION_ISSUE: Rule(
            sentence="Give a person a one-time link to set a password.", admin=True, system=True, place=False
        ),
        Verb.INVITATION_ACCEPT: Rule(
            sentence="Set a password with a one-time link.", kinds=_PEOPLE, anyone=True, system=True, place=False
        ),
        Verb.SESSION_END: Rule(
            sentence="End one's own sessions.", kinds=_PEOPLE, anyone=True, place=False, governed=False
        ),
        Verb.PASSWORD_CHANGE: Rule(sentence="Change one's own password.", kinds=_PEOPLE, anyone=True, place=False),
        Verb.TOKEN_ISSUE: Rule(
            sentence="Issue a token to a person, or a key to an app.", admin=True, system=True, place=False
        ),
        Verb.TOKEN_REVOKE: Rule(sentence="Revoke a token or a key.", admin=True, system=True, place=False),
        Verb.TOKEN_ISSUE_OWN: Rule(sentence="Make a token for oneself.", kinds=_PEOPLE, anyone=True, place=False),
        Verb.TOKEN_REVOKE_OWN: Rule(sentence="Revoke a token of one's own.", kinds=_PEOPLE, anyone=True, place=False),
        Verb.TOKEN_EXCHANGE: Rule(
            sentence="Give a trusted pipeline a short key in exchange for its own token.", system=True, place=False
        ),
        Verb.IDENTITY_LINK: Rule(
            sentence="Say which account a person of the sign-in provider has here.",
            admin=True,
            system=True,
            place=False,
        ),
        Verb.IDENTITY_CONNECT: Rule(
            sentence="Connect one's own account with oneself at the sign-in provider.",
            kinds=_PEOPLE,
            anyone=True,
            place=False,
        ),
        Verb.IDENTITY_UNLINK: Rule(
            sentence="Say that a person of the sign-in provider has that account no longer.",
            admin=True,
            system=True,
            place=False,
        ),
        Verb.ADMIN_APPOINT: Rule(sentence="Make a person an administrator.", system=True, place=False),
        Verb.ADMIN_DISMISS: Rule(sentence="Take a person's being an administrator away.", system=True, place=False),
        Verb.TRUST_ADD: Rule(
            sentence="Trust a pipeline to act as a service account.", admin=True, system=True, place=False
        ),
        Verb.TRUST_END: Rule(sentence="Trust a pipeline no longer.", admin=True, system=True, place=False),
        Verb.WORKFLOW_CREATE: Rule(sentence="Create a workflow and name its owners.", kinds=_PEOPLE, anyone=True),
        Verb.WORKFLOW_PUSH: Rule(
            sentence="Change a workflow, but not its owners, tier, release rules or authority.", roles=_MAKERS
        ),
        Verb.WORKFLOW_GOVERN: Rule(
            sentence="Change a workflow's owners, tier, release rules or authority, where no other yes is asked for.",
            kinds=_PEOPLE,
            roles=_GOVERNING,
        ),
        Verb.GOVERNANCE_PROPOSE: Rule(
            sentence="Propose another owner, tier, release rule or authority.", kinds=_DRAFTING, roles=_ALL
        ),
        Verb.GOVERNANCE_APPROVE: Rule(
            sentence="Say yes to a proposed change of owners, tier, release rules or authority.",
            kinds=_PEOPLE,
            roles=_ALL,
            admin=True,
        ),
        Verb.GOVERNANCE_DECLINE: Rule(
            sentence="Say no to a proposed change of owners, tier, release rules or authority.",
            kinds=_PEOPLE,
            roles=_ALL,
            admin=True,
        ),
        Verb.GOVERNANCE_WITHDRAW: Rule(sentence="Take back what one has proposed.", kinds=_DRAFTING, anyone=True),
        Verb.GOVERNANCE_APPLY: Rule(
            sentence="Put a proposed change into force, once every yes is there.",
            kinds=_PEOPLE,
            roles=_ALL,
            admin=True,
        ),
        Verb.HANDOVER_OFFER: Rule(
            sentence="Hand a role over to somebody, who has to accept it.", kinds=_PEOPLE, roles=_ALL, admin=True
        ),
        Verb.HANDOVER_ACCEPT: Rule(
            sentence="Accept a role that is handed over to oneself.", kinds=_PEOPLE, anyone=True
        ),
        Verb.HANDOVER_DECLINE: Rule(
            sentence="Decline a role that is handed over to oneself.", kinds=_PEOPLE, anyone=True
        ),
        Verb.MEMBER_ADMIT: Rule(
            sentence="Let somebody into a workflow: a reader, a member, or a machine with a role.",
            kinds=_PEOPLE,
            roles=_DOORKEEPERS,
        ),
        Verb.MEMBER_DISMISS: Rule(
            sentence="Take a reader's, a member's or a machine's place in a workflow away.",
            kinds=_PEOPLE,
            roles=_DOORKEEPERS,
            admin=True,
        ),
        Verb.AUDITOR_APPOINT: Rule(
            sentence="Let somebody look at every workflow.", kinds=_PEOPLE, admin=True, system=True, place=False
        ),
        Verb.AUDITOR_DISMISS: Rule(
            sentence="End that somebody looks at every workflow.",
            kinds=_PEOPLE,
            admin=True,
            system=True,
            place=False,
        ),
        Verb.PROMPT_MINT: Rule(sentence="Mint a version of a prompt.", roles=_MAKERS),
        Verb.DRAFT_SAVE: Rule(sentence="Save a draft of a prompt.", kinds=_DRAFTING, roles=_ALL, members=_DRAFTERS),
        Verb.SUITE_PUSH: Rule(sentence="Push a suite of test cases.", roles=_MAKERS | {_RISK}),
        Verb.KNOWLEDGE_PUSH: Rule(sentence="Push knowledge that prompts may use.", roles=_MAKERS),
        Verb.PRICES_PUSH: Rule(sentence="Push the prices of models.", roles=frozenset({_BUSINESS, _ENGINEERING})),
        Verb.RECORDING_PUSH: Rule(sentence="Push recorded outputs that stand in for a model.", roles=_MAKERS),
        Verb.MODEL_RETIRE: Rule(
            sentence="Record that a model is no longer offered; the engineering owner of any workflow may.",
            roles=frozenset({_ENGINEERING}),
            admin=True,
        ),
        Verb.EVALUATION_RUN: Rule(sentence="Run an evaluation.", kinds=_DRAFTING, roles=_ALL, members=_DRAFTERS),
        Verb.EVALUATION_CANCEL: Rule(
            sentence="End an evaluation before it is done.", kinds=_DRAFTING, roles=_ALL, members=_DRAFTERS, admin=True
        ),
        Verb.EVALUATION_FINISH: Rule(sentence="Write down how an evaluation ended.", system=True),
        Verb.PROMPT_TRY: Rule(
            sentence="Try a prompt on a few examples; nothing of it is evidence.",
            kinds=_DRAFTING,
            roles=_ALL,
            members=_DRAFTERS,
        ),
        Verb.REVIEW_OPEN: Rule(sentence="Ask the holders of a role for a blind review.", roles=_ALL),
        Verb.REVIEW_ANSWER: Rule(
            sentence="Read the cases of a review and answer them, in the role that is asked.",
            kinds=_PEOPLE,
            roles=_ALL,
            governed=False,
        ),
        Verb.REVIEW_SIGN: Rule(
            sentence="Sign what one answered in a review, in the role that is asked.", kinds=_PEOPLE, roles=_ALL
        ),
        Verb.RELEASE_APPROVE: Rule(sentence="Approve a version for an environment.", kinds=_PEOPLE, roles=_ALL),
        Verb.RELEASE_OPEN: Rule(sentence="Release an approved version.", roles=frozenset({_ENGINEERING, _BUSINESS})),
        Verb.RELEASE_ROLL_BACK: Rule(
            sentence="Roll a release back; this never needs a gate.", roles=_STOPPERS, system=True
        ),
        Verb.PROMPT_SWITCH_OFF: Rule(
            sentence="Switch a prompt off; on again is a release.", roles=_STOPPERS, system=True
        ),
        Verb.PROMPT_RETIRE: Rule(
            sentence="Retire a prompt; its name stays with it.", roles=frozenset({_BUSINESS, _ENGINEERING})
        ),
        Verb.PROMPT_REVIVE: Rule(
            sentence="Let a push use the name of a retired prompt again.", roles=frozenset({_BUSINESS})
        ),
        Verb.PROVIDER_SET: Rule(sentence="Set where a model provider answers, and its key.", admin=True, place=False),
        Verb.PROVIDER_REMOVE: Rule(sentence="Remove a model provider and its key.", admin=True, place=False),
        Verb.PROVIDER_RESEAL: Rule(
            sentence="Seal the keys of providers anew under another sealing key.", system=True, place=False
        ),
        Verb.PERSON_ERASE: Rule(
            sentence="Erase what the log says of a person beside their id.", admin=True, system=True, place=False
        ),
        Verb.SIGN_IN_FAIL: Rule(
            sentence="Write down that somebody failed to get in, and how often.", system=True, place=False
        ),
        Verb.KEY_MAKE: Rule(sentence="Announce the key that signs checkpoints.", system=True, place=False),
        Verb.KEY_ROTATE: Rule(
            sentence="Let a new key sign checkpoints, with the old one's yes.", system=True, place=False
        ),
        Verb.RUNTIME_FETCH: Rule(
            sentence="Fetch what an environment serves.", kinds=_APPS, anyone=True, place=False, governed=False
        ),
        Verb.RUNTIME_ACKNOWLEDGE: Rule(
            sentence="Say which snapshot a running client serves.",
            kinds=_APPS,
            anyone=True,
            place=False,
            governed=False,
        ),
        Verb.CALL_RECORD: Rule(
            sentence="Record the calls of an app.", kinds=_APPS, anyone=True, place=False, governed=False
        ),
    }
)
