"""Graders behind an address: a signed POST to one that the desk allows, under limits; redirects are not followed."""

import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.kernel.signed import SIGNATURE, TIMESTAMP, signature

MOST_BYTES = 256 * 1024
MOST_SENT = 4 * 1024 * 1024
_LIST = "an administrator lists addresses in CUELIGHT_GRADER_WEBHOOKS"
_HINT = "look at whoever answers there; the grader counts as not run until it does"


class Webhooks:
    """Posts to addresses whose origin is allowed. An answer is JSON of at most 256 kB within `most_s` seconds in all."""

    def __init__(
        self, origins: Sequence[str], secret: str, now: Callable[[], datetime], *, most_s: float = 20.0
    ) -> None:
        """Nothing is opened before the first call."""
        self._origins = frozenset(origins)
        self._secret, self._now, self._most_s = secret, now, most_s

    def __repr__(self) -> str:
        return f"Webhooks({sorted(self._origins)})"

    def __call__(self, url: str, document: Mapping[str, Any]) -> Any:
        """What is answered. Invalid for an address that is not allowed, Unavailable where no JSON comes in time."""
        if _origin(url) not in self._origins:
            raise Invalid(f"this desk posts nothing to {_host(url)}", _LIST)
        body = json.dumps(document, ensure_ascii=True).encode()
        if len(body) > MOST_SENT:
            raise Invalid(f"the webhook would be sent {len(body)} bytes, at most {MOST_SENT} are", "shorten the output")
        try:
            return json.loads(self._posted(url, body))
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as bad:
            raise Unavailable(f"the webhook at {_host(url)} does not answer ({type(bad).__name__})", _HINT) from None
        except (ValueError, RecursionError):
            raise Unavailable(f"the webhook at {_host(url)} answered with no JSON", _HINT) from None

    def _posted(self, url: str, body: bytes) -> bytes:
        """The body of a good answer. A timer cuts the line: a byte now and then does not hold a thread."""
        timestamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "cuelight",
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self._secret, timestamp, body),
        }
        line = _Line()
        cut = threading.Timer(self._most_s, line.cut)
        cut.daemon = True
        cut.start()
        try:
            with (
                httpx2.Client(timeout=httpx2.Timeout(self._most_s), follow_redirects=False, trust_env=False) as http,
                http.stream("POST", url, content=body, headers=headers, extensions={"trace": line.see}) as answer,
            ):
                if not answer.is_success:
                    raise Unavailable(f"the webhook at {_host(url)} answered {answer.status_code}", _HINT)
                return _read(answer, url)
        finally:
            cut.cancel()


class _Line:
    """The connection of one call: looked at before anything is sent, and cut when its time is over."""

    def __init__(self) -> None:
        self._streams: list[Any] = []

    def see(self, event: str, told: Mapping[str, Any]) -> None:
        stream = told.get("return_value")
        if stream is None or not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        self._streams.append(stream)
        check_peer(str(stream.get_extra_info("server_addr")[0]))

    def cut(self) -> None:
        for stream in self._streams:
            with suppress(OSError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def check_peer(peer: str) -> None:
    """Invalid where a name leads to an address of the cloud machine itself, whoever allowed the name."""
    address = ip_address(peer.partition("%")[0])
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise Invalid("the webhook's name leads to an address that belongs to the machine itself", _LIST)


def origins(text: str) -> tuple[str, ...]:
    """The setting: origins with commas. Invalid for one that is no https, unless it is on this machine."""
    found = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        origin = _origin(one)
        bare = one.rstrip("/") == origin
        parts = urlsplit(origin)
        if not origin or not bare or not (parts.scheme == "https" or _at_home(parts.hostname or "")):
            raise Invalid(
                f"CUELIGHT_GRADER_WEBHOOKS has {one[:80]!r}, which is no origin",
                "give ones like https://graders.example.org",
            )
        found.append(origin)
    return tuple(found)


def _origin(url: str) -> str:
    """`https://host:port` of a whole address; empty for anything else, and for one with a name or password in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or not url.isascii():
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def _read(answer: httpx2.Response, url: str) -> bytes:
    body = b""
    for piece in answer.iter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise Unavailable(f"the webhook at {_host(url)} answered with more than {MOST_BYTES // 1024} kB", _HINT)
    return body


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "that address")[:100]
    except ValueError:
        return "that address"


def _at_home(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
