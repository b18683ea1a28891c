"""What an issuer says of itself, and its keys: fetched when they are needed, kept for a while, never believed further."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight_server.access.fetching import Fetching, check_address
from cuelight_server.access.jose import MOST_KEYS, has_key, unverified, verified
from cuelight_server.kernel.errors import Invalid, Unavailable

KEPT_S = 600.0  # a key that the issuer takes back is believed no longer than this
AGAIN_S = 30.0  # between two looks for a key that is not there: a stranger's token costs the issuer nothing
FAILED_S = 3.0  # an issuer that did not answer is left alone for so long
_MOST_ISSUERS = 200
_WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of a discovery document; an endpoint that there is not is ""."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    basic: bool  # whether the secret goes into a header, else into the form
    names_itself: bool  # whether it says its name with the code (RFC 9207)


@dataclass(slots=True)
class _Held:
    """What is kept of one issuer; times are seconds of a clock that only goes forward."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    metadata: Metadata | None = None
    keys: tuple[Mapping[str, Any], ...] = ()
    at: float = 0.0
    looked: float = 0.0
    failed: Unavailable | None = None
    failed_at: float = 0.0


class Issuers:
    """The issuers that somebody here trusts; nobody else's address is ever asked."""

    def __init__(self, fetching: Fetching, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is a clock that only goes forward."""
        self.fetching = fetching
        self._seconds = seconds
        self._held: dict[str, _Held] = {}
        self._turn = threading.Lock()

    def metadata(self, issuer: str) -> Metadata:
        """What the issuer says of itself. Unavailable where it does not answer, or says it is somebody else."""
        held = self._of(issuer)
        with _Turn(held.turn):
            return self._fresh(issuer, held)

    def claims(self, issuer: str, token: str) -> dict[str, Any]:
        """The claims of a token that this issuer signed; for an unknown key its keys are looked at once more.

        Unfit where it did not, Unavailable where nobody can say.
        """
        header, _ = unverified(token)
        held = self._of(issuer)
        with _Turn(held.turn):
            metadata = self._fresh(issuer, held)
            if not has_key(held.keys, header) and self._seconds() - held.looked >= AGAIN_S:
                self._look(held, metadata)
            keys = held.keys
        return verified(token, keys)

    def _of(self, issuer: str) -> _Held:
        with self._turn:
            if issuer not in self._held and len(self._held) >= _MOST_ISSUERS:
                self._held.clear()
            return self._held.setdefault(issuer, _Held())

    def _fresh(self, issuer: str, held: _Held) -> Metadata:
        now = self._seconds()
        if held.metadata is not None and now - held.at < KEPT_S:
            return held.metadata
        if held.failed is not None and now - held.failed_at < FAILED_S:
            raise Unavailable(held.failed.message, held.failed.hint)
        try:
            found = _metadata(issuer, self.fetching)
            self._look(held, found)
        except Unavailable as bad:
            held.failed, held.failed_at = bad, self._seconds()
            raise
        held.metadata, held.at, held.failed = found, self._seconds(), None
        return found

    def _look(self, held: _Held, metadata: Metadata) -> None:
        held.looked = self._seconds()
        keys = self.fetching.get(metadata.jwks_uri).get("keys")
        if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys) or len(keys) > MOST_KEYS:
            raise Unavailable(f"{metadata.issuer} shows no list of keys", "tell an administrator")
        held.keys = tuple(keys)


class _Turn:
    """One at a time, with patience that ends: who waits longer than an answer may take waits in vain."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=20.0):
            raise Unavailable("the issuer does not answer", "try again in a moment")

    def __exit__(self, *ended: object) -> None:
        self._lock.release()


def _metadata(issuer: str, fetching: Fetching) -> Metadata:
    """OpenID Connect Discovery 4.3: the document has to say exactly the issuer that was asked."""
    try:
        check_address(issuer, plain_at_home=fetching.plain_at_home)
        document = fetching.get(issuer.rstrip("/") + _WELL_KNOWN)
        if document.get("issuer") != issuer:
            raise Unavailable(
                f"who answers at {issuer} says that it is somebody else", "is the issuer written exactly so?"
            )
        found = {name: _endpoint(document, name, fetching) for name in _ENDPOINTS}
    except Invalid as bad:
        raise Unavailable(f"{issuer} cannot be asked: {bad.message}", bad.hint) from bad
    if not found["jwks_uri"]:
        raise Unavailable(f"{issuer} does not say where its keys are", "tell an administrator")
    ways = document.get("token_endpoint_auth_methods_supported")
    basic = not isinstance(ways, list) or "client_secret_basic" in ways
    names = document.get("authorization_response_iss_parameter_supported") is True
    return Metadata(issuer, **found, basic=basic, names_itself=names)


def _endpoint(document: Mapping[str, Any], name: str, fetching: Fetching) -> str:
    said = document.get(name)
    return check_address(said, plain_at_home=fetching.plain_at_home) if isinstance(said, str) else ""
