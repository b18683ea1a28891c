"""The way to the server: the three runtime doors over HTTP, and a fake beside them for tests without a server."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.contract.errors import Denied, Invalid, Unavailable

MOST_BYTES = 64 * 1024 * 1024
_CONNECT_SECONDS, _READ_SECONDS, _WHOLE_SECONDS = 3.0, 10.0, 30.0
_REJECTED = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A snapshot as it came: its bytes, and the digest that the server says they have."""

    body: bytes
    digest: str


class Transport(Protocol):
    """What the client needs of a server. Denied where the key is refused, Unavailable where nothing useful answers."""

    def snapshot(self, digest: str) -> Fetched | None:
        """The newest snapshot, or None when it still has this digest ("" = none yet)."""

    def acknowledge(self, ack: Mapping[str, Any]) -> None:
        """Say which snapshot this client serves: client, app, epoch, version."""

    def record(self, calls: Sequence[str]) -> None:
        """Hand over calls, each a JSON text; Invalid where the server will never take this batch."""

    def close(self) -> None:
        """Let go of connections."""


class HttpTransport:
    """The runtime doors of a Cuelight server. Used by background threads only; a forked child opens its own sockets."""

    def __init__(self, url: str, key: str) -> None:
        """`url` like http://127.0.0.1:7080, `key` an app key; the key never stands in a message."""
        if not url.startswith(("http://", "https://")):
            raise Invalid(f"{url!r} is no address of a server", "set CUELIGHT_URL, for example http://127.0.0.1:7080")
        if not key.isascii() or not key.isprintable():
            raise Invalid("the app key holds characters that no key has", "copy CUELIGHT_KEY again")
        self._url, self._key = url.rstrip("/"), key
        self._http: Any = None
        self._process = 0

    def __repr__(self) -> str:
        return f"HttpTransport({self._url!r})"

    def snapshot(self, digest: str) -> Fetched | None:
        """GET /runtime/v1/snapshot; the body is read under limits of size and time."""
        headers = {"If-None-Match": f'"{digest}"'} if digest else {}
        status, etag, body = self._send("GET", "/runtime/v1/snapshot", headers=headers)
        if status == 304:
            return None
        return Fetched(body, etag.removeprefix("W/").strip('"'))

    def acknowledge(self, ack: Mapping[str, Any]) -> None:
        """POST /runtime/v1/acks."""
        self._post("/runtime/v1/acks", json.dumps(ack))

    def record(self, calls: Sequence[str]) -> None:
        """POST /runtime/v1/calls."""
        self._post("/runtime/v1/calls", f'{{"calls":[{",".join(calls)}]}}')

    def close(self) -> None:
        """Close the connections of this process."""
        if self._http is not None and self._process == os.getpid():
            self._http.close()
        self._http = None

    def _post(self, path: str, body: str) -> None:
        self._send("POST", path, headers={"Content-Type": "application/json"}, content=body.encode())

    def _send(self, method: str, path: str, **request: Any) -> tuple[int, str, bytes]:
        """(status, ETag, body) of a 2xx or 304."""
        import httpx2  # noqa: PLC0415 - costs 100 ms to load, which no app should pay before its first answer

        try:
            with self._connected().stream(method, self._url + path, **request) as response:
                if response.status_code not in (200, 201, 202, 204, 304):
                    raise _refused(response.status_code)
                return response.status_code, response.headers.get("ETag", ""), _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as bad:
            raise Unavailable(f"{self._url} does not answer: {type(bad).__name__}", "is the server running?") from bad

    def _connected(self) -> Any:
        import httpx2  # noqa: PLC0415 - as in _send

        if self._http is None or self._process != os.getpid():
            home = self._url.partition("//")[2].startswith(("127.0.0.1", "localhost", "[::1]"))
            self._process = os.getpid()
            self._http = httpx2.Client(
                headers={"Authorization": f"Bearer {self._key}", "Accept": "application/json"},
                timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
                trust_env=not home,  # a proxy never stands between us and this machine
            )
        return self._http


def _read(response: Any) -> bytes:
    """The whole body; Unavailable where it is endless or comes in drops."""
    until, parts, size = time.monotonic() + _WHOLE_SECONDS, [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES or time.monotonic() > until:
            raise Unavailable("the answer is too large or too slow", "is this a Cuelight server?")
    return b"".join(parts)


def _refused(status: int) -> Denied | Invalid | Unavailable:
    if status in (401, 403):
        return Denied(f"the server refuses this app key ({status})", "ask an owner for a new key and set CUELIGHT_KEY")
    if status in _REJECTED:
        return Invalid(f"the server does not take this request ({status})", "update the client or the server")
    return Unavailable(f"the server answered {status}", "it may be starting; the client keeps trying")


class MemoryTransport:
    """A server in memory: `publish` a snapshot document, set `down` or `denied`, look at `acks` and `calls`."""

    def __init__(self, document: Mapping[str, Any] | None = None) -> None:
        """Serve this snapshot document, or nothing until `publish`."""
        self.down = False
        self.denied = False
        self.acks: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._served: Fetched | None = None
        if document is not None:
            self.publish(document)

    def publish(self, document: Mapping[str, Any]) -> None:
        """Serve this snapshot document from now on."""
        body = canonical(document)
        self._served = Fetched(body, digest_bytes(body))

    def snapshot(self, digest: str) -> Fetched | None:
        """As a server does."""
        self._door()
        if self._served is None:
            raise Unavailable("nothing is published")
        return None if self._served.digest == digest else self._served

    def acknowledge(self, ack: Mapping[str, Any]) -> None:
        """Keep it in `acks`."""
        self._door()
        self.acks.append(dict(ack))

    def record(self, calls: Sequence[str]) -> None:
        """Keep them in `calls`."""
        self._door()
        self.calls.extend(json.loads(call) for call in calls)

    def close(self) -> None:
        """Nothing to let go of."""

    def _door(self) -> None:
        if self.denied:
            raise _refused(401)
        if self.down:
            raise _refused(503)
