"""Checkpoints: signed when they are due, and brought to every sink; no change ever waits for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cuelight.contract.log import Checkpoint
from cuelight.contract.note import parse_signed
from cuelight_server.audit.model import Issued, SinkState
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.audit.store import checkpoint, proofs, root_at
from cuelight_server.audit.store import checkpoints as store
from cuelight_server.control.desk import Desk
from cuelight_server.control.signing import ensure_key
from cuelight_server.db.engine import Connection, reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, CuelightError
from cuelight_server.kernel.terms import Environment
from cuelight_server.routing import store as routing
from cuelight_server.sinks import Sent, Sink

_LEASE = timedelta(seconds=30)  # how long one delivery may hold a sink
_FIRST_WAIT_S, _LONGEST_WAIT_S = 2, 300
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """How a server signs: with which key, how often at least while the log grows (seconds), and where to."""

    keys: KeyPlace = field(default_factory=KeyPlace)
    every_s: int = 3600
    sinks: Mapping[str, Sink] = field(default_factory=dict)

    @property
    def signs(self) -> bool:
        """Whether a place for the key was given at all."""
        return self.keys.file is not None or self.keys.given is not None


def tick(desk: Desk, how: Checkpoints) -> None:
    """Sign what is due, then bring to each sink what it has not yet; a sink that fails waits longer each time."""
    if how.signs and _due(desk, how.every_s):
        issue(desk, how.keys)
    for name, sink in how.sinks.items():
        _deliver(desk, name, sink)


def issue(desk: Desk, keys: KeyPlace) -> Issued:
    """Sign the log as it is now; the newest checkpoint where it has not grown.

    Blocked where the log is not a continuation of what was signed last: a log never signs two stories.
    """
    signer = ensure_key(desk, keys)
    with reading(desk.registry) as sql:
        now, last = checkpoint(sql), store.newest(sql)
        if last is not None:
            if last.size == now.size and parse_signed(last.note).checkpoint == now:
                return last
            _continues(sql, parse_signed(last.note).checkpoint, now)
        covered = routing.version(sql, Environment.PRODUCTION)
    made = Issued(
        size=now.size,
        note=str(signer.checkpoint(now)),
        key=signer.verifier.id,
        snapshot_version=covered,
        issued_at=rfc3339(desk.clock()),
    )
    try:
        with operational(desk.registry) as sql:
            store.issue(sql, made)
    except (Blocked, Conflict):  # another server was quicker
        with reading(desk.registry) as sql:
            return store.newest(sql) or made
    return made


def _continues(sql: Connection, last: Checkpoint, now: Checkpoint) -> None:
    words = f"the log of {now.size} lines is no continuation of the {last.size} that were signed"
    hint = "it was cut or rewritten: run `cuelight-server verify`, and compare with an exported checkpoint"
    if last.size > now.size or root_at(sql, last.size) != last.root:
        raise Blocked(words, hint)
    if last.size:
        proofs.consistency(sql, last.size, last.root, now.size, now.root)


def _due(desk: Desk, every_s: int) -> bool:
    """Whether the log grew, and either production changed since the last checkpoint or the last is old enough."""
    with reading(desk.registry) as sql:
        last, size = store.newest(sql), checkpoint(sql).size
        if last is None:
            return size > 0
        changed = routing.version(sql, Environment.PRODUCTION) != last.snapshot_version
    old = desk.clock() >= parse(last.issued_at) + timedelta(seconds=every_s)
    return size != last.size and (changed or old)


def _deliver(desk: Desk, name: str, sink: Sink) -> None:
    """Bring what is missing to one sink, in order, if it is our turn."""
    now = desk.clock()
    with reading(desk.registry) as sql:
        state = store.sinks(sql).get(name, SinkState(name=name))
        waiting = store.issued_after(sql, state.size, _AT_ONCE)
    if not waiting or state.next_at > rfc3339(now):
        return
    with operational(desk.registry) as sql:
        if not store.claim(sql, name, rfc3339(now), rfc3339(now + _LEASE)):
            return
    for one in waiting:
        state = _sent(state, one, sink, now)
        with operational(desk.registry) as sql:
            store.mark(sql, state)
        if state.attempts:
            return


def _sent(state: SinkState, one: Issued, sink: Sink, now: datetime) -> SinkState:
    at, signed = rfc3339(now), parse_signed(one.note)
    root = signed.checkpoint.root
    sent = Sent(origin=signed.origin, size=one.size, root=root, issued_at=one.issued_at, checkpoint=one.note)
    try:
        sink.deliver(sent, now)
    except CuelightError as bad:
        wait = min(_FIRST_WAIT_S * 2 ** min(state.attempts, 10), _LONGEST_WAIT_S)
        later = rfc3339(now + timedelta(seconds=wait))
        return replace(state, attempts=state.attempts + 1, error=bad.message, tried_at=at, next_at=later)
    return replace(state, size=one.size, attempts=0, error="", tried_at=at, next_at=at, delivered_at=at)
