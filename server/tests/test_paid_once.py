"""A worker is killed in the middle of a run and another goes on: counted at a real HTTP provider, nothing is paid twice.

What a call under way was asked for when the process died, nobody can know: at most that is asked again.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from cuelight.files import read_folder
from cuelight_server.control.evaluation import requeue, run_pending, start
from cuelight_server.control.lease import LEASE
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.push import push
from cuelight_server.evaluation.plan import Plan
from cuelight_server.kernel.clock import system_clock
from cuelight_server.providers import Pace, Rates, Remote, openai
from cuelight_server.views import evaluation as view
from server.tests.faulty import line
from server.tests.releasing import who

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "client/src/cuelight/cli/examples/minimal"
PROMPT = "newsletter.subject_line"
CASES, AT_ONCE = 60, 4
WORKER = """
import sys
from pathlib import Path
from cuelight_server.control.evaluation import run_pending
from cuelight_server.control.opening import open_desk
from cuelight_server.providers import Pace, Rates, Remote, openai
desk = open_desk(Path(sys.argv[1]))
run_pending(desk, {"openai": Remote(openai.FAMILY, sys.argv[2], None, pace=Pace(Rates(at_once=int(sys.argv[3]))))})
"""


def answer(_body):
    said = {"message": {"content": '{"subject": "News"}'}, "finish_reason": "stop"}
    return {"model": "m-1", "choices": [said], "usage": {"prompt_tokens": 5, "completion_tokens": 5}}


def bundle():
    made = dict(read_folder(MINIMAL).bundle)
    suite = made["suites"]["subject_line"]
    names = suite["cases"][0]["input"]
    cases = [
        {**suite["cases"][0], "id": f"N{n:03}", "input": {**names, next(iter(names)): f"story number {n:03}."}}
        for n in range(CASES)
    ]
    return {**made, "suites": {"subject_line": {**suite, "cases": cases, "expected_failures": []}}}


def provider(made):
    return {"openai": Remote(openai.FAMILY, made.url, None, pace=Pace(Rates(at_once=AT_ONCE)))}


def asked(made):
    """Story -> how often it was asked for."""
    return Counter(
        next(word for n in range(CASES) if (word := f"number {n:03}.") in str(body)) for *_, body in made.asked
    )


@pytest.mark.parametrize("plan", [Plan(), Plan(cache=False)], ids=["cache", "no cache"])
def test_after_kill_9_no_answer_is_paid_for_twice(tmp_path, plan):
    folder = tmp_path / "desk"
    desk = create_desk(folder, local=True, admin=("ada.moss", "Ada Moss"))
    push(desk, who(desk, "ada.moss"), bundle(), as_drafts=True)
    id = start(desk, who(desk, "ada.moss"), PROMPT, "v1", "openai", plan=plan)
    desk.close()
    with line((200, answer), delay_s=0.01) as made:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), made.url, str(AT_ONCE)],
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'client/src'}:{ROOT / 'server/src'}"},
        )
        until = time.monotonic() + 30
        while len(made.asked) < CASES // 2 and time.monotonic() < until:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        before = asked(made)
        assert CASES // 2 <= sum(before.values()) < CASES
        desk = open_desk(folder, clock=lambda: system_clock() + LEASE + timedelta(seconds=1))
        assert requeue(desk) == 1
        assert run_pending(desk, provider(made))
        after = asked(made)
    twice = {story: count for story, count in after.items() if count > 1}
    assert len(after) == CASES
    assert len(twice) <= AT_ONCE
    assert max(after.values()) <= 2
    seen = view.show(desk, id)
    assert (seen.line.state, seen.line.done, seen.report["cases"]) == ("done", CASES, CASES)
    desk.close()


def test_a_run_that_ends_in_order_pays_for_nothing_twice(tmp_path):
    desk = create_desk(tmp_path / "desk", local=True, admin=("ada.moss", "Ada Moss"))
    push(desk, who(desk, "ada.moss"), bundle(), as_drafts=True)
    start(desk, who(desk, "ada.moss"), PROMPT, "v1", "openai", plan=Plan(cache=False))
    with line((200, answer)) as made:
        for _ in range(2):
            run_pending(desk, provider(made), lambda: len(made.asked) > CASES // 3)
            assert len(made.asked) < CASES
        run_pending(desk, provider(made))
        assert set(asked(made).values()) == {1}
    desk.close()
