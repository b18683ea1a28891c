"""Promise 5: a rollback beats everything, needs no gate, works with the web down, and is one atomic switch."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from cuelight_server.control.access import disable_actor
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.triggers import drop_triggers
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict
from cuelight_server.routing import store as routing
from cuelight_server.views.runtime import current
from server.tests.releasing import (
    ENGINEER,
    OWNER,
    PROMPT,
    SUPPORT,
    document,
    evaluate,
    govern,
    live,
    prepare,
    suite,
    who,
)

ROOT = Path(__file__).parents[3]


def go_live(desk, label):
    evaluate(desk, label)
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, label)
    release(desk, who(desk, ENGINEER), PROMPT, label)


@pytest.fixture
def two(desk):
    prepare(desk, versions=3)
    for label in ("v1", "v2"):
        go_live(desk, label)
    return desk


def no_suite(desk):
    suite(desk, "more")


def a_failing_report_of_the_target(desk):
    evaluate(desk, "v1", "fail")


def a_workflow_that_asks_for_more(desk):
    govern(desk, document(tier="regulated", release={"approvals": ["risk_owner", "domain_expert"]}))


def every_approver_gone(desk):
    for one in (OWNER, ENGINEER):
        disable_actor(desk, SYSTEM, one)


def no_evaluation_at_all(desk):
    with transaction(desk.registry, Intent.WRITE) as sql:
        drop_triggers(sql, schema.registry)
        sql.exec_driver_sql("DELETE FROM evaluation")


@pytest.mark.parametrize(
    "trouble",
    [
        no_suite,
        a_failing_report_of_the_target,
        a_workflow_that_asks_for_more,
        every_approver_gone,
        no_evaluation_at_all,
    ],
)
def test_promise_5_no_gate_no_approver_and_no_evaluation_stands_in_the_way(two, trouble):
    trouble(two)
    assert roll_back(two, who(two, SUPPORT), PROMPT, why="bad").to == "v1"
    assert live(two) == 1


def test_promise_5_it_works_with_the_web_down(tmp_path, make_desk, open_again, databases):
    where = databases("desk")
    urls = {"CUELIGHT_DATABASE_URL": where.registry or "", "CUELIGHT_CALLS_URL": where.calls or ""}
    desk = make_desk()
    prepare(desk)
    for label in ("v1", "v2"):
        go_live(desk, label)
    desk.close()
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "cuelight_server.cli",
            "rollback",
            PROMPT,
            "--why",
            "bad",
            "--data",
            str(tmp_path / "desk"),
        ],
        env={**urls, "PYTHONPATH": f"{ROOT / 'client/src'}:{ROOT / 'server/src'}", "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "v2 -> v1" in run.stdout
    assert live(open_again()) == 1


def test_promise_5_it_is_one_switch_that_nobody_sees_half_done(two):
    seen: set[tuple[int | None, tuple[str, ...]]] = set()
    stop = threading.Event()

    def look():
        while not stop.is_set():
            with reading(two.registry) as sql:
                pointer = routing.served(sql, PROMPT, "production")
                newest = routing.snapshot(sql, "production", routing.version(sql, "production"))
            seen.add((pointer, tuple(json.loads(newest.body)["versions"][PROMPT])))

    readers = [threading.Thread(target=look) for _ in range(4)]
    for one in readers:
        one.start()
    roll_back(two, SYSTEM, PROMPT, why="bad")
    go_live(two, "v3")
    roll_back(two, SYSTEM, PROMPT, why="bad")
    stop.set()
    for one in readers:
        one.join()
    assert seen <= {(2, ("v2",)), (1, ("v1",)), (3, ("v3",))}
    assert (1, ("v1",)) in seen


def test_promise_5_a_rollback_wins_over_a_release_of_the_same_version_at_the_same_time(two):
    evaluate(two, "v3")
    for one in (OWNER, ENGINEER):
        approve(two, who(two, one), PROMPT, "v3")
    together = threading.Barrier(2)

    def again():
        together.wait()
        try:
            release(two, who(two, ENGINEER), PROMPT, "v2")
        except (Blocked, Conflict):
            return

    other = threading.Thread(target=again)
    other.start()
    together.wait()
    roll_back(two, SYSTEM, PROMPT, why="bad", from_label="v2")
    other.join()
    with pytest.raises(Blocked):
        release(two, who(two, ENGINEER), PROMPT, "v2")
    assert live(two) == 1


def test_promise_5_a_corrupt_report_does_not_stop_it(two):
    with transaction(two.registry, Intent.WRITE) as sql:
        drop_triggers(sql, schema.registry)
        sql.execute(update(schema.evaluation).values(report="{ not json"))
    roll_back(two, SYSTEM, PROMPT, why="bad")
    assert json.loads(current(two, "production").body)["deployments"][PROMPT][""]["weights"] == [["v1", 100_000]]
