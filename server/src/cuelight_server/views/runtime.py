"""What the clients see, and which of them have seen it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from cuelight_server.audit.verbs import Verb
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.terms import ActorKind, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.routing import store
from cuelight_server.routing.model import Published, Seen
from cuelight_server.routing.publish import build
from cuelight_server.views.sight import sight_of

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

    `known` is everyone heard of within a day who said no goodbye: the following and the silent together. `named` is
    false where whoever asks may not see the names: then `silent` is empty.
    """

    known: int
    live: int
    following: int
    silent: tuple[Silent, ...]
    named: bool = True


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


def observed_by(desk: Desk, asker: Actor, environment: str, version: int | None = None) -> Observed:
    """`observed`, with names only for whoever may know them.

    They are a client's name for itself and its app's, and belong to no workflow: so they are for whoever sees every
    workflow that the environment serves, or may take one of them back and has to see who follows.
    """
    found = observed(desk, environment, version)
    if _may_know(desk, asker, environment):
        return found
    return replace(found, silent=(), named=False)


def _may_know(desk: Desk, asker: Actor, environment: str) -> bool:
    sight = sight_of(desk, asker)
    if sight.everything:
        return True
    with reading(desk.registry) as sql:
        served = {one.prompt for one in store.deployments(sql, environment)}
        if served and all(sight.sees(one) for one in served):
            return True
        return any(_operates(sql, asker, one) for one in served if sight.sees(one))


def _operates(sql: Connection, asker: Actor, prompt: str) -> bool:
    """Whether they hold a role that takes a release of this prompt back."""
    workflow, _, short = prompt.partition(".")
    held = {one.held for one in governance.memberships(sql, asker.id) if one.workflow == workflow}
    if asker.kind is ActorKind.PERSON:
        owners = prompts.owners_of(sql, workflow, short)
        held = {role for role in Role if asker.id in owners.get(role.value, {}).values()}
    rule = Verb.RELEASE_ROLL_BACK.rule
    return asker.kind in rule.kinds and bool(held & rule.roles)


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
