"""PostgreSQL dies in the middle of COMMIT: nothing lost, nothing doubled, and whoever asks again gets the one answer."""

import socket
import threading
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from cuelight_server.app import build
from cuelight_server.control.access import issue_token
from cuelight_server.control.opening import create_desk
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import Databases
from cuelight_server.db.transactions import Intent, intent_of
from cuelight_server.kernel.actor import SYSTEM
from server.tests.postgres import durable, programs
from server.tests.pushing import lines, size
from server.tests.releasing import ENGINEER, PROMPT, evaluate, live, prepare

RELEASE = {"prompt": PROMPT, "label": "v1", "environment": "staging"}


class Wire:
    """Between the desk and its database: passes everything on until it is told to `cut` at the next COMMIT."""

    def __init__(self, server) -> None:
        self.server, self.cut = server, ""
        self.swallow, self.answered, self.back = False, threading.Event(), threading.Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = server.url.replace(f":{server.port}/", f":{self.door.getsockname()[1]}/")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self.door.accept()
                with suppress(OSError):
                    far = socket.create_connection(("127.0.0.1", self.server.port))
                    threading.Thread(target=self._ask, args=(near, far), daemon=True).start()
                    threading.Thread(target=self._answer, args=(far, near), daemon=True).start()

    def _ask(self, near, far):
        with suppress(OSError):
            while part := near.recv(65536):
                if self.cut and b"COMMIT" in part:
                    self._crash(far, part)
                    break
                far.sendall(part)
        hang_up(near, far)

    def _answer(self, far, near):
        with suppress(OSError):
            while part := far.recv(65536):
                if self.swallow:
                    self.answered.set()
                    break
                near.sendall(part)
        if not self.swallow:
            hang_up(near, far)

    def _crash(self, far, part):
        """`before`: the COMMIT never arrives. `after`: it is done and on disk, and nobody is told."""
        if self.cut == "after":
            self.swallow = True
            far.sendall(part)
            assert self.answered.wait(10)
        self.cut, self.swallow = "", False
        self.server.crash()
        self.server.start()
        self.back.set()


def at_the_first_governed(do):
    """What SQLAlchemy calls before a COMMIT goes out: `do`, once, where the transaction is a governed one."""
    left = [do]

    def committing(sql):
        if intent_of(sql) is Intent.WRITE and left:
            left.pop()()

    return committing


def hang_up(*both):
    for one in both:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.fixture
def wire():
    """A server that keeps what it promised, and the wire to it."""
    if programs() is None:
        pytest.skip("no PostgreSQL here; as root, server/tests/get_postgres.sh brings it")
    with durable(fsync="on", synchronous_commit="on", full_page_writes="on") as server:
        made = Wire(server)
        yield made
        made.door.close()


@pytest.fixture
def desk(wire, tmp_path):
    """v1 could go to staging; every statement goes over the wire."""
    with psycopg.connect(wire.server.url, autocommit=True) as raw:
        raw.execute("DROP SCHEMA IF EXISTS desk CASCADE")
        raw.execute("CREATE SCHEMA desk")
    url = wire.url.replace("postgresql:", "postgresql+psycopg:") + "&options=-csearch_path%3Ddesk"
    made = create_desk(tmp_path / "desk", databases=Databases(registry=url, calls=url))
    prepare(made)
    evaluate(made, "v1")
    yield made
    made.close()


@pytest.mark.parametrize(("cut", "stored"), [("before", 0), ("after", 1)])
def test_postgresql_restarts_in_the_middle_of_commit_and_asking_again_gets_one_release(wire, desk, cut, stored):
    token, before = issue_token(desk, SYSTEM, ENGINEER), size(desk)
    with TestClient(build(desk, worker=False), raise_server_exceptions=False) as client:

        def ask():
            who = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k-1"}
            return client.post("/api/v1/releases", json=RELEASE, headers=who)

        event.listen(desk.registry, "commit", at_the_first_governed(lambda: setattr(wire, "cut", cut)))
        broken = ask()
        assert broken.status_code == 503, broken.text
        assert wire.back.wait(30)
        assert "whether the last change was stored is open" in broken.json()["error"]["hint"]
        assert len(lines(desk, before)) == stored, "all of it or nothing"
        assert (live(desk, "staging") == 1) is bool(stored)
        assert verify_desk(desk).problems == ()
        again = ask()
        assert (again.status_code, again.json()["snapshot_version"]) == (200, 1)
        assert ask().json() == again.json()
    assert lines(desk, before) == [("release.open", f"{PROMPT}@v1")]
    assert verify_desk(desk).problems == ()
