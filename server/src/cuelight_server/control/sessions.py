"""Signing in with a password, being signed in, and signing out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cuelight_server.access import keys, store
from cuelight_server.access.model import Account, Came, Session, SessionRules
from cuelight_server.access.passwords import MOST_BYTES, Passwords
from cuelight_server.control import throttle
from cuelight_server.control.desk import Desk
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Denied, NotFound, Unavailable
from cuelight_server.kernel.names import ID
from cuelight_server.kernel.terms import ActorKind

PASSWORD, DEMO, LINK = "password", "demo", "link"  # how somebody came in
MOST_SESSIONS = 20  # of one account; the oldest end first
_SEEN_EVERY_S = 60
_SECRET_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in, and with which session."""

    actor: Actor
    session: Session


def sign_in(
    desk: Desk, passwords: Passwords, id: str, password: str, came: Came, *, rules: SessionRules, old: str | None = None
) -> str:
    """The secret of a new session, for the cookie; `old` is the secret that the browser had, which opens nothing after.

    Denied with the same words, after the same work, whether there is nobody of that id, they have no password, they
    are disabled, or the password is wrong; Denied with `retry_after` for who must wait.
    """
    _check_way(rules, PASSWORD)
    who = id.strip().lower()
    counted = throttle.count(desk, who, came.source)
    with reading(desk.registry) as sql:
        known = who if ID.fullmatch(who) else ""
        account, stored = store.account(sql, known), store.password(sql, known)
    fits = len(password.encode(errors="replace")) <= MOST_BYTES
    right = passwords.verify(stored, password if fits else "") and fits
    if not right or account is None or not _may_come(account):
        note_failed_sign_in(desk, PASSWORD, None if account is None else account.id, came.source)
        raise Denied("this name and password do not belong together", "check both, or ask an administrator for a link")
    secret = open_session(desk, account.id, PASSWORD, came, rules=rules, old=old)
    throttle.forgive(desk, counted)
    return secret


def open_session(
    desk: Desk, account: str, method: str, came: Came, *, rules: SessionRules, old: str | None = None
) -> str:
    """The one place where a session begins, however somebody proved who they are; its secret, for the cookie.

    Denied for who is no person, or disabled, and for a way in that this desk does not have.
    """
    _check_way(rules, method)
    now, secret = desk.clock(), ids.token_secret()
    at = rfc3339(now)
    new = Session(
        hash=keys.secret_hash(secret),
        id=ids.token_id(),
        actor=account,
        method=method,
        source=came.source[:64],
        browser=_plain(came.browser)[:200],
        created_at=at,
        last_seen_at=at,
        expires_at=rfc3339(now + timedelta(minutes=rules.most_minutes)),
    )
    with operational(desk.registry) as sql:
        known = store.account(sql, account)
        if known is None or not _may_come(known):
            raise Denied("only a person who is not disabled signs in", "ask an administrator")
        if old is not None:
            store.end_session(sql, keys.secret_hash(old))
        store.save_session(sql, new)
        store.end_stale_sessions(sql, account, at, MOST_SESSIONS)
    return secret


def visit(desk: Desk, secret: str | None, rules: SessionRules) -> Visit | None:
    """Who is signed in with this secret; None where it was never given out, ran out, or its person is disabled."""
    if not secret or len(secret) != _SECRET_LENGTH:
        return None
    now = desk.clock()
    with reading(desk.registry) as sql:
        session = store.session(sql, keys.secret_hash(secret))
        account = store.account(sql, session.actor) if session else None
    if session is None or account is None or not _may_come(account) or not _lasts(session, now, rules):
        return None
    _mark_seen(desk, session, now)
    return Visit(account.actor(), session)


def sessions(desk: Desk, actor: Actor, rules: SessionRules) -> list[Session]:
    """The sessions of this person that are not over, newest first."""
    now = desk.clock()
    with reading(desk.registry) as sql:
        return [one for one in store.sessions_of(sql, actor.id) if _lasts(one, now, rules)]


def sign_out(desk: Desk, secret: str) -> None:
    """The session opens nothing any more, also for who copied the cookie."""
    with operational(desk.registry) as sql:
        store.end_session(sql, keys.secret_hash(secret))


def end_one(desk: Desk, actor: Actor, id: str) -> None:
    """End one of one's own sessions; NotFound for another's, and for one that is over."""
    with operational(desk.registry) as sql:
        if not store.end_sessions(sql, actor.id, id=id):
            raise NotFound("there is no such session of yours", "it may be over already")


def end_all(desk: Desk, actor: Actor, but: str = "") -> int:
    """End all of one's own sessions, but not the one with this hash; how many."""
    with operational(desk.registry) as sql:
        return store.end_sessions(sql, actor.id, but=but)


def _check_way(rules: SessionRules, method: str) -> None:
    """Looked at wherever a session begins, so that no way in is forgotten."""
    if not rules.allows(method):
        raise Denied("here people sign in at their organisation's own provider", "use its button on the sign-in page")


def _may_come(account: Account) -> bool:
    return account.kind is ActorKind.PERSON and account.disabled_at is None


def _lasts(session: Session, now: datetime, rules: SessionRules) -> bool:
    idle = now - parse(session.last_seen_at)
    return (
        rules.allows(session.method)
        and idle < timedelta(minutes=rules.idle_minutes)
        and now < parse(session.expires_at)
    )


def _mark_seen(desk: Desk, session: Session, now: datetime) -> None:
    if (now - parse(session.last_seen_at)).total_seconds() < _SEEN_EVERY_S:
        return
    try:
        with operational(desk.registry) as sql:
            store.mark_seen(sql, session.hash, rfc3339(now))
    except Unavailable:
        return  # who is signed in goes on reading, also while the disk is full


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() and one.isascii() else "?" for one in text)
