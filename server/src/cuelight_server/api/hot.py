"""What the runtime's doors keep in memory: snapshots as bytes, keys for a few seconds, and acknowledgements to write."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from cuelight_server.control.access import authenticate
from cuelight_server.control.desk import Desk
from cuelight_server.control.runtime import Ack, acknowledge
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied, Invalid, Unavailable
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.routing.model import Published
from cuelight_server.views.audit import lines
from cuelight_server.views.runtime import current, version

LOOK_EVERY_S = 0.1  # also another process may publish: a rollback on the data folder reaches clients within this
KEY_KEPT_S = 3.0  # a key is looked up again after this, so that its last use and its end are known
GATHER_S = 0.05  # acknowledgements of this time are one write
_MOST_KEYS, _MOST_ACKS = 10_000, 20_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A snapshot ready to send; `until` is the event loop's time at which it is looked at again."""

    published: Published
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    until: float


class Snapshots:
    """The newest snapshot of each environment, never older than LOOK_EVERY_S; one look at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._held: dict[str, Held] = {}
        self._looks: dict[str, asyncio.Task[Held]] = {}

    def fresh(self, environment: str, now: float) -> Held | None:
        """What is held, if it was looked at a moment ago."""
        held = self._held.get(environment)
        return held if held is not None and now < held.until else None

    async def look(self, environment: str) -> Held:
        """Ask the store, together with everyone who asks at the same time."""
        return await _shared(self._looks, environment, lambda: self._look(environment))

    async def _look(self, environment: str) -> Held:
        held = self._held.get(environment)
        newest = await run_in_threadpool(version, self._desk, environment)
        if held is not None and held.published.version == newest:
            held = replace(held, until=_now() + LOOK_EVERY_S)
        else:
            held = _hold(await run_in_threadpool(current, self._desk, environment))
        self._held[environment] = held
        return held


class Keys:
    """App keys that were good a moment ago, by the hash of the token: the token itself is not kept.

    Whoever revokes a key or disables an app writes a line: while the log has not grown, all that is known stays true.
    So a revoked key opens nothing after LOOK_EVERY_S, whichever process revoked it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[bytes, tuple[Actor, float]] = {}
        self._size, self._looked = -1, 0.0
        self._looks: dict[str, asyncio.Task[None]] = {}

    def fresh(self, token: str | None, now: float) -> Actor | None:
        """Who holds the token, if that was asked a moment ago."""
        if not token or now >= self._looked + LOOK_EVERY_S:
            return None
        known = self._known.get(_hash(token))
        return known[0] if known is not None and now < known[1] else None

    async def ask(self, token: str | None) -> Actor:
        """The app behind the token; Denied for anyone else, also for a person."""
        await _shared(self._looks, "look", self._look)
        known = self.fresh(token, _now())
        if known is not None:
            return known
        size = self._size
        actor = await run_in_threadpool(authenticate, self._desk, token)
        if actor.kind is not ActorKind.APP or token is None:
            raise Denied("this door is for apps", "use the app's key: CUELIGHT_KEY")
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
        if size == self._size:
            self._known[_hash(token)] = (actor, _now() + KEY_KEPT_S)
        return actor

    async def _look(self) -> None:
        size = await run_in_threadpool(lines, self._desk)
        if size != self._size:
            self._known.clear()
        self._size, self._looked = size, _now()


class Acks:
    """Acknowledgements on their way to the store: those of a moment are written together."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: list[Ack] = []
        self._writes: dict[str, asyncio.Task[frozenset[Ack]]] = {}

    async def put(self, ack: Ack) -> None:
        """Return when it is stored. Unavailable when far too many wait: the client says it again by itself.

        Invalid when it cannot be true: another epoch, or a snapshot that is not there yet.
        """
        if len(self._waiting) >= _MOST_ACKS:
            raise Unavailable("too many acknowledgements at once", "say it again in a moment")
        self._waiting.append(ack)
        if ack in await _shared(self._writes, "write", self._write):
            raise Invalid(
                f"snapshot {ack.version} of epoch {ack.epoch[:32]} is not one of {ack.environment} here",
                "acknowledge the snapshot that is served, as GET /runtime/v1/snapshot gave it",
            )

    async def _write(self) -> frozenset[Ack]:
        await asyncio.sleep(GATHER_S)
        batch, self._waiting = self._waiting, []
        self._writes.pop("write", None)  # who comes from now on waits for the next write
        return await run_in_threadpool(acknowledge, self._desk, batch)


async def _shared(running: dict[str, asyncio.Task[T]], name: str, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    task = running.get(name)
    if task is None:
        task = asyncio.create_task(start())
        running[name] = task
        task.add_done_callback(lambda done: running.pop(name, None) if running.get(name) is done else None)
    return await asyncio.shield(task)


def _hold(published: Published) -> Held:
    etag = f'"{published.digest}"'.encode()
    headers: Mapping[bytes, bytes] = {
        b"content-type": b"application/json",
        b"content-length": str(len(published.body)).encode(),
        b"etag": etag,
        b"cache-control": b"private, no-cache",
        b"x-content-type-options": b"nosniff",
        b"cuelight-version": str(published.version).encode(),
    }
    return Held(published, etag, tuple(headers.items()), _now() + LOOK_EVERY_S)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
