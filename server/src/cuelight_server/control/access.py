"""Letting people, apps, services and agents in, and showing them out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access import keys, store
from cuelight_server.access.keys import Key
from cuelight_server.access.model import Account, Token
from cuelight_server.audit.scopes import check_scopes, within
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound, Unavailable
from cuelight_server.kernel.names import check_id, display_name, looks
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import ActorKind, Environment

APP = "app:"
PREFIX = {ActorKind.PERSON: "", ActorKind.APP: APP, ActorKind.SERVICE: "service:", ActorKind.AGENT: "agent:"}
Scopes = Iterable[str] | None  # what a key is for; None = everything that its holder may
_USED_EVERY_S = 60  # last use is kept to the minute: not every read should become a write


def add_actor(
    desk: Desk, actor: Actor, id: str, name: str, *, admin: bool = False, kind: ActorKind = ActorKind.PERSON
) -> Account:
    """Add a person, a service (`ci` becomes `service:ci`) or an agent.

    Invalid for an id or name that is none, Conflict when it is taken or too easily taken for another's.
    """
    check_person(id)
    if kind is not ActorKind.PERSON and (admin or kind not in PREFIX):
        raise Invalid("only a person is an administrator", "leave `admin` out")
    full = PREFIX[kind] + id
    with act(desk, actor, Verb.ACTOR_ADD, full, workflow="") as work:
        return add_in(work, Account(id=full, name=name, kind=kind, admin=admin, created_at=work.at_text))


def check_person(id: str) -> None:
    """Invalid for an id that no person can have."""
    check_id(id)
    if id == SYSTEM.id:
        raise Invalid("`system` is the desk itself", "choose another id")


def adopt(desk: Desk, actor: Actor, id: str) -> str | None:
    """The first token of a person whom a push brought along; None when there is no such account, or it has tokens."""
    with reading(desk.registry) as sql:
        account = store.account(sql, id)
        waits = account is not None and account.kind is ActorKind.PERSON and not store.tokens_of(sql, id, 1)
    return issue_token(desk, actor, id) if waits else None


def disable_actor(desk: Desk, actor: Actor, id: str) -> None:
    """From now on the person or app neither enters nor acts; their tokens and history stay. NotFound, Conflict."""
    with act(desk, actor, Verb.ACTOR_DISABLE, id, workflow="") as work:
        account = _known(work, id)
        if account.disabled_at is not None:
            raise Conflict(f"{id} is disabled already", f"since {account.disabled_at}")
        store.disable_account(work.sql, id, work.at_text)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a new key: scopes None = everything that its holder may, days None = as usual for its kind."""

    scopes: Scopes = None
    label: str = ""
    days: int | None = None


def issue(desk: Desk, actor: Actor, holder: str, kind: ActorKind, environment: Environment | None, wish: Wish) -> str:
    """A new token of a person, or a key of an app, service or agent (`crm`), to be shown once: only its hash is kept.

    A person may make a token for themselves where they are signed in with a browser: a token makes no other. Of an app,
    service or agent the first key adds it. NotFound, Invalid, or Blocked for a disabled holder.
    """
    check_person(holder)
    if kind is ActorKind.APP and (environment is None or wish.scopes is not None):
        raise Invalid("an app's key reads one environment, and nothing else", "give the environment and no scopes")
    if kind is ActorKind.PERSON and environment is not None:
        raise Invalid("a person's token belongs to no environment", "leave the environment out")
    id = PREFIX[kind] + holder
    own = actor.id == id and not actor.admin and not actor.token
    with act(desk, actor, Verb.TOKEN_ISSUE_OWN if own else Verb.TOKEN_ISSUE, id, workflow="") as work:
        account = store.account(work.sql, id)
        if account is None and kind is ActorKind.PERSON:
            raise NotFound(f"there is no {id}", "add them first")
        new = Account(id=id, name=holder, kind=kind, admin=False, created_at=work.at_text)
        return _issue(work, account or add_in(work, new), environment, wish)


def issue_token(desk: Desk, actor: Actor, person: str, wish: Wish = Wish()) -> str:
    """`issue` for a person."""
    return issue(desk, actor, person, ActorKind.PERSON, None, wish)


def issue_key(desk: Desk, actor: Actor, app: str, environment: Environment, wish: Wish = Wish()) -> str:
    """`issue` for an app."""
    return issue(desk, actor, app, ActorKind.APP, environment, wish)


def id_of(text: str) -> str:
    """The public half of a key."""
    key = keys.parse(text)
    return key.id if key else ""


def revoke(desk: Desk, actor: Actor, token_id: str) -> None:
    """From now on the key opens nothing. NotFound; Conflict when it is revoked already.

    A person may revoke their own (`token.revoke_own`); another's is for an administrator.
    """
    with reading(desk.registry) as sql:
        held = store.token(sql, token_id)
    own = held is not None and held.actor == actor.id and not actor.admin
    verb = Verb.TOKEN_REVOKE_OWN if own else Verb.TOKEN_REVOKE
    with act(desk, actor, verb, token_id, workflow="") as work:
        token = store.token(work.sql, token_id)
        if token is None:
            raise NotFound(f"there is no token {token_id}", "the id is the part of the token before its secret")
        if token.revoked_at is not None:
            raise Conflict(f"the token {token_id} is revoked already", f"since {token.revoked_at}")
        store.revoke_token(work.sql, token_id, work.at_text)
        work.note(holder=token.actor)


