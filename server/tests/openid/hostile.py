"""An issuer on a real socket that says whatever a test wants: wrong tokens, wrong documents, nothing, or far too much."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ALL = list(JWSRegistry.algorithms)


def rsa(bits: int = 2048) -> RSAKey:
    """A new RSA key with a name."""
    return _named(RSAKey.generate_key(bits))


def ec() -> ECKey:
    """A new P-256 key with a name."""
    return _named(ECKey.generate_key("P-256"))


def ed() -> OKPKey:
    """A new Ed25519 key with a name."""
    return _named(OKPKey.generate_key("Ed25519"))


def _named(key: Any) -> Any:
    key.ensure_kid()
    return key


def signed(claims: dict[str, Any], key: Any, alg: str = "RS256", **header: Any) -> str:
    """A token; `header` adds to it or, with None, takes away."""
    full = {"alg": alg, "kid": key.kid, **header}
    plain = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(plain, claims, key, registry=JWSRegistry(algorithms=ALL, strict_check_header=False))


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    """A token that nobody signed."""
    return f"{_packed({'alg': alg, 'typ': 'JWT'})}.{_packed(claims)}."


def with_secret(claims: dict[str, Any], key: RSAKey) -> str:
    """HS256 with the issuer's public key as the secret: what a careless verifier takes for good."""
    body = f"{_packed({'alg': 'HS256', 'kid': key.kid})}.{_packed(claims)}"
    made = hmac.digest(key.as_pem(private=False), body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def _packed(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Issuer:
    """Set `document`, `keys` and `token` to what it is to answer; `asked` is what it was asked, in order.

    Each may be a function of the request handler instead, which then answers by itself.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.key: Any = rsa()
        self.published: list[dict[str, Any]] | None = None
        self.more: dict[str, Any] = {}  # what the document says besides
        self.answers: dict[str, Any] = {}  # path -> JSON, or a function of the handler
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []

    @property
    def keys(self) -> list[dict[str, Any]]:
        return [self.key.as_dict(private=False)] if self.published is None else self.published

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **self.more,
        }

    def answer(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        found = self.answers.get(path)
        if callable(found):
            found(handler)
            return
        if found is None and path == "/.well-known/openid-configuration":
            found = self.document()
        if found is None and path == "/keys":
            found = {"keys": self.keys}
        say(handler, found if found is not None else {"error": "not_found"}, 200 if found is not None else 404)

    def times(self, path: str) -> int:
        """How often that was asked for."""
        return sum(1 for _, asked, _, _ in self.asked if asked == path)


def say(handler: BaseHTTPRequestHandler, value: Any, status: int = 200, **headers: str) -> None:
    """Answer with JSON, or with these very bytes."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    handler.send_response(status)
    for name, one in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), one)
    handler.end_headers()
    handler.wfile.write(body)


def silent(_: BaseHTTPRequestHandler) -> None:
    """Nothing, for longer than anybody waits."""
    time.sleep(3)


def drops(handler: BaseHTTPRequestHandler) -> None:
    """A header every half second, for ever: no single wait is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(60):
        try:
            handler.wfile.write(f"X-{number}: y\r\n".encode())
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.3)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without an end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b" " * 65536)
    except OSError:
        return


@contextmanager
def open_issuer() -> Iterator[Issuer]:
    """An issuer until the end of the block."""
    made: list[Issuer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            made[0].asked.append((self.command, path, body, dict(self.headers)))
            made[0].answer(self, path)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.append(Issuer(server.server_port))
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    running.start()
    try:
        yield made[0]
    finally:
        server.shutdown()
        server.server_close()


Answer = Callable[[BaseHTTPRequestHandler], None]
