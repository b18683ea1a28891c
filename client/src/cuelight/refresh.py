"""Keeping memory fresh: one thread polls, checks, swaps, saves and acknowledges, and nothing ever waits for it."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cuelight.cache import DiskCopy
from cuelight.contract.authority import Authority
from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Conflict, CuelightError, Denied, Invalid
from cuelight.contract.snapshot import Snapshot, parse
from cuelight.transport import Fetched, Transport

LEASE_SECONDS = 5.0
_SLOWEST_SECONDS = 10.0
_log = logging.getLogger("cuelight")


class Source(StrEnum):
    """Where an answer came from: the server now, the server before an outage, disk, bundle, or the caller's fallback."""

    LIVE = "live"
    STALE = "stale"
    DISK = "disk"
    BUNDLED = "bundled"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Held:
    """The snapshot that is served now. `confirmed` is when a server last vouched for it (clock seconds), None = never."""

    snapshot: Snapshot
    digest: str
    source: Source
    confirmed: float | None
    authorities: dict[str, Authority] = field(default_factory=dict, compare=False, repr=False)  # compiled on first use


def read(body: bytes, digest: str) -> Snapshot:
    """The snapshot in these bytes; Invalid where they are not what the digest says, or no snapshot."""
    if digest_bytes(body) != digest:
        raise Invalid(
            "the snapshot's bytes do not have the digest that came with them", "something on the way cut them"
        )
    try:
        return parse(json.loads(body))
    except (ValueError, RecursionError) as bad:
        raise Invalid("the snapshot is no JSON", "is this a Cuelight server?") from bad


class Memory:
    """What readers see. One attribute is swapped as a whole, so that reading needs no lock."""

    def __init__(self) -> None:
        """Empty."""
        self.held: Held | None = None
        self.denied: Denied | None = None
        self.error: CuelightError | None = None
        self.asked = False  # whether the server was asked once, whatever came of it
        self._settled, self._asked = threading.Event(), threading.Event()

    def serve(self, held: Held) -> None:
        """Serve this from now on."""
        self.held, self.denied = held, None
        self._settled.set()

    def revoke(self, denied: Denied) -> None:
        """Serve nothing from now on."""
        self.denied, self.held = denied, None
        self._settled.set()

    def wait(self, seconds: float) -> None:
        """Wait until there is a first answer, a snapshot or a refusal."""
        self._settled.wait(max(0.0, seconds))

    def wait_asked(self, seconds: float) -> None:
        """Wait until the server was asked once, but no longer: then what is held has to do."""
        self._asked.wait(max(0.0, seconds))
        self.asked = True

    def was_asked(self) -> None:
        """The server was asked once."""
        self.asked = True
        self._asked.set()


