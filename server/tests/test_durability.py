"""A real server that is killed, starved of disk, or shut out of its files: all or nothing, and it goes on afterwards."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from cuelight.files import read_folder
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.push import push
from cuelight_server.control.releases import release
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from server.tests.pushing import rows, size
from server.tests.releasing import ENGINEER, PROMPT, evaluate, prepare, who

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "client/src/cuelight/cli/examples/minimal"
BOOK = {"prompt": PROMPT, "environment": "staging"}

# The server as `cuelight-server serve` starts it, which dies at a chosen write, or before or after a commit.
SERVER = """
import os, resource, signal, sys
from pathlib import Path
from sqlalchemy import event
from cuelight_server import app
from cuelight_server.control.opening import open_desk
from cuelight_server.providers import build

folder, at, table, most = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
desk = open_desk(folder)
writes = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(desk.registry, "before_cursor_execute")
def count(_c, _k, statement, *_):
    global writes
    if statement.split()[0].upper() in ("INSERT", "UPDATE", "DELETE") and table in statement:
        writes += 1
        if at == str(writes):
            die()

@event.listens_for(desk.registry, "commit")
def committing(_c):
    if writes and at == "commit":
        die()

@event.listens_for(desk.registry, "checkin")
def committed(*_):
    if writes and at == "answer":
        die()

def ready(url):
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    print(url, flush=True)

app.serve(desk, port=0, providers=build(openai_base_url="http://127.0.0.1:9", openai_key=None), listening=ready)
"""


@contextmanager
def server(folder, at="never", table="", most=0):
    """Its URL; killed in the end, if it is not dead already."""
    paths = f"{ROOT / 'client/src'}:{ROOT / 'server/src'}:{ROOT}"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), at, table, str(most)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.wait(10)


def post(url, address, body, person=ENGINEER, **headers):
    """The response; None where the server went away."""
    try:
        return httpx2.post(
            f"{url}/api/v1/{address}",
            json=body,
            headers={"Cuelight-As": person, **headers},
            timeout=30,
            trust_env=False,
        )
    except httpx2.TransportError:
        return None


def state(folder):
    """Every row, the length of the log, and what `verify` finds."""
    desk = open_desk(folder)
    try:
        assert verify_desk(desk).problems == ()
        return rows(desk), size(desk)
    finally:
        desk.close()


@pytest.fixture
def folder(tmp_path):
    """v1 serves in staging; v2 could. A demo desk, so that people go by name."""
    made = tmp_path / "desk"
    desk = create_desk(made, demo=True)
    prepare(desk)
    for label in ("v1", "v2"):
        evaluate(desk, label)
    release(desk, who(desk, ENGINEER), PROMPT, "v1", "staging")
    desk.close()
    return made


REQUESTS = {
    "push": ("push", {"bundle": read_folder(MINIMAL).bundle}),
    "release": ("releases", {**BOOK, "label": "v2"}),
    "rollback": ("rollbacks", {**BOOK, "why": "bad"}),
}


@pytest.mark.parametrize("what", REQUESTS)
def test_a_server_killed_at_any_commit_point_leaves_all_or_nothing_and_goes_on(folder, what):
    address, body = REQUESTS[what]
    before = state(folder)
    for at in ("1", "2", "5", "commit"):
        with server(folder, at) as (url, process):
            assert post(url, address, body, **{"Idempotency-Key": "k-1"}) is None
            assert process.wait(10) == -signal.SIGKILL
        assert state(folder) == before, f"killed at {at}"
    with server(folder, "answer") as (url, process):
        assert post(url, address, body, **{"Idempotency-Key": "k-1"}) is None, "done, and nobody was told"
        assert process.wait(10) == -signal.SIGKILL
    done = state(folder)
    assert done != before
    with server(folder) as (url, _):
        answer = post(url, address, body, **{"Idempotency-Key": "k-1"})
        assert answer.status_code == 200, answer.text
    assert state(folder) == done, "asked again, it is not done again"


@pytest.mark.parametrize("at", ["1", "commit"])
def test_an_evaluation_that_a_kill_left_behind_is_taken_up_again_and_counted_once(tmp_path, at):
    folder = tmp_path / "desk"
    create_desk(folder, demo=True, admin=("local", "you")).close()
    desk = open_desk(folder)
    push(desk, who(desk, "local"), read_folder(MINIMAL).bundle)
    desk.close()
    with server(folder, at, "evaluation_result") as (url, process):
        owner = read_folder(MINIMAL).bundle["workflow"]["owners"]["workflow_owner"]["person"]
        post(url, "evaluations", {"prompt": "newsletter.subject_line", "label": "v1"}, owner)
        assert process.wait(30) == -signal.SIGKILL
    desk = open_desk(folder)
    with reading(desk.registry) as sql:
        (left,) = sql.execute(select(schema.evaluation.c.id, schema.evaluation.c.state)).all()
    assert left.state == "running"
    with server(folder):
        end = time.monotonic() + 30
        while True:
            with reading(desk.registry) as sql:
                now = sql.execute(select(schema.evaluation)).one()
            if now.state in ("done", "error"):
                break
            assert time.monotonic() < end
            time.sleep(0.1)
    with reading(desk.registry) as sql:
        count = sql.scalar(select(func.count()).select_from(schema.evaluation_result))
    desk.close()
    assert (now.state, now.id, now.done, count) == ("done", left.id, now.total, now.total)


def test_a_full_disk_is_said_and_nothing_is_half_written(folder):
    before = state(folder)
    with server(folder, most=40 * 1024) as (url, _):  # no file of this process may grow above 40 KB
        bundle = read_folder(MINIMAL).bundle
        refused = post(url, "push", {"bundle": bundle})
        assert refused.status_code == 503
        assert "disk" in refused.json()["error"]["message"]
        assert refused.json()["error"]["hint"]
    assert state(folder) == before
    with server(folder) as (url, _):
        assert post(url, "releases", {**BOOK, "label": "v2"}).status_code == 200


def test_a_foreign_writer_makes_it_wait_then_say_so_and_nothing_is_lost_or_doubled(folder):
    before = state(folder)
    with server(folder) as (url, _):
        foreign = sqlite3.connect(folder / "registry.db", isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        refused = post(url, "releases", {**BOOK, "label": "v2"}, **{"Idempotency-Key": "k-1"})
        assert refused.status_code == 503
        assert "busy with another writer" in refused.json()["error"]["message"]
        foreign.execute("ROLLBACK")
        foreign.close()
        assert state(folder) == before
        assert post(url, "releases", {**BOOK, "label": "v2"}, **{"Idempotency-Key": "k-1"}).status_code == 200
    assert state(folder)[1] == before[1] + 1


def test_a_folder_that_became_read_only_still_serves_and_says_why_it_cannot_change(folder):
    before = state(folder)
    with server(folder) as (url, _):
        with sqlite3.connect(folder / "registry.db") as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # As root no permission stands in the way, so the limit of the process does: it may write no byte at all.
        assert httpx2.get(f"{url}/api/v1/status", headers={"Cuelight-As": ENGINEER}, trust_env=False).status_code == 200
    with server(folder, most=1) as (url, _):
        refused = post(url, "releases", {**BOOK, "label": "v2"})
        assert refused.status_code == 503
        assert refused.json()["error"]["hint"]
        seen = httpx2.get(f"{url}/api/v1/status", headers={"Cuelight-As": ENGINEER}, trust_env=False)
        assert seen.json()["rows"][0]["prompt"] == PROMPT
    assert state(folder) == before
