"""Letting people and apps in, and showing them out."""

import re
from dataclasses import replace

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access import keys, store
from cuelight_server.access.keys import Key
from cuelight_server.access.model import Account, Token
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound, Unavailable
from cuelight_server.kernel.terms import ActorKind, Environment

APP = "app:"
_USED_EVERY_S = 60  # last use is kept to the minute: not every read should become a write
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def add_actor(desk: Desk, actor: Actor, id: str, name: str, *, admin: bool = False) -> Account:
    """Add a person. Invalid for an id that is none, Conflict when it is taken."""
    check_person(id)
    with act(desk, actor, Verb.ACTOR_ADD, id, workflow="") as work:
        return _add(work, Account(id=id, name=name, kind=ActorKind.PERSON, admin=admin, created_at=work.at_text))


def check_person(id: str) -> None:
    """Invalid for an id that no person can have."""
    _check_name(id)
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


def issue_token(desk: Desk, actor: Actor, person: str) -> str:
    """A new token for a person, to be shown once: only its hash is kept. NotFound, or Blocked for a disabled one."""
    with act(desk, actor, Verb.TOKEN_ISSUE, person, workflow="") as work:
        account = _known(work, person)
        if account.kind is not ActorKind.PERSON:
            raise Invalid(f"{person} is no person", "an app gets a key: issue_key")
        return _issue(work, account, None)


def issue_key(desk: Desk, actor: Actor, app: str, environment: Environment) -> str:
    """A new key for an app (`crm`) in one environment, to be shown once; an app that is new here is added."""
    _check_name(app)
    app_id = APP + app
    with act(desk, actor, Verb.TOKEN_ISSUE, app_id, workflow="") as work:
        new = Account(id=app_id, name=app, kind=ActorKind.APP, admin=False, created_at=work.at_text)
        account = store.account(work.sql, app_id) or _add(work, new)
        return _issue(work, account, environment)


def revoke(desk: Desk, actor: Actor, token_id: str) -> None:
    """From now on the token opens nothing. NotFound; Conflict when it is revoked already."""
    with act(desk, actor, Verb.TOKEN_REVOKE, token_id, workflow="") as work:
        token = store.token(work.sql, token_id)
        if token is None:
            raise NotFound(f"there is no token {token_id}", "the id is the part of the token before its secret")
        if token.revoked_at is not None:
            raise Conflict(f"the token {token_id} is revoked already", f"since {token.revoked_at}")
        store.revoke_token(work.sql, token_id, work.at_text)
        work.note(holder=token.actor)


def authenticate(desk: Desk, token_text: str | None) -> Actor:
    """Who holds this token.

    Denied otherwise, with details.credentials = missing, unknown, revoked or disabled. An unknown id costs the same
    work as a wrong secret and gets the same answer.
    """
    if not token_text:
        raise Denied("a token is needed", "send `Authorization: Bearer <token>`", credentials="missing")
    key = keys.parse(token_text)
    with reading(desk.registry) as sql:
        token = store.token(sql, key.id if key else "")
        account = store.account(sql, token.actor if token else "")
    right = keys.matches(token.secret_hash if token else None, key.secret if key else "")
    if not right or key is None or token is None or account is None or account.kind is not key.kind:
        raise Denied("this token is not known here", "is it whole, and for this server?", credentials="unknown")
    if token.revoked_at is not None:
        raise Denied("this token is revoked", "ask an administrator for a new one", credentials="revoked")
    if account.disabled_at is not None:
        raise Denied(f"{account.id} is disabled", "ask an administrator", credentials="disabled")
    _mark_used(desk, token)
    return replace(account.actor(token.environment), token=token.id)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no id", "use lower-case letters, digits, dot, dash and underscore, at most 63")


def _add(work: Work, account: Account) -> Account:
    if store.account(work.sql, account.id) is not None:
        raise Conflict(f"{account.id} is taken", "choose another id")
    store.save_account(work.sql, account)
    work.note(kind=account.kind.value, name=account.name, admin=account.admin)
    return account


def _known(work: Work, id: str) -> Account:
    account = store.account(work.sql, id)
    if account is None:
        raise NotFound(f"there is no {id}", "add them first")
    return account


def _issue(work: Work, account: Account, environment: Environment | None) -> str:
    if account.disabled_at is not None:
        raise Blocked(f"{account.id} is disabled", "a disabled account gets no token")
    key = Key(account.kind, ids.token_id(), ids.token_secret())
    hashed = keys.secret_hash(key.secret)
    token = Token(id=key.id, actor=account.id, secret_hash=hashed, environment=environment, created_at=work.at_text)
    store.save_token(work.sql, token)
    work.note(token=key.id, environment=environment.value if environment else None)
    work.note(secret=digest_bytes(hashed.encode()))  # of the hash: `verify` holds the stored one against it
    return key.text


def _mark_used(desk: Desk, token: Token) -> None:
    now = desk.clock()
    if token.last_used_at and (now - parse(token.last_used_at)).total_seconds() < _USED_EVERY_S:
        return
    try:
        with operational(desk.registry) as sql:
            store.mark_used(sql, token.id, rfc3339(now))
    except Unavailable:
        return  # whoever holds a good token comes in, also while the disk is full
