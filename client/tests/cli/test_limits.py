"""`cuelight eval` on a folder with a model behind a real socket: limits, what stands in, and what is told of it."""

import shutil
from pathlib import Path

import pytest

from cuelight.cli.running import duration, how_far
from server.tests.faulty import line

MINIMAL = Path(__file__).parents[2] / "src/cuelight/cli/examples/minimal"


@pytest.fixture
def model(monkeypatch):
    said = {"message": {"content": '{"subject": "News"}'}, "finish_reason": "stop"}
    body = {
        "model": "example-small-2026-06-01",
        "choices": [said],
        "usage": {"prompt_tokens": 5, "completion_tokens": 5},
    }
    with line((200, body)) as made:
        monkeypatch.setenv("CUELIGHT_OPENAI_BASE_URL", made.url)
        yield made


@pytest.fixture
def folder(tmp_path):
    there = tmp_path / "letters"
    shutil.copytree(MINIMAL, there)
    return there


def test_a_limit_of_calls_ends_a_run_on_a_folder(run, folder, model):
    done = run("eval", str(folder), "--provider", "openai", "--max-calls", "2", "--json")
    assert (done.code, len(model.asked)) == (11, 2)
    assert done.json["spend"]["limit"]["calls"] == 2
    assert "stopped at the limit of 2 calls" in done.json["why"][0]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"done": 1, "total": 9}, "1 of 9"),
        (
            {
                "done": 40,
                "total": 100,
                "spend": {"calls": 38, "cached": {"candidate": 2}, "retried": 1, "errors": 0, "usd": 0.0123},
                "left_s": 31.2,
            },
            "40 of 100 · 38 calls, 2 cached, 1 retried · $0.01230 · about 31 s left",
        ),
        (
            {"done": 1, "total": 2, "spend": {"calls": 1, "unpriced": 1, "usd": 0.0}},
            "1 of 2 · 1 call · cost unknown",
        ),
    ],
)
def test_the_line_tells_how_far_it_is_and_unknown_money_is_not_zero(now, words):
    assert how_far(now) == words


def test_a_time_is_told_in_what_one_can_grasp():
    assert (duration(30), duration(240)) == ("30 s", "4 min")
