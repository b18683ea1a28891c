"""A small real server of the three runtime doors that can be told to misbehave, and documents to serve from it."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cuelight.client import Client
from cuelight.contract import content
from cuelight.contract.canonical import canonical, digest, digest_bytes

KEY = "cue_production_0123456789abcdef_" + "0" * 64 + "_0123abcd"
PROMPT = "sales.lead"


def prompt_content(text="v1: {{lead}}", **parts):
    """A prompt that gives JSON and may retry once."""
    return content.parse(
        {
            "messages": [{"role": "user", "content": text}],
            "variables": [{"name": "lead", "type": "string", "trust": "internal"}],
            "settings": {"model": "example-1", "temperature": 0},
            "output": {
                "schema": {"type": "object", "required": ["fit"], "properties": {"fit": {"type": "number"}}},
                "on_invalid": [{"retry": 1, "with_error": True}, {"person": "sales desk"}],
            },
            "tools": [{"name": "crm.update", "mode": "may_execute"}],
            "evaluation": {"suite": "none", "gate": {"min_pass_rate": 1}},
            **parts,
        }
    )


AUTHORITY = {
    "actions": [
        {
            "action": "crm.update",
            "mode": "may_execute",
            "condition": {"path": "fit", "at_least": 0.9},
            "limit_per_task": 1,
        },
        {"action": "email.draft", "mode": "may_prepare"},
        {"action": "email.send", "mode": "needs_human_approval", "approver": "sales lead"},
    ]
}


def document(version=1, text="v1: {{lead}}", trace=None, **changes):
    """A snapshot that serves v1 of one prompt to everyone; `trace` is the policy on keeping, full if None."""
    made = prompt_content(text)
    deployment = {"weights": [["v1", 100_000]], "seed": "rel_1", "algorithm": "b1", "release": "rel_1", "kill": None}
    deployment |= {"authority": digest(AUTHORITY), "trace": {"content": "full"} if trace is None else trace}
    return {
        "format": "cuelight/snapshot@1",
        "environment": "production",
        "epoch": "epoch-1",
        "version": version,
        "versions": {PROMPT: {"v1": {"digest": made.digest, "content": made.to_json()}}},
        "deployments": {PROMPT: {"": deployment}},
        "authorities": {digest(AUTHORITY): AUTHORITY},
        **changes,
    }


class Sockets(ThreadingHTTPServer):
    """Does not complain when a client has gone."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """The doors on a real socket. Set `status`, `body`, `etag` or `delay` to misbehave; look at `calls`, `acks`, `seen`."""

    def __init__(self):
        self.calls, self.acks, self.seen = [], [], []
        self.status = self.body = self.etag = None
        self.delay = 0.0
        self.publish(document())
        self._http = None
        self.port = 0
        self.start()

    def publish(self, new):
        self.served = canonical(new)
        self.digest = digest_bytes(self.served)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Listen, on the same port as before."""
        self._http = Sockets(("127.0.0.1", self.port), self._doors())
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """Refuse connections."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def _doors(self):
        server = self

        class Doors(BaseHTTPRequestHandler):
            def answer(self, status, body=b"", etag=""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                if etag:
                    self.send_header("ETag", f'"{etag}"')
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                asked = (self.headers.get("If-None-Match") or "").strip('"')
                server.seen.append((self.headers.get("Authorization"), asked))
                time.sleep(server.delay)
                if server.status:
                    return self.answer(server.status, b"<html>no</html>")
                if asked == server.digest and server.body is None:
                    return self.answer(304, etag=server.digest)
                return self.answer(
                    200, server.served if server.body is None else server.body, server.etag or server.digest
                )

            def do_POST(self):
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(server.delay)
                if server.status:
                    return self.answer(server.status)
                if self.path == "/runtime/v1/acks":
                    server.acks.append(sent)
                elif any(call.get("prompt") == "poison" for call in sent["calls"]):
                    return self.answer(422)
                else:
                    server.calls.extend(sent["calls"])
                return self.answer(200, b"{}")

            def log_message(self, *_):
                """Quiet."""

        return Doors


def until(true, seconds=8.0):
    """Wait until something is so; fail where it does not come to be."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


@pytest.fixture
def server():
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def open_client(server, tmp_path):
    """A function that opens a client of the server; all are closed in the end."""
    opened = []

    def make(**settings):
        settings = {"cache_dir": tmp_path / "cache", "refresh_seconds": 0.05, "app": "test", **settings}
        client = Client(server.url, KEY, **settings)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close(0.2)


@pytest.fixture
def tools():
    """What the test files share: importlib mode has no module path between them."""
    return type(
        "Tools",
        (),
        {
            "until": staticmethod(until),
            "document": staticmethod(document),
            "KEY": KEY,
            "PROMPT": PROMPT,
            "prompt_content": staticmethod(prompt_content),
        },
    )
