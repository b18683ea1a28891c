"""What the clients see, and which of them have seen it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import NotFound
from cuelight_server.routing import store
from cuelight_server.routing.model import Published, Seen
from cuelight_server.routing.publish import build

LEASE = timedelta(seconds=15)  # an acknowledgement says that the client is alive for so long
REMEMBERED = timedelta(hours=24)  # a client that fell silent and said no goodbye may still be running, so it is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A client that has not said that it follows: its last word (RFC 3339) and the version it served then."""

    client: str
    app: str
    seen_at: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """How many clients there are, hold a lease, and follow; and by name those who may still be behind.

    `known` is everyone heard of within a day who said no goodbye: the following and the silent together.
    """

    known: int
    live: int
    following: int
    silent: tuple[Silent, ...]


def observed(desk: Desk, environment: str, version: int | None = None) -> Observed:
    """Who follows snapshot `version` (the newest if None) in an environment.

    Live = acknowledged within the lease of 15 s; following = live, in this desk's epoch, at that version or a later
    one. Silent = live and not following, or fallen silent within the last day without a goodbye.
    """
    now = desk.clock()
    with reading(desk.registry) as sql:
        wanted = store.version(sql, environment) if version is None else version
        heard = store.seen_since(sql, environment, rfc3339(now - REMEMBERED))
    live = [one for one in heard if now - parse(one.at) <= LEASE]
    follow = {one for one in live if follows(one, desk.epoch, wanted)}
    silent = tuple(
        Silent(client=one.client, app=one.app, seen_at=one.at, version=one.version)
        for one in heard
        if one not in follow
    )
    return Observed(known=len(heard), live=len(live), following=len(follow), silent=silent)


def follows(seen: Seen, epoch: str, version: int) -> bool:
    """Whether what a client said it serves is this version of this desk, or a later one."""
    return seen.epoch == epoch and seen.version >= version


def version(desk: Desk, environment: str) -> int:
    """The newest snapshot's version: the cheap question before the dear one."""
    with reading(desk.registry) as sql:
        return store.version(sql, environment)


def current(desk: Desk, environment: str) -> Published:
    """The newest snapshot of an environment; before the first one, an empty snapshot of version 0."""
    with reading(desk.registry) as sql:
        return _current(sql, desk, environment)


def _current(sql: Connection, desk: Desk, environment: str) -> Published:
    newest = store.version(sql, environment)
    if newest == 0:
        return build(environment, desk.epoch, 0, (), {}, {})
    found = store.snapshot(sql, environment, newest)
    if found is None:
        raise NotFound(f"snapshot {newest} of {environment} is not stored", "run `cuelight-server verify`")
    return found