def authenticate(desk: Desk, token_text: str | None) -> Actor:
    """Who holds this key.

    Denied otherwise, with details.credentials = missing, malformed, unknown, revoked, expired or disabled. An unknown
    id costs the same work as a wrong secret and gets the same answer; what is no key at all never reaches the database.
    """
    if not token_text:
        raise Denied("a token is needed", "send `Authorization: Bearer <token>`", credentials="missing")
    key = keys.parse(token_text)
    if key is None:
        raise Denied("this is no key", "a character is missing or wrong: copy it again", credentials="malformed")
    with reading(desk.registry) as sql:
        held = store.held_token(sql, key.id)
    right = keys.matches(held[0].secret_hash if held else None, key.secret)
    if not right or held is None or held[0].environment is not key.environment:
        raise Denied("this key is not known here", "is it for this server?", credentials="unknown")
    token, account = held
    if token.revoked_at is not None:
        raise Denied("this key is revoked", "ask an administrator for a new one", credentials="revoked")
    if _over(token, desk.clock()):
        raise Denied(
            "this key has expired", f"it ended at {token.expires_at}: ask for a new one", credentials="expired"
        )
    if account.disabled_at is not None:
        raise Denied(f"{account.id} is disabled", "ask an administrator", credentials="disabled")
    _mark_used(desk, token)
    return account.actor(token.environment, None if token.scopes is None else frozenset(token.scopes), token.id)


def add_in(work: Work, account: Account) -> Account:
    """Store a new account within a change, and note it. Conflict when id or name are taken, or look as if they were."""
    if store.account(work.sql, account.id) is not None:
        raise Conflict(f"{account.id} is taken", "choose another id")
    named = well_named(work, account)
    store.save_account(work.sql, named)
    work.note(kind=named.kind.value, name=named.name, admin=named.admin)
    return named


def well_named(work: Work, account: Account) -> Account:
    """A new account with its name as it is kept. Invalid for a name that is none, Conflict for one too like another's."""
    named = replace(account, name=display_name(account.name))
    alike = _alike(work, named)
    if alike is not None:
        raise Conflict(
            f"{named.name} reads like {alike.name} ({alike.id})",
            "add what tells them apart, such as a department or a second name",
        )
    return named


def _alike(work: Work, new: Account) -> Account | None:
    """Somebody of the same kind for whom a reader would take the new one, by name or id."""
    wanted, after = looks(new.name), ""
    while True:
        page = store.accounts(work.sql, after, MAX_SIZE)
        for one in page.items:
            if one.kind is new.kind and wanted in (looks(one.name), looks(one.id.partition(":")[2] or one.id)):
                return one
        if page.next is None:
            return None
        after = page.next


def _known(work: Work, id: str) -> Account:
    account = store.account(work.sql, id)
    if account is None:
        raise NotFound(f"there is no {id}", "add them first")
    return account


def _issue(work: Work, account: Account, environment: Environment | None, wish: Wish) -> str:
    if account.disabled_at is not None:
        raise Blocked(f"{account.id} is disabled", "a disabled account gets no token")
    scopes = None if wish.scopes is None else check_scopes(wish.scopes)
    if not within(scopes, work.actor.scopes):
        raise Denied("a key gives no more than it has", "name scopes that your own key has")
    key = Key(environment, ids.token_id(), ids.token_secret())
    token = Token(
        id=key.id,
        actor=account.id,
        secret_hash=keys.secret_hash(key.secret),
        environment=environment,
        created_at=work.at_text,
        scopes=scopes,
        label=display_name(wish.label) if wish.label else "",
        expires_at=_end(work, account.kind, wish.days),
    )
    store.save_token(work.sql, token)
    work.note(token=key.id, environment=environment.value if environment else None)
    work.note(
        scopes=None if token.scopes is None else list(token.scopes), expires_at=token.expires_at, label=token.label
    )
    work.note(secret=digest_bytes(token.secret_hash.encode()))  # of the hash: `verify` holds the stored one against it
    return key.text


def _end(work: Work, kind: ActorKind, days: int | None) -> str | None:
    lasts = keys.LASTS_DAYS[kind] if days is None else days
    if lasts is None:
        return None
    if not 1 <= lasts <= keys.MOST_DAYS:
        raise Invalid(f"a key that lasts {lasts} days is not possible", f"give 1 to {keys.MOST_DAYS} days")
    return rfc3339(work.at + timedelta(days=lasts))


def _over(token: Token, now: datetime) -> bool:
    return token.expires_at is not None and rfc3339(now) >= token.expires_at


def _mark_used(desk: Desk, token: Token) -> None:
    now = desk.clock()
    if token.last_used_at and (now - parse(token.last_used_at)).total_seconds() < _USED_EVERY_S:
        return
    try:
        with operational(desk.registry) as sql:
            store.mark_used(sql, token.id, rfc3339(now))
    except Unavailable:
        return  # whoever holds a good token comes in, also while the disk is full
