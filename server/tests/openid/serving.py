"""A desk on a real socket, in this process, with a provider to sign in at."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn

from cuelight_server.access.fetching import Fetching
from cuelight_server.access.issuers import Issuers
from cuelight_server.access.oidc import Provider
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.app import Front, build
from cuelight_server.control.desk import Desk


class Seconds:
    """A clock that goes forward when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Served:
    """Where the desk is, and the clock by which it keeps what issuers said."""

    desk: Desk
    url: str
    seconds: Seconds

    @property
    def callback(self) -> str:
        return f"{self.url}/signin/oidc/callback"

    def browser(self, **more: Any) -> httpx2.Client:
        """A browser with nobody signed in."""
        return httpx2.Client(**{"follow_redirects": True, "trust_env": False, "timeout": 20, **more})


@contextmanager
def serving(desk: Desk, provider: dict[str, Any] | None = None, *, port: int = 0, **front: Any) -> Iterator[Served]:
    """The desk at http://localhost until the end of the block; `provider` is what it knows of its provider."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    url, seconds = f"http://localhost:{door.getsockname()[1]}", Seconds()
    issuers = Issuers(Fetching(plain_at_home=True, most_s=2.0, silent_s=1.0), seconds)
    made = Front(
        public_url=url,
        passwords=QuickPasswords(),
        provider=Provider(**provider) if provider else None,
        issuers=issuers,
        **front,
    )
    app = build(desk, worker=False, front=made)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1))
    running = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    running.start()
    try:
        with httpx2.Client(trust_env=False, transport=httpx2.HTTPTransport(retries=20)) as http:
            http.get(f"{url}/healthz")
        yield Served(desk, url, seconds)
    finally:
        server.should_exit = True
        running.join(10)
        door.close()
