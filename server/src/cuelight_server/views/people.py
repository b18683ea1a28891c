"""Who is here, and which keys open what."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select

from cuelight_server.access import store
from cuelight_server.access.model import Account, Identity, Token
from cuelight_server.db import schema
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, MAX_SIZE, Page
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.views.activity import last_acts
from cuelight_server.views.sight import colleagues

T = TypeVar("T")
STILL_SHOWN = timedelta(days=1)  # how long a key that has ended stays in the list


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account. `person` is the same for all accounts of one person; times are RFC 3339 text.

    `last_active_at` is their newest act in the log, refusals included; `last_used_at` the newest use of a key or of a
    session that is still open; None where there was none. `password` says whether one is set.
    """

    id: str
    name: str
    kind: str
    admin: bool
    auditor: bool
    person: str
    password: bool
    created_at: str
    disabled_at: str | None
    last_active_at: str | None
    last_used_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One key, without its secret. `state` is good, revoked, expired or disabled; `scopes` None = all that its holder may."""

    id: str
    holder: str
    kind: str
    environment: str | None
    scopes: tuple[str, ...] | None
    label: str
    state: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None

    def to_json(self) -> dict[str, Any]:
        """The key as it goes over the wire."""
        return asdict(self)


def account_lines(desk: Desk, asker: Actor, after: str = "", size: int = DEFAULT_SIZE) -> Page[AccountLine]:
    """Accounts by id, from above the id `after`: everybody for who sees the whole desk, else oneself and colleagues."""
    only = colleagues(desk, asker)
    with reading(desk.registry) as sql:
        found = store.accounts(sql, after, size, only)
        return Page(_accounts(sql, found.items), found.next)


def key_lines(
    desk: Desk, asker: Actor, after: str = "", size: int = DEFAULT_SIZE, *, ended: bool = False, own: bool = False
) -> Page[KeyLine]:
    """Keys by id, from above the id `after`: everybody's for an administrator, one's own for everybody else.

    Those that work and those that ended within a day; with `ended` all that ever were. `own`: only the asker's.
    """
    now = desk.clock()
    over = None if ended else rfc3339(now - STILL_SHOWN)
    whose = asker.id if own or not asker.admin else None
    with reading(desk.registry) as sql:
        found = store.tokens(sql, after, size, holder=whose, over=over)
        holders = {id: store.account(sql, id) for id in {one.actor for one in found.items}}
    lines = tuple(_key(one, holder, now) for one in found.items if (holder := holders[one.actor]) is not None)
    return Page(lines, found.next)


def account_line(desk: Desk, id: str) -> AccountLine:
    """One account. NotFound."""
    with reading(desk.registry) as sql:
        account = store.account(sql, id)
        if account is None:
            raise NotFound(f"there is no {id}", "see: cuelight people list")
        (line,) = _accounts(sql, [account])
    return line


def key_line(desk: Desk, id: str) -> KeyLine:
    """One key. NotFound."""
    now = desk.clock()
    with reading(desk.registry) as sql:
        token = store.token(sql, id)
        holder = store.account(sql, token.actor) if token else None
    if token is None or holder is None:
        raise NotFound(f"there is no key {id}", "see: cuelight keys list")
    return _key(token, holder, now)


def identities(desk: Desk, id: str) -> list[Identity]:
    """Who an account is at the sign-in provider."""
    with reading(desk.registry) as sql:
        return store.identities_of(sql, id)


def has_owner(desk: Desk) -> bool:
    """Whether there is an administrator who is not disabled."""
    with reading(desk.registry) as sql:
        return store.has_owner(sql)


def has_password(desk: Desk, actor: str) -> bool:
    """Whether this account has a password."""
    with reading(desk.registry) as sql:
        return store.password(sql, actor) is not None


def accounts(desk: Desk) -> list[Account]:
    """Every account, by id."""
    with reading(desk.registry) as sql:
        return list(_all(sql, store.accounts))


def tokens(desk: Desk) -> list[Token]:
    """Every token and key, by id; their secrets are nowhere."""
    with reading(desk.registry) as sql:
        return list(_all(sql, store.tokens))


def _accounts(sql: Connection, found: Sequence[Account]) -> tuple[AccountLine, ...]:
    ids = [one.id for one in found]
    acts, used, known = last_acts(sql, ids), _last_used(sql, ids), store.with_password(sql, ids)
    auditors = governance.auditors(sql, ids)
    return tuple(
        AccountLine(
            id=one.id,
            name=one.name,
            kind=one.kind.value,
            admin=one.admin,
            auditor=one.id in auditors,
            person=one.person_id if one.kind is ActorKind.PERSON else "",
            password=one.id in known,
            created_at=one.created_at,
            disabled_at=one.disabled_at,
            last_active_at=acts.get(one.id),
            last_used_at=used.get(one.id),
        )
        for one in found
    )


def _key(one: Token, holder: Account, now: datetime) -> KeyLine:
    return KeyLine(
        id=one.id,
        holder=one.actor,
        kind=holder.kind.value,
        environment=one.environment.value if one.environment else None,
        scopes=one.scopes,
        label=one.label,
        state=_state(one, holder, rfc3339(now)),
        created_at=one.created_at,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
        last_used_at=one.last_used_at,
    )


def _state(one: Token, holder: Account, now: str) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if one.expires_at is not None and one.expires_at <= now:
        return "expired"
    return "good" if holder.disabled_at is None else "disabled"


def _last_used(sql: Connection, ids: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for table, column in ((schema.token, "last_used_at"), (schema.session, "last_seen_at")):
        query = select(table.c.actor, func.max(table.c[column])).where(table.c.actor.in_(ids)).group_by(table.c.actor)
        for actor, at in sql.execute(query):
            if at is not None:
                found[actor] = max(at, found.get(actor, ""))
    return found


def _all(sql: Connection, page: Callable[[Connection, str, int], Page[T]]) -> Iterator[T]:
    after: str | None = ""
    while after is not None:
        found = page(sql, after, MAX_SIZE)
        yield from found.items
        after = found.next
