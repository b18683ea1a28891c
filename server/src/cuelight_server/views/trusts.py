"""Which pipelines are trusted: in whom, on which conditions, for what, where, and when one last came in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.access import store
from cuelight_server.access.model import Trust
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied, NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.kernel.terms import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustLine:
    """One trust. `conditions` is claim -> value, or its beginning and `*`; `workflows` are those the account is let into.

    `minutes` is how long a key lasts; `last_used_at` and `ended_at` are RFC 3339, None = never, not yet.
    """

    id: str
    actor: str
    issuer: str
    audience: str
    conditions: Mapping[str, str]
    scopes: tuple[str, ...]
    environment: str | None
    workflows: tuple[str, ...]
    minutes: int
    created_at: str
    last_used_at: str | None
    ended_at: str | None

    def to_json(self) -> dict[str, Any]:
        """The trust as it goes over the wire."""
        return asdict(self)


def trust_lines(desk: Desk, asker: Actor, after: str = "", size: int = DEFAULT_SIZE) -> Page[TrustLine]:
    """Trusts by id, from above the id `after`, those that ended too. Denied for who is no administrator."""
    _check(asker)
    with reading(desk.registry) as sql:
        found = store.trusts(sql, after, size)
        return Page(tuple(_line(sql, one) for one in found.items), found.next)


def trust_line(desk: Desk, asker: Actor, id: str) -> TrustLine:
    """One trust. NotFound; Denied for who is no administrator."""
    _check(asker)
    with reading(desk.registry) as sql:
        found = store.trust(sql, id)
        if found is None:
            raise NotFound(f"there is no trust {id}", "see: cuelight trusts list")
        return _line(sql, found)


def _check(asker: Actor) -> None:
    if not asker.admin and asker.kind is not ActorKind.SYSTEM:
        raise Denied("which pipelines are trusted is for administrators", "ask an administrator")


def _line(sql: Connection, one: Trust) -> TrustLine:
    return TrustLine(
        id=one.id,
        actor=one.actor,
        issuer=one.issuer,
        audience=one.audience,
        conditions=one.conditions,
        scopes=one.scopes,
        environment=one.environment.value if one.environment else None,
        workflows=tuple(sorted({place.workflow for place in governance.memberships(sql, one.actor)})),
        minutes=one.minutes,
        created_at=one.created_at,
        last_used_at=one.last_used_at,
        ended_at=one.ended_at,
    )
