"""One POST under limits: a guarded address, no redirects, so many bytes, and so many seconds in all."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from cuelight_server.kernel.errors import Unavailable
from cuelight_server.outbound.guard import Forbidden, Network, at_home, check_peer

MOST_BYTES = 8 * 1024 * 1024
_CONNECT_S = 10.0


class Trouble(Unavailable):
    """No whole answer came; the message says in which way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status says; `ms` from the first byte sent to the last one read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float

    @property
    def good(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class _Line:
    """One connection at a time, and the streams to cut when the time is over."""

    http: httpx2.Client
    proxied: bool
    streams: list[Any] = field(default_factory=list)


class Calls:
    """Asks over HTTP from several threads; connections are used again. `allowed` are private networks that names may lead to."""

    def __init__(self, *, allowed: Sequence[Network] = (), most_bytes: int = MOST_BYTES) -> None:
        """Nothing is opened before the first call."""
        self._allowed, self._most_bytes = tuple(allowed), most_bytes
        self._free: list[_Line] = []
        self._lock = threading.Lock()
        self._secure: Any = None

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            free, self._free = self._free, []
        for line in free:
            line.http.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], most_s: float) -> Answer:
        """The answer within `most_s` seconds in all. Trouble says what went wrong, Forbidden that it is not asked."""
        host = urlsplit(url).hostname or ""
        line = self._line(proxied=_proxied(url, host))
        begun = time.monotonic()
        late = threading.Event()
        fine = False
        try:
            with _cut_after(most_s, line.streams, late):
                status, found, text = self._exchange(line, url, body, headers, most_s)
            fine = True
            return Answer(status, found, text, round((time.monotonic() - begun) * 1000, 1))
        except httpx2.ConnectTimeout:
            raise Trouble("no connection in time", _LATER) from None
        except httpx2.TimeoutException:
            raise Trouble(f"no answer in time ({most_s:g} s)", _LATER) from None
        except (httpx2.ConnectError, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as bad:
            raise Trouble(f"no connection ({type(bad).__name__})", _LATER) from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as bad:
            if late.is_set():
                raise Trouble(f"no answer in time ({most_s:g} s)", _LATER) from None
            raise Trouble(f"no connection, or it broke off before the end ({type(bad).__name__})", _LATER) from None
        finally:
            self._give_back(line, fine=fine)

    def _exchange(
        self, line: _Line, url: str, body: bytes, headers: Mapping[str, str], most_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        host = urlsplit(url).hostname or ""

        def see(event: str, told: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")) and told.get("return_value"):
                line.streams[:] = [told["return_value"]]
                if event.endswith("connect_tcp.complete") and not line.proxied:
                    self._check(told["return_value"], host)

        timeout = httpx2.Timeout(most_s, connect=min(_CONNECT_S, most_s))
        given = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "cuelight", **headers}
        with line.http.stream(
            "POST", url, content=body, headers=given, timeout=timeout, extensions={"trace": see}
        ) as got:
            if got.headers.get("content-encoding", "identity") != "identity":
                raise Trouble("the answer is packed, though nobody asked for that", "look at what stands before it")
            return got.status_code, dict(got.headers), self._read(got)

    def _check(self, stream: Any, host: str) -> None:
        """The connection is there and nothing was sent yet: an address inside is left again."""
        try:
            check_peer(str(stream.get_extra_info("server_addr")[0]), host, self._allowed)
        except Forbidden:
            stream.close()
            raise

    def _read(self, got: httpx2.Response) -> bytes:
        pieces, size = [], 0
        for piece in got.iter_raw():
            size += len(piece)
            if size > self._most_bytes:
                raise Trouble(f"the answer is larger than {self._most_bytes // 1024} kB", "ask for less, or elsewhere")
            pieces.append(piece)
        return b"".join(pieces)

    def _line(self, *, proxied: bool) -> _Line:
        with self._lock:
            known = next((one for one in self._free if one.proxied is proxied), None)
            if known is not None:
                self._free.remove(known)
                return known
            if self._secure is None:
                self._secure = httpx2.create_ssl_context()
        one = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        http = httpx2.Client(verify=self._secure, limits=one, follow_redirects=False, trust_env=proxied)
        return _Line(http, proxied)

    def _give_back(self, line: _Line, *, fine: bool) -> None:
        if fine:
            with self._lock:
                self._free.append(line)
            return
        line.http.close()


_LATER = "try again later"


def _proxied(url: str, host: str) -> bool:
    """Whether a proxy of this machine's settings stands between: then it, and not we, sees the address behind a name."""
    return not at_home(host) and urlsplit(url).scheme in getproxies() and not proxy_bypass(host)


@contextmanager
def _cut_after(seconds: float, streams: list[Any], late: threading.Event) -> Iterator[None]:
    """A timer cuts the connection: a server that sends a byte now and then does not hold a thread."""

    def cut() -> None:
        late.set()
        for stream in streams:
            with suppress(OSError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
