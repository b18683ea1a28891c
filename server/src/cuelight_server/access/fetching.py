"""Asking an issuer over HTTP under limits: https, no redirects, so many bytes, so many seconds in all, a few at once."""

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx2

from cuelight_server.kernel.errors import Invalid, Unavailable

MOST_BYTES = 256 * 1024
AT_ONCE = 8
_DOWN = "try again in a moment; if it stays so, tell an administrator"


class Refused(Unavailable):
    """The other side answered, and did not do it; `error` is its word from a short list, or nothing."""


def check_address(address: str, *, plain_at_home: bool) -> str:
    """The address, if it is one to ask: https, or plain http to this machine where that is allowed. Invalid otherwise."""
    parts = urlsplit("")
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment and parts.port != 0
    except ValueError:
        good = False
    if not good or len(address) > 2000 or not address.isascii() or not address.isprintable() or " " in address:
        raise Invalid(f"{address[:80]!r} is no address", "give one like https://login.example.org")
    if parts.scheme != "https" and not (parts.scheme == "http" and plain_at_home and _at_home(parts.hostname or "")):
        raise Invalid(f"{address[:80]} is not https", "keys and codes travel by https only")
    return address


class Fetching:
    """Asks for JSON. Unavailable where nothing useful comes within the limits."""

    def __init__(self, *, plain_at_home: bool = False, most_s: float = 8.0, silent_s: float = 4.0) -> None:
        """`most_s` is how long one answer may take in all, `silent_s` how long one waits for the next piece of it."""
        self.plain_at_home = plain_at_home
        self._most_s, self._silent_s = most_s, silent_s
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def get(self, address: str, *, bearer: str | None = None) -> dict[str, Any]:
        """The JSON object at that address."""
        return self._ask("GET", address, headers={"Authorization": f"Bearer {bearer}"} if bearer else {})

    def post(self, address: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> dict[str, Any]:
        """The JSON object that a form is answered with; id and secret are packed as RFC 6749 2.3.1 asks for."""
        auth = httpx2.BasicAuth(*(quote_plus(one) for one in basic)) if basic else None
        return self._ask("POST", address, data=dict(form), auth=auth)

    def _ask(self, method: str, address: str, **request: Any) -> dict[str, Any]:
        check_address(address, plain_at_home=self.plain_at_home)
        if not self._turns.acquire(timeout=self._silent_s):
            raise Unavailable("too many are signing in at once", _DOWN)
        try:
            status, body = self._answer(method, address, request)
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as bad:
            raise Unavailable(f"{_host(address)} does not answer ({type(bad).__name__})", _DOWN) from bad
        finally:
            self._turns.release()
        found = _object(body)
        if status != 200:
            raise Refused(f"{_host(address)} refused ({status})", _DOWN, status=status, error=_word(found))
        if found is None:
            raise Unavailable(f"{_host(address)} answers with something that is no JSON object", _DOWN)
        return found

    def _answer(self, method: str, address: str, request: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body. A timer cuts the connection: a server that sends a byte now and then does not hold a thread."""
        streams: list[Any] = []

        def see(event: str, told: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")) and told.get("return_value"):
                streams.append(told["return_value"])

        cut = threading.Timer(self._most_s, _cut, [streams])
        cut.daemon = True
        cut.start()
        try:
            with (
                self._client(address) as http,
                http.stream(method, address, extensions={"trace": see}, **_sent(request)) as response,
            ):
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise Unavailable(f"{_host(address)} packs its answer, though nobody asked for it", _DOWN)
                return response.status_code, _read(response, address)
        finally:
            cut.cancel()

    def _client(self, address: str) -> httpx2.Client:
        return httpx2.Client(
            follow_redirects=False,
            timeout=httpx2.Timeout(self._silent_s),
            trust_env=not _at_home(urlsplit(address).hostname or ""),  # a proxy never stands before this machine
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "cuelight"},
        )


def _sent(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value is not None}


def _read(response: httpx2.Response, address: str) -> bytes:
    body = b""
    for piece in response.iter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise Unavailable(f"{_host(address)} answers with more than {MOST_BYTES // 1024} kB", _DOWN)
    return body


def _cut(streams: list[Any]) -> None:
    for stream in streams:
        with suppress(OSError):
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _word(found: Mapping[str, Any] | None) -> str:
    said = (found or {}).get("error")
    return said if isinstance(said, str) and len(said) <= 40 and said.replace("_", "").isalnum() else ""


def _host(address: str) -> str:
    return urlsplit(address).hostname or "the issuer"


def _at_home(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
