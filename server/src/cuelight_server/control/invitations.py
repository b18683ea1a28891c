"""One-time links with which people set their passwords: the first owner's, an invitation, a new start."""

import re
from dataclasses import dataclass
from datetime import timedelta

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access import keys, store
from cuelight_server.access.model import Account, Came, Invitation, Purpose
from cuelight_server.access.passwords import Passwords, check_password
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import throttle
from cuelight_server.control.access import add_in, check_person
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind

OWNER = "owner"  # the subject of the first link, before anybody is here
_LASTS = {Purpose.OWNER: timedelta(hours=24), Purpose.INVITE: timedelta(hours=72), Purpose.RESET: timedelta(hours=2)}
_CODE = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{64})")
_OVER = "this link is not, or no longer, good"


@dataclass(frozen=True, slots=True)
class Link:
    """What goes into the address `/invitation/<code>`, once; and until when it is good."""

    code: str
    purpose: Purpose
    expires_at: str

    def __repr__(self) -> str:
        return f"Link(purpose={self.purpose.value!r}, expires_at={self.expires_at!r})"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a link is for; `account` is None for the owner of a new desk."""

    purpose: Purpose
    account: Account | None
    expires_at: str


def issue_link(desk: Desk, actor: Actor, person: str) -> Link:
    """A link for a person to set their password; a link that they had is over. NotFound; Blocked for a disabled one."""
    with act(desk, actor, Verb.INVITATION_ISSUE, person, workflow="") as work:
        account = store.account(work.sql, person)
        if account is None:
            raise NotFound(f"there is no {person}", "add them first")
        if account.kind is not ActorKind.PERSON:
            raise Invalid(f"{person} is no person", "give it a key instead")
        if account.disabled_at is not None:
            raise Blocked(f"{person} is disabled", "a disabled person does not come in")
        has = store.password(work.sql, person) is not None
        return _issue(work, Purpose.RESET if has else Purpose.INVITE, account.id)


def issue_owner_link(desk: Desk) -> Link:
    """A link with which the first person becomes the owner; an earlier one is over. Conflict where there is an owner."""
    with act(desk, SYSTEM, Verb.INVITATION_ISSUE, OWNER, workflow="") as work:
        if store.has_owner(work.sql):
            raise Conflict("this desk has an owner", "an administrator invites more people")
        return _issue(work, Purpose.OWNER, None)


def look(desk: Desk, code: str, came: Came) -> Asked:
    """Whom the link is for; using it up takes `accept`. Denied where it is none, was used or ran out."""
    found = _good(desk, code)
    if found is None:
        throttle.count(desk, None, came.source)
        note_failed_sign_in(desk, "link", None, came.source)
        raise Denied(_OVER, "ask for a new one")
    with reading(desk.registry) as sql:
        account = store.account(sql, found.actor) if found.actor else None
    return Asked(found.purpose, account, found.expires_at)


def accept(
    desk: Desk, passwords: Passwords, code: str, password: str, came: Came, *, owner: tuple[str, str] | None = None
) -> str:
    """Set the password, and use the link up; whose it is. `owner` is the (id, name) that the first owner chose.

    Every session that the person had ends. Denied as `look`; Invalid for a password or name that cannot be, which
    leaves the link as it was.
    """
    asked = look(desk, code, came)
    person, name = (asked.account.id, asked.account.name) if asked.account else owner or ("", "")
    check_person(person)
    check_password(password, person, name)
    hashed = passwords.hash(password)
    actor = asked.account.actor() if asked.account else SYSTEM
    with act(desk, actor, Verb.INVITATION_ACCEPT, person, workflow="") as work:
        found = _good_in(work, code)
        if asked.account is None:
            if store.has_owner(work.sql):
                raise Denied("this desk has an owner already", "ask them for an invitation")
            add_in(work, Account(id=person, name=name, kind=ActorKind.PERSON, admin=True, created_at=work.at_text))
        store.save_password(work.sql, person, hashed, work.at_text)
        ended = store.end_invitations(work.sql, found.actor, work.at_text)
        work.note(invitation=found.id, ended=ended, password=digest_bytes(hashed.encode()))
    with operational(desk.registry) as sql:
        store.end_sessions(sql, person)
    return person


def change_password(desk: Desk, passwords: Passwords, actor: Actor, old: str, new: str, came: Came) -> None:
    """Change one's own password. Denied where `old` is wrong, Invalid where `new` cannot be one."""
    counted = throttle.count(desk, actor.id, came.source)
    with reading(desk.registry) as sql:
        stored = store.password(sql, actor.id)
    if not passwords.verify(stored, old):
        note_failed_sign_in(desk, "password", actor.id, came.source)
        raise Denied("the old password is another one", "or ask an administrator for a link")
    throttle.forgive(desk, counted)
    hashed = passwords.hash(check_password(new, actor.id, actor.name, old))
    with act(desk, actor, Verb.PASSWORD_CHANGE, actor.id, workflow="") as work:
        store.save_password(work.sql, actor.id, hashed, work.at_text)
        work.note(password=digest_bytes(hashed.encode()))


def _issue(work: Work, purpose: Purpose, actor: str | None) -> Link:
    ended = store.end_invitations(work.sql, actor, work.at_text)
    secret = ids.token_secret()
    new = Invitation(
        id=ids.token_id(),
        purpose=purpose,
        actor=actor,
        secret_hash=keys.secret_hash(secret),
        created_at=work.at_text,
        expires_at=rfc3339(work.at + _LASTS[purpose]),
    )
    store.save_invitation(work.sql, new)
    work.note(invitation=new.id, purpose=purpose.value, expires_at=new.expires_at, ended=ended)
    work.note(secret=digest_bytes(new.secret_hash.encode()))
    return Link(f"{new.id}.{secret}", purpose, new.expires_at)


def _good(desk: Desk, code: str) -> Invitation | None:
    parts = _CODE.fullmatch(code)
    with reading(desk.registry) as sql:
        found = store.invitation(sql, parts[1] if parts else "")
        account = store.account(sql, found.actor) if found and found.actor else None
    right = keys.matches(found.secret_hash if found else None, parts[2] if parts else "")
    if not right or found is None or (found.actor is not None and (account is None or account.disabled_at is not None)):
        return None
    return found if found.ended_at is None and rfc3339(desk.clock()) < found.expires_at else None


def _good_in(work: Work, code: str) -> Invitation:
    """The link as it is inside the transaction: of two who use it at once the second comes too late."""
    found = store.invitation(work.sql, code.partition(".")[0])
    if found is None or found.ended_at is not None:
        raise Denied(_OVER, "ask for a new one")
    return found
