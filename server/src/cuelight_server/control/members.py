"""Letting people and machines into a workflow that they do not own, and showing them out."""

from cuelight_server.access import store as access
from cuelight_server.access.identity import sealed
from cuelight_server.access.model import Account
from cuelight_server.access.oidc import AUDITOR as GIVEN
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act, enter
from cuelight_server.db.engine import reading
from cuelight_server.governance import store
from cuelight_server.governance.model import AUDITOR, EVERYWHERE, Membership
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind, Member, Role

_PLACES = {
    ActorKind.PERSON: tuple(Member),
    ActorKind.SERVICE: (*Member, *Role),
    ActorKind.AGENT: (*Member, *Role),
}


def admit(desk: Desk, actor: Actor, workflow: str, account: str, role: str) -> Membership:
    """Give an account a place in a workflow.

    A person is a reader or a member (owners are named in the workflow itself); a service account or an agent may also
    hold an owner's role, as far as its kind goes. NotFound, Invalid for a role that it cannot hold, Conflict.
    """
    enter(desk, actor, Verb.MEMBER_ADMIT, workflow)
    with act(desk, actor, Verb.MEMBER_ADMIT, workflow) as work:
        found = _known(work, account)
        allowed = [one.value for one in _PLACES.get(found.kind, ())]
        if role not in allowed:
            whose = f"{account} cannot be {role[:40]!r} here"
            raise Invalid(whose, f"one of {', '.join(allowed)}" if allowed else "an app has a key, and no place")
        if any((one.account, one.role) == (account, role) for one in store.members(work.sql, workflow)):
            raise Conflict(f"{account} is {role} of {workflow} already", "nothing to do")
        made = Membership(
            workflow=workflow, account=account, role=role, granted_by=work.actor.id, granted_at=work.at_text
        )
        store.admit(work.sql, made)
        work.note(account=account, role=role)
    return made


def dismiss(desk: Desk, actor: Actor, workflow: str, account: str, role: str) -> None:
    """Take a place in a workflow away. NotFound where there is none."""
    enter(desk, actor, Verb.MEMBER_DISMISS, workflow)
    with act(desk, actor, Verb.MEMBER_DISMISS, workflow) as work:
        if not store.dismiss(work.sql, workflow, account, role):
            raise NotFound(f"{account} is not {role} of {workflow}", f"see who is: cuelight access list {workflow}")
        work.note(account=account, role=role)


def appoint_auditor(desk: Desk, actor: Actor, account: str) -> None:
    """From now on this person may look at every workflow, and change none by that. NotFound, Invalid, Conflict."""
    with act(desk, actor, Verb.AUDITOR_APPOINT, account, workflow="") as work:
        found = _known(work, account)
        if found.kind is not ActorKind.PERSON:
            raise Invalid(f"{account} is no person", "a machine is let into a workflow: cuelight access admit")
        if store.is_auditor(work.sql, account):
            raise Conflict(f"{account} is an auditor already", "nothing to do")
        auditor_in(work, account)


def dismiss_auditor(desk: Desk, actor: Actor, account: str) -> None:
    """From now on this person sees the workflows again in which they hold something. NotFound.

    Also where groups of the sign-in provider had given it: it comes of them again at the next sign-in.
    """
    with act(desk, actor, Verb.AUDITOR_DISMISS, account, workflow="") as work:
        if not auditor_out(work, account):
            raise NotFound(f"{account} is no auditor", "see who is: cuelight people list")
        given = [one for one in access.identities_of(work.sql, account) if GIVEN in one.gave]
        for one in given:
            access.set_gave(work.sql, one, tuple(what for what in one.gave if what != GIVEN))
        if given:
            work.note(withdrawn=[sealed(one) for one in given])


def auditor_in(work: Work, account: str) -> None:
    """Write within a change that the account is an auditor."""
    place = Membership(
        workflow=EVERYWHERE, account=account, role=AUDITOR, granted_by=work.actor.id, granted_at=work.at_text
    )
    store.admit(work.sql, place)


def auditor_out(work: Work, account: str) -> bool:
    """Write within a change that the account is an auditor no longer; False where it was none."""
    return store.dismiss(work.sql, EVERYWHERE, account, AUDITOR)


def _known(work: Work, account: str) -> Account:
    found = access.account(work.sql, account)
    if found is None or found.disabled_at is not None:
        raise NotFound(f"there is no {account} who could be let in", "an administrator adds people first")
    return found


def listing(desk: Desk, workflow: str) -> list[Membership]:
    """Everyone with a place in a workflow, by account."""
    with reading(desk.registry) as sql:
        return store.members(sql, workflow)
