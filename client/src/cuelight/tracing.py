"""Recording calls: a bounded queue that a thread empties towards the server, and what is kept of each call."""

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.errors import CuelightError, Invalid
from cuelight.transport import Transport

MOST_CALLS, MOST_BYTES = 10_000, 64 * 1024 * 1024  # of calls that wait; whichever comes first
_BATCH_CALLS, _BATCH_BYTES = 500, 4 * 1024 * 1024
_MOST_OUTPUT, _MOST_RECORD, _MOST_FINDINGS = 200_000, 240 * 1024, 100  # what the server takes of one call
_REST_SECONDS, _SLOWEST_SECONDS = 1.0, 10.0
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: text order is number order
_log = logging.getLogger("cuelight")


now = time.time


def new_output_id(at: float) -> str:
    """A fresh id for an output of a call made at these Unix seconds."""
    return output_id(at, os.urandom(10))


def output_id(at: float, entropy: bytes) -> str:
    """`out_` and 26 characters that sort by time: 48 bits of milliseconds, then 80 bits of entropy (as a ULID)."""
    number = (int(at * 1000) << 80) | int.from_bytes(entropy)
    return "out_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def rfc3339(at: float) -> str:
    """Unix seconds as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What is known about one call. `facts` go to the server as they are; the rest only where the policy is `full`."""

    facts: Mapping[str, Any]
    values: Mapping[str, Any]
    output: str | None
    findings: tuple[Any, ...]
    error: BaseException | str | None


def record(happened: Happened, *, full: bool) -> str:
    """One call as JSON text. Unless `full`, no value, no output and no message that may quote them is in it."""
    if full:
        try:
            text = _dumps({**_common(happened), **_whole(happened)})
        except (TypeError, ValueError, RecursionError):
            text = ""
        if text and len(text.encode()) <= _MOST_RECORD and len(happened.output or "") <= _MOST_OUTPUT:
            return text
    return _dumps({**_common(happened), **_hashes(happened)})


def _common(happened: Happened) -> dict[str, Any]:
    return {name: value for name, value in happened.facts.items() if value is not None}


def _whole(happened: Happened) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "values": dict(happened.values),
        "findings": [asdict(one) for one in happened.findings[:_MOST_FINDINGS]],
    }
    if happened.output is not None:
        kept["output"] = happened.output.encode(errors="replace").decode()
    if happened.error is not None:
        kept["error"] = f"{_kind(happened.error)}: {happened.error}"[:2000]
    return kept


def _hashes(happened: Happened) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "findings": [{"code": one.code, "message": "", "path": one.path} for one in happened.findings[:_MOST_FINDINGS]]
    }
    try:
        kept["values_digest"] = digest(dict(happened.values))
    except Invalid:
        kept["values_digest"] = None
    if happened.output is not None:
        kept["output_digest"] = digest_bytes(happened.output.encode(errors="replace"))
    if happened.error is not None:
        kept["error"] = _kind(happened.error)
    return kept


def _kind(error: BaseException | str) -> str:
    return "error" if isinstance(error, str) else type(error).__name__


def _dumps(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class CallLog:
    """Calls on their way to the server. `add` never waits; a full queue drops the new call and counts it."""

    def __init__(
        self, transport: Transport, draw: Callable[[], float], *, most: int = MOST_CALLS, rest: float = _REST_SECONDS
    ) -> None:
        """`most` calls may wait; the thread looks every `rest` seconds; `draw` gives a random number from 0 to 1."""
        self.dropped = 0
        self._transport, self._draw, self._most, self._rest = transport, draw, most, rest
        self._waiting: deque[str] = deque()
        self._bytes = self._failures = 0
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait to be sent."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the thread; it ends with `close`, and hands over to a successor whatever else ends it."""
        self._thread = threading.Thread(target=self._run, name="cuelight-calls", daemon=True)
        self._thread.start()

    def add(self, call: str) -> None:
        """Put one call in the queue."""
        with self._lock:
            full = len(self._waiting) >= self._most or self._bytes + len(call) > MOST_BYTES
            if full:
                self.dropped += 1
            else:
                self._waiting.append(call)
                self._bytes += len(call)
        if full and self.dropped == 1:
            _log.warning("cuelight: the queue of calls is full; calls are dropped and counted in client.dropped")

    def close(self, seconds: float) -> None:
        """Send what waits, for at most so many seconds, and end the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def flush(self) -> bool:
        """Send everything that waits; False when the server did not take it, and it goes on waiting."""
        size = _BATCH_CALLS
        while batch := self._batch(size):
            try:
                self._transport.record(batch)
            except Invalid as bad:
                if len(batch) == 1:
                    self._reject(batch, bad)
                size = max(1, len(batch) // 2)  # looks for the one call that the server does not take
                continue
            except CuelightError as bad:
                _log.debug("cuelight: calls wait: %s", bad.message)
                return False
            self._forget(batch)
        return True

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wake.wait(self._pause())
                self._failures = 0 if self.flush() else self._failures + 1
        finally:
            if not self._stop.is_set():
                self._failures += 1
                self.start()

    def _pause(self) -> float:
        if not self._failures:
            return self._rest
        longest = min(_SLOWEST_SECONDS, self._rest * 2.0 ** min(self._failures, 10))
        return max(self._rest / 4, self._draw() * longest)

    def _batch(self, most: int) -> list[str]:
        with self._lock:
            batch: list[str] = []
            size = 0
            for call in self._waiting:
                size += len(call)
                if len(batch) == most or (batch and size > _BATCH_BYTES):
                    break
                batch.append(call)
            return batch

    def _forget(self, batch: list[str]) -> None:
        with self._lock:
            for _ in batch:
                self._bytes -= len(self._waiting.popleft())

    def _reject(self, batch: list[str], bad: Invalid) -> None:
        self._forget(batch)
        self.dropped += 1
        _log.error("cuelight: the server does not take a call, it is dropped and counted: %s", bad.message)