@dataclass(slots=True)
class Refresher:
    """The thread's work. `clock` gives monotonic seconds, `draw` a random number from 0 to 1."""

    memory: Memory
    transport: Transport
    disk: DiskCopy | None
    who: Mapping[str, str]
    every: float
    clock: Callable[[], float]
    draw: Callable[[], float]
    stop: threading.Event = field(default_factory=threading.Event)
    failures: int = 0
    acknowledged: tuple[str, int] | None = None
    acknowledged_at: float = 0.0
    thread: threading.Thread | None = None

    def start(self, delay: float = 0.0) -> None:
        """Start the thread; it ends with `stop`, and hands over to a successor whatever else ends it."""
        self.thread = threading.Thread(target=self._run, args=(delay,), name="cuelight-refresh", daemon=True)
        self.thread.start()

    def end(self, seconds: float) -> None:
        """Stop, and wait at most so many seconds until the server heard the goodbye."""
        self.stop.set()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(max(0.0, seconds))

    def _run(self, delay: float) -> None:
        try:
            while not self.stop.wait(delay):
                delay = self.tick()
            self._goodbye()
        finally:
            if not self.stop.is_set():
                self.failures += 1
                self.start(self._pause())

    def tick(self) -> float:
        """Poll once and say how many seconds to wait now: full jitter after failures, never more than ten seconds."""
        try:
            self._poll()
            self.failures = 0
            self._tell(None)
        except Denied as denied:
            self._revoked(denied)
        except CuelightError as bad:
            self._failed(bad)
        self.memory.was_asked()
        self._acknowledge()
        return self._pause()

    def _pause(self) -> float:
        if not self.failures:
            return self.every * (0.75 + 0.25 * self.draw())
        longest = min(_SLOWEST_SECONDS, self.every * 2.0 ** min(self.failures, 10))
        return max(self.every / 4, longest * self.draw())

    def _poll(self) -> None:
        held = self.memory.held
        fetched = self.transport.snapshot(held.digest if held else "")
        if fetched is not None:
            self._swap(held, fetched)
        elif held is not None:
            self.memory.serve(replace(held, source=Source.LIVE, confirmed=self.clock()))

    def _swap(self, held: Held | None, fetched: Fetched) -> None:
        snapshot = read(fetched.body, fetched.digest)
        if held is not None:
            _refuse(held, snapshot)
        self.memory.serve(Held(snapshot, fetched.digest, Source.LIVE, self.clock()))
        _log.info("cuelight serves snapshot %s of %s", snapshot.version, snapshot.environment)
        try:
            if self.disk is not None:
                self.disk.save(fetched.body, fetched.digest)
        except OSError as bad:
            _log.warning("cuelight cannot keep its disk copy (%s): a restart will need the server", bad)

    def _revoked(self, denied: Denied) -> None:
        self.failures += 1
        self._tell(denied)
        self.memory.revoke(denied)
        if self.disk is not None:
            self.disk.drop()

    def _failed(self, bad: CuelightError) -> None:
        self.failures += 1
        self._tell(bad)
        held = self.memory.held
        if held is not None and held.source is Source.LIVE:
            self.memory.serve(replace(held, source=Source.STALE))

    def _tell(self, error: CuelightError | None) -> None:
        """Log a change of state once, not at every poll."""
        before = self.memory.error.message if self.memory.error else ""
        self.memory.error = error
        if error is not None and error.message != before:
            _log.warning("cuelight: %s; %s", error.message, error.hint)
        elif error is None and before:
            _log.info("cuelight is in touch with the server again")

    def _acknowledge(self) -> None:
        """After each change, and as a lease."""
        held, now = self.memory.held, self.clock()
        if held is None or self.failures:
            return
        serving = (held.snapshot.epoch, held.snapshot.version)
        if serving == self.acknowledged and now - self.acknowledged_at < LEASE_SECONDS - self.every / 2:
            return
        try:
            self.transport.acknowledge({**self.who, "epoch": serving[0], "version": serving[1]})
        except CuelightError as bad:
            _log.debug("cuelight could not acknowledge: %s", bad.message)
            return
        self.acknowledged, self.acknowledged_at = serving, now
        if self.disk is not None:
            self.disk.confirm()

    def _goodbye(self) -> None:
        """Tell a server that counts this client that it ends: nobody then waits for it to follow."""
        if self.acknowledged is None or self.failures:
            return
        epoch, version = self.acknowledged
        try:
            self.transport.acknowledge({**self.who, "epoch": epoch, "version": version, "bye": True})
        except CuelightError as bad:
            _log.debug("cuelight could not say goodbye: %s", bad.message)


def _refuse(held: Held, new: Snapshot) -> None:
    """Conflict where a snapshot may not replace the one that a server gave before.

    A bundle or a disk copy gives way to any server: files are worth less than a live answer, whoever wrote them.
    """
    old = held.snapshot
    if held.source is Source.BUNDLED:
        return
    if held.source is Source.DISK:
        _warn_of_copy(old, new)
        return
    if new.environment != old.environment:
        raise Conflict(
            f"the server sends {new.environment}, this client serves {old.environment}",
            "is CUELIGHT_KEY the right one?",
        )
    if new.epoch == old.epoch and new.version < old.version:
        raise Conflict(
            f"the server sends snapshot {new.version}, older than {old.version}", "a stale copy answers; it is refused"
        )
    if new.epoch != old.epoch:
        _log.warning("cuelight: the desk was restored or replaced: snapshot %s, was %s", new.version, old.version)


def _warn_of_copy(old: Snapshot, new: Snapshot) -> None:
    if new.environment != old.environment:
        _log.warning("cuelight: the disk copy is of %s, the server serves %s", old.environment, new.environment)
    elif new.epoch != old.epoch or new.version < old.version:
        _log.warning("cuelight: the server serves snapshot %s, the disk copy says %s", new.version, old.version)
