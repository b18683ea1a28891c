"""Many at once, and a process that dies in the middle: releases and rollbacks are all or nothing, one after the other."""

import itertools
import json
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from cuelight.contract.snapshot import parse
from cuelight_server.control.opening import open_desk
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, NotFound, Unavailable
from cuelight_server.routing import store as routing
from cuelight_server.views.runtime import current
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who

ROOT = Path(__file__).parents[3]


def everything(desk):
    """All rows that a release or a rollback writes, as one comparable value."""
    tables = (schema.deployment, schema.environment, schema.snapshot, schema.release, schema.audit_event)
    with reading(desk.registry) as sql:
        return [sorted(map(repr, sql.execute(select(table)))) for table in tables]


def patient(step):
    """What the step gives, asked again while others are in front of it; how long each of them takes is the machine's.

    A governed transaction waits for its turn no longer than 5 seconds. Forty in a row may take more, and who gave up has
    changed nothing. That nobody ever comes through still fails: after so many times.
    """
    for _ in range(60):
        with suppress(Unavailable):
            return step()
    raise AssertionError("the row never moved")


def test_forty_threads_never_publish_the_same_version_and_the_pointer_is_the_last_committed(desk):
    prepare(desk, versions=12)

    def one(number: int) -> str:
        label = f"v{number % 12 + 1}"
        try:
            if number % 4 == 3:
                patient(lambda: roll_back(desk, SYSTEM, PROMPT, why="bad"))
                return "back"
            patient(lambda: evaluate(desk, label))
            patient(lambda: release(desk, who(desk, ENGINEER), PROMPT, label, "staging"))
        except (Blocked, Conflict):
            return "refused"
        except NotFound:
            return "never released"
        return "released"

    with ThreadPoolExecutor(40) as crowd:
        outcomes = list(crowd.map(one, range(80)))
    with reading(desk.registry) as sql:
        versions = list(
            sql.scalars(
                select(schema.snapshot.c.version)
                .where(schema.snapshot.c.environment == "staging")
                .order_by(schema.snapshot.c.version)
            )
        )
        now = routing.deployment(sql, PROMPT, "staging")
        lines = list(sql.scalars(select(schema.audit_event.c.body).order_by(schema.audit_event.c.seq)))
    assert outcomes.count("released") >= 5, outcomes
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) == outcomes.count("released")
    last = [one for one in map(json.loads, lines) if one["verb"] == "release.open"][-1]
    assert last["facts"]["id"] == now.release
    assert parse(json.loads(current(desk, "staging").body)).resolve(PROMPT).release == now.release


def test_releases_and_rollbacks_at_once_leave_one_consistent_end(desk):
    prepare(desk, versions=10)
    numbers = itertools.count(1)

    def one(_: int) -> str:
        try:
            number = next(numbers)
            if number % 2 == 0:
                back = patient(lambda: roll_back(desk, SYSTEM, PROMPT, "staging", why="bad"))
                return "noop" if back.no_op else "back"
            label = f"v{number % 10 + 1}"
            patient(lambda: evaluate(desk, label))
            patient(lambda: release(desk, who(desk, ENGINEER), PROMPT, label, "staging"))
        except (Blocked, Conflict):
            return "refused"
        except NotFound:
            return "never released"
        return "released"

    with ThreadPoolExecutor(20) as crowd:
        outcomes = list(crowd.map(one, range(40)))
    assert set(outcomes) <= {"noop", "back", "refused", "released", "never released"}, outcomes
    assert damage(desk) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from cuelight_server.control.opening import open_desk
from cuelight_server.control import releases
from cuelight_server.db.engine import Databases
from server.tests.releasing import ENGINEER, PROMPT, who

folder, what, at, url = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] or None
desk = open_desk(folder, databases=Databases(registry=url, calls=url))
actor = who(desk, ENGINEER)
writes = 0

@event.listens_for(desk.registry, "before_cursor_execute")
def count(_c, _k, statement, *_):
    global writes
    if statement.split()[0].upper() in ("INSERT", "UPDATE", "DELETE"):
        writes += 1
        if writes == at:
            os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(desk.registry, "commit")
def committing(_c):
    global writes
    if writes and at == 0:
        os.kill(os.getpid(), signal.SIGKILL)

if what == "release":
    releases.release(desk, actor, PROMPT, "v2")
else:
    releases.roll_back(desk, actor, PROMPT, why="bad")
print(writes)
"""


def run_killed(folder: Path, what: str, at: int, url: str | None) -> "subprocess.CompletedProcess[str]":
    paths = f"{ROOT / 'client/src'}:{ROOT / 'server/src'}:{ROOT}"
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), what, str(at), url or ""],
        env={"PYTHONPATH": paths, "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("what", ["release", "rollback"])
def test_a_process_killed_between_any_two_writes_leaves_all_or_nothing(tmp_path, make_desk, databases, what):
    folder, where = tmp_path / "desk", databases("desk")
    desk = make_desk("desk")
    prepare(desk)
    for label in ("v1", "v2"):
        evaluate(desk, label)
        for person in (OWNER, ENGINEER):
            approve(desk, who(desk, person), PROMPT, label)
        if label == "v1" or what == "rollback":
            release(desk, who(desk, ENGINEER), PROMPT, label)
    before = everything(desk)
    desk.close()

    at = 0
    while True:
        run = run_killed(folder, what, at, where.registry)
        again = open_desk(folder, databases=where)
        now = everything(again)
        sound = damage(again)
        again.close()
        assert sound == []
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
        assert now == before, f"killed at write {at}"
        at += 1
    assert at == int(run.stdout) + 1  # every write was tried, and the moment before the commit
    assert now != before


def damage(desk):
    """What `verify` finds, but for what this test wrote past the door, which no line of the log tells of."""
    past_the_door = ("version", "workflow", "prompt ", "suite ", "evaluation ")
    return [one for one in verify_desk(desk).problems if not one.startswith(past_the_door)]
