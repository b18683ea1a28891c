"""Who somebody of the sign-in provider is here: known, invited, new, or nobody."""

from dataclasses import replace

from cuelight_server.access import store
from cuelight_server.access.identity import sealed
from cuelight_server.access.model import Account, Identity
from cuelight_server.access.oidc import (
    ADMIN,
    AUDITOR,
    Known,
    Newcomers,
    Provider,
    given,
    id_wished,
    may_come,
    name_wished,
)
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_in
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.members import auditor_in, auditor_out
from cuelight_server.control.persons import merge, verify_email
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.errors import Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind

_MOST_NAMESAKES = 20
_ASK = "ask an administrator to let you in"
_GIVES = {ADMIN: Verb.ADMIN_APPOINT, AUDITOR: Verb.AUDITOR_APPOINT}
_TAKES = {ADMIN: Verb.ADMIN_DISMISS, AUDITOR: Verb.AUDITOR_DISMISS}


def account_for(desk: Desk, provider: Provider, who: Known) -> Account:
    """The account of somebody whom the provider knows: linked before, invited by an address it vouches for, or new.

    Their groups are looked at each time. Denied (`reason`) for whom this desk does not know, or no longer lets in.
    """
    if not may_come(who, provider):
        raise Denied(f"you are in no group at {provider.name} that this desk lets in", _ASK, reason="groups")
    with reading(desk.registry) as sql:
        known = store.identity(sql, who.issuer, who.subject)
        account = store.account(sql, known.actor) if known else _invited(sql, provider, who)
    if account is not None and account.disabled_at is not None:
        raise Denied("your account on this desk is disabled", "ask an administrator", reason="disabled")
    if account is None and provider.newcomers is Newcomers.ADD:
        account = _add(desk, who)
    elif account is None:
        who_there = f"{_ASK}; at {provider.name} you are {who.subject}"
        raise Denied(f"{provider.name} knows you, and this desk does not", who_there, reason="unknown")
    elif known is None:
        link_identity(desk, SYSTEM, account.id, who.issuer, who.subject)
    _apply_groups(desk, provider, who, account)
    _note_email(desk, provider, who, account)
    return account


def connect(desk: Desk, actor: Actor, provider: Provider, who: Known) -> str:
    """Somebody who is signed in proved who they are at the provider; which account that is from now on.

    Where another account is that one already, the two accounts are one person. Conflict where they are somebody else
    there already.
    """
    if not may_come(who, provider):
        raise Denied(f"you are in no group at {provider.name} that this desk lets in", _ASK, reason="groups")
    with act(desk, actor, Verb.IDENTITY_CONNECT, actor.id, workflow="") as work:
        mine = _person(work, actor.id)
        known = store.identity(work.sql, who.issuer, who.subject)
        if known is None:
            _link_in(work, mine, who.issuer, who.subject)
            return mine.id
        other = _person(work, known.actor)
        if other.person_id == mine.person_id:
            raise Conflict("this is connected already", "nothing is left to do")
        work.note(same_as=other.id, **merge(work, mine, other))
        return other.id


def link_identity(desk: Desk, actor: Actor, id: str, issuer: str, subject: str) -> None:
    """From now on this person of the provider comes in as that account. NotFound, Invalid, Conflict."""
    if not (0 < len(issuer) <= 255 and 0 < len(subject) <= 255 and subject.isascii() and subject.isprintable()):
        raise Invalid("an issuer and a subject have 1 to 255 plain characters", "copy them as the provider shows them")
    with act(desk, actor, Verb.IDENTITY_LINK, id, workflow="") as work:
        account = _person(work, id)
        known = store.identity(work.sql, issuer, subject)
        if known is not None:
            raise Conflict(f"that is {known.actor} already", "take that away first, or link the accounts as one person")
        _link_in(work, account, issuer, subject)


def unlink_identity(desk: Desk, actor: Actor, id: str, issuer: str, subject: str) -> None:
    """From now on that person of the provider is nobody here; what its groups gave the account goes, too. NotFound."""
    with reading(desk.registry) as sql:
        known = store.identity(sql, issuer, subject)
    if known is None or known.actor != id:
        raise NotFound(f"{id} has no such identity", "a person sees their own on the page Your account")
    for what in known.gave:
        known = _take(desk, known, what)
    with act(desk, actor, Verb.IDENTITY_UNLINK, id, workflow="") as work:
        store.drop_identity(work.sql, known)
        work.note(identity=sealed(known))


