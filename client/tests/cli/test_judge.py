"""`cuelight judge check`: a judge behind a socket, held against what people said, in words and exit codes."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cuelight.cli.judge import show_judges

SUITE = "suites/subject_line.yaml"
JUDGE = "judge: {provider: openai, model: m-judge}\n"
RUBRIC = "  - {type: llm-rubric, id: kind, severity: minor, value: Is it kind?}\n"


@contextmanager
def judging(say):
    """An endpoint that answers `say(what it was shown)`; yields its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = say(asked["messages"][-1]["content"])
            body = json.dumps({"model": "m-judge", "choices": [{"message": {"content": text}}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def verdict(shown):
    return json.dumps({"reason": "r", "pass": "rude" not in shown, "score": 1})


@pytest.fixture
def kind(minimal):
    """The smallest folder with a judge; returns it and a way to write labels."""
    text = (minimal / SUITE).read_text()
    (minimal / SUITE).write_text(text.replace("graders:\n", f"{JUDGE}graders:\n{RUBRIC}", 1))

    def label(*rows):
        lines = [{"grader": "kind", "case": "S01", "output": output, "passed": passed} for output, passed in rows]
        (minimal / "suites/subject_line.labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
        return minimal

    return label


def test_a_judge_that_agrees_with_people_may_be_leaned_on(run, kind, monkeypatch):
    folder = kind(*((f"fine {n}", True) for n in range(20)), *((f"rude {n}", False) for n in range(20)))
    with judging(verdict) as url:
        monkeypatch.setenv("CUELIGHT_OPENAI_BASE_URL", url)
        done = run("judge", "check", folder)
    assert done.code == 0
    assert "agrees with people in 40 of 40, kappa 1.00" in done.out
    assert "openai:m-judge, llm-rubric/1" in done.out


def test_a_judge_that_says_yes_to_everything_may_not(run, kind, monkeypatch):
    folder = kind(*((f"fine {n}", True) for n in range(20)), *((f"mean {n}", False) for n in range(20)))
    with judging(verdict) as url:
        monkeypatch.setenv("CUELIGHT_OPENAI_BASE_URL", url)
        done = run("judge", "check", folder, "--json")
    assert done.code == 10
    (entry,) = done.json
    assert (entry["agreement"]["kappa"], entry["agreement"]["true_fail_rate"]) == (0.0, 0.0)


def test_without_labels_or_words_nothing_can_be_said(run, kind, monkeypatch):
    with judging(lambda _: "hm") as url:
        monkeypatch.setenv("CUELIGHT_OPENAI_BASE_URL", url)
        done = run("judge", "check", kind())
    assert done.code == 11
    assert "no labels: nobody has checked this judge" in done.out
    assert "no word on" in done.out


def test_a_suite_without_a_judge_has_nothing_to_check(capsys):
    show_judges([])
    assert "no grader of this suite asks one" in capsys.readouterr().out
