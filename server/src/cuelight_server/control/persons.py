"""Which accounts are one person, and whose e-mail address is whose."""

import re

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access import store
from cuelight_server.access.model import Account, Email
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind

_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


def link(desk: Desk, actor: Actor, id: str, same_as: str) -> str:
    """From now on both accounts, and all that were one person with either, are one person; the person's id.

    NotFound; Invalid where one is no person's; Conflict where they are one already.
    """
    with act(desk, actor, Verb.ACTOR_LINK, id, workflow="") as work:
        one, other = _person(work, id), _person(work, same_as)
        if one.person_id == other.person_id:
            raise Conflict(f"{id} and {same_as} are one person already", "nothing is left to do")
        work.note(same_as=same_as, **merge(work, one, other))
        return other.person_id


def verify_email(desk: Desk, actor: Actor, id: str, address: str) -> None:
    """Whoever acts vouches for the address: who has the same verified one is the same person.

    NotFound; Invalid for an address that is none. ASCII only, so that no two addresses look alike.
    """
    plain = address.strip().lower()
    if len(plain) > 254 or not _ADDRESS.fullmatch(plain):
        raise Invalid("this is no e-mail address", "write it in plain letters, as name@example.org")
    with act(desk, actor, Verb.EMAIL_VERIFY, id, workflow="") as work:
        account, salt = _person(work, id), ids.token_secret()
        others = [one.actor for one in store.accounts_with(work.sql, plain) if one.actor != id]
        store.save_email(work.sql, Email(actor=id, address=plain, salt=salt, verified_at=work.at_text))
        work.note(address=digest_bytes(f"{salt}:{plain}".encode()))
        if others and (other := _person(work, others[0])).person_id != account.person_id:
            work.note(same_as=other.id, **merge(work, account, other))


def merge(work: Work, one: Account, other: Account) -> dict[str, object]:
    """Within a change: whoever is one person with `one` is from now on the person of `other`; what the line has to tell."""
    moved = [each.id for each in store.accounts_of(work.sql, one.person_id)]
    for id in moved:
        store.set_person(work.sql, id, other.person_id)
    return {"person": other.person_id, "accounts": moved}


def _person(work: Work, id: str) -> Account:
    account = store.account(work.sql, id)
    if account is None:
        raise NotFound(f"there is no {id}", "see: cuelight people list")
    if account.kind is not ActorKind.PERSON:
        raise Invalid(f"{id} is no person", "only accounts of people are linked")
    return account