def _invited(sql: Connection, provider: Provider, who: Known) -> Account | None:
    """Whose address the provider vouches for, where its word counts, and who is nobody else there yet.

    An address is given to somebody new one day: whoever came with it before stays the owner of the account.
    """
    if not provider.trusts_email or who.email is None:
        return None
    found = [store.account(sql, one.actor) for one in store.accounts_with(sql, who.email)]
    there = [one for one in found if one is not None and one.kind is ActorKind.PERSON and one.disabled_at is None]
    if len(there) > 1:
        raise Denied(
            "several accounts here have your address", "ask which is yours, and sign in there", reason="several"
        )
    if there and any(one.issuer == who.issuer for one in store.identities_of(sql, there[0].id)):
        raise Denied("the account with your address belongs to somebody else there", _ASK, reason="address_taken")
    return there[0] if there else None


def _add(desk: Desk, who: Known) -> Account:
    """A new account without any right: under their name there, or one that tells them from a namesake."""
    wished = id_wished(who)
    if wished is None:
        raise Denied("what the provider calls you is no name here", _ASK, reason="name")
    for number in range(1, _MOST_NAMESAKES + 1):
        id = wished if number == 1 else f"{wished}-{number}"
        for name in (name_wished(who, id), f"{name_wished(who, id)[:40]} ({id})"):
            try:
                return _add_as(desk, who, id, name)
            except Conflict:
                continue
    raise Denied("too many here are called like you", _ASK, reason="name")


def _add_as(desk: Desk, who: Known, id: str, name: str) -> Account:
    with act(desk, SYSTEM, Verb.ACTOR_ADD, id, workflow="") as work:
        if id == SYSTEM.id or store.identity(work.sql, who.issuer, who.subject) is not None:
            raise Conflict(f"{id} cannot be added", "begin again")
        made = add_in(work, Account(id=id, name=name, kind=ActorKind.PERSON, admin=False, created_at=work.at_text))
        _link_in(work, made, who.issuer, who.subject)
    return made


def _link_in(work: Work, account: Account, issuer: str, subject: str) -> None:
    new = Identity(
        issuer=issuer, subject=subject, actor=account.id, salt=ids.token_secret(), linked_at=work.at_text, gave=()
    )
    store.save_identity(work.sql, new)
    work.note(identity=sealed(new))


def _apply_groups(desk: Desk, provider: Provider, who: Known, account: Account) -> None:
    """What the groups gave before and give no longer is taken away; what an administrator gave by hand stays."""
    with reading(desk.registry) as sql:
        known = store.identity(sql, who.issuer, who.subject)
        has = {ADMIN: account.admin, AUDITOR: governance.is_auditor(sql, account.id)}
    if known is None:
        return
    wanted = given(who, provider)
    for what in (ADMIN, AUDITOR):
        if what in known.gave and what not in wanted:
            known = _take(desk, known, what)
        elif what in wanted and what not in known.gave and not has[what]:
            known = _give(desk, known, what)


def _give(desk: Desk, known: Identity, what: str) -> Identity:
    """Make them an administrator or an auditor, since their groups say so; the identity as it is then."""
    with act(desk, SYSTEM, _GIVES[what], known.actor, workflow="") as work:
        if what == ADMIN:
            store.set_admin(work.sql, known.actor, admin=True)
        else:
            auditor_in(work, known.actor)
        return _note_gave(work, replace(known, gave=(*known.gave, what)))


def _take(desk: Desk, known: Identity, what: str) -> Identity:
    """Take away what their groups gave and give no longer; the identity as it is then."""
    with act(desk, SYSTEM, _TAKES[what], known.actor, workflow="") as work:
        if what == ADMIN:
            store.set_admin(work.sql, known.actor, admin=False)
        else:
            auditor_out(work, known.actor)
        return _note_gave(work, replace(known, gave=tuple(one for one in known.gave if one != what)))


def _note_gave(work: Work, known: Identity) -> Identity:
    store.set_gave(work.sql, known, known.gave)
    work.note(by="groups", identity=sealed(known), gave=list(known.gave))
    return known


def _note_email(desk: Desk, provider: Provider, who: Known, account: Account) -> None:
    """Where the provider's word counts, its address is the account's: two accounts with one address are one person."""
    if not provider.trusts_email or who.email is None:
        return
    with reading(desk.registry) as sql:
        held = store.email(sql, account.id)
    if held is None or held.address != who.email:
        verify_email(desk, SYSTEM, account.id, who.email)


def _person(work: Work, id: str) -> Account:
    found = store.account(work.sql, id)
    if found is None or found.disabled_at is not None:
        raise NotFound(f"there is no {id}, or no longer", "see: cuelight people list")
    if found.kind is not ActorKind.PERSON:
        raise Invalid(f"{id} is no person", "only people sign in")
    return found
