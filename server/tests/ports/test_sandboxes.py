"""Other people's code runs for real here, and meets real limits: JavaScript in WebAssembly, Python as a process."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cuelight_server import sandboxes
from cuelight_server.app import reach
from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.sandboxes.python import BOUNDS

GIVEN = {"output": "hello", "context": {"vars": {"name": "Gwen"}}}
MAIN = "def main(output, context):\n    "


@pytest.fixture(scope="module")
def javascript():
    made = sandboxes.javascript()
    assert made is not None, "the extra `js` is not installed"
    return made


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("return output.length", 5),
        ("return context.vars.name === 'Gwen'", True),
        ("return {pass: true, score: 0.5, reason: 'é'}", {"pass": True, "score": 0.5, "reason": "é"}),
        ("return NaN", None),
        ("return undefined", None),
        ("return () => 1", None),
        ("console.log('x'); return 1", 1),
        ("return typeof require + typeof process + typeof fetch + typeof WebAssembly", "undefined" * 4),
        ("return '\\u2028'", "\u2028"),
    ],
)
def test_javascript_gives_what_it_returns_and_reaches_nothing(javascript, code, value):
    assert javascript(code, GIVEN) == value


@pytest.mark.parametrize("code", ["throw new Error('boom')", "return JSON.parse(output)", "return", "retrun 1", "x ="])
def test_javascript_that_fails_by_itself_is_invalid(javascript, code):
    if code == "return":
        assert javascript(code, GIVEN) is None
        return
    with pytest.raises(Invalid) as failed:
        javascript(code, GIVEN)
    assert failed.value.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("while (true) {}", "longer than 1 s"),
        ("return /(a+)+$/.test('a'.repeat(40) + 'b')", "longer than 1 s"),
        ("return 'x'.repeat(1e9)", "more than 64 MB"),
        ("return new Array(1e8).fill(1).length", "more than 64 MB"),
        ("return (function f() { return f() + 1 })()", "limits"),
        ("return 'x'.repeat(2e6)", "more than 1000000 characters"),
        ("return Promise.resolve(true)", "a promise"),
    ],
)
def test_javascript_that_takes_too_much_is_stopped(javascript, code, words):
    began = time.monotonic()
    with pytest.raises(Unavailable, match=words):
        javascript(code, GIVEN)
    assert time.monotonic() - began < 6
    assert javascript("return 1", GIVEN) == 1


def test_one_javascript_leaves_nothing_for_the_next(javascript):
    javascript("globalThis.left = 1; Object.prototype.left = 1; return 1", GIVEN)
    assert javascript("return typeof left + typeof ({}).left", GIVEN) == "undefinedundefined"


def test_javascript_runs_in_many_threads(javascript):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: javascript(f"return {n} * 2", GIVEN), range(20))) == [n * 2 for n in range(20)]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (MAIN + "return len(output)", 5),
        (MAIN + "return context['vars']['name']", "Gwen"),
        ("def get_assert(output, context):\n    return {'pass': True, 'score': 1}", {"pass": True, "score": 1}),
        (MAIN + "print('noise'); return True", True),
        (MAIN + "import re, statistics; return bool(re.search('l+', output))", True),
        (MAIN + "open('mine', 'w').write('x'); return True", True),
    ],
)
def test_python_gives_what_it_returns(code, value):
    assert sandboxes.python(code, GIVEN) == value


def test_python_sees_an_empty_environment_and_an_empty_folder(monkeypatch):
    monkeypatch.setenv("CUELIGHT_OPENAI_KEY", "sk-secret")
    seen = sandboxes.python(MAIN + "import os; return [dict(os.environ), sorted(os.listdir('.')), os.getcwd()]", GIVEN)
    assert set(seen[0]) == {"PATH", "LANG", "HOME", "TMPDIR"}
    assert "sk-secret" not in json.dumps(seen)
    assert not os.path.exists(seen[2])  # noqa: PTH110  a path of the child's


@pytest.mark.parametrize(
    "act",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 0)",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
        "open('/etc/cuelight-was-here', 'w')",
        "1 / 0",
        "raise SystemExit(0)",
        "return float('nan')",
    ],
)
def test_python_that_does_what_it_may_not_or_fails_is_invalid(act):
    with pytest.raises(Invalid):
        sandboxes.python(MAIN + act, GIVEN)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("while True: pass", "of CPU|longer than 3 s"),
        ("import time; time.sleep(60)", "longer than 3 s"),
        ("x = [bytearray(10**7) for _ in range(10**6)]", "more than 512 MB"),
        ("import os\n    while True: os.write(1, b'x' * 100000)", "did not come to an end"),
    ],
)
def test_python_that_takes_too_much_is_stopped(act, words):
    began = time.monotonic()
    with pytest.raises(Unavailable, match=words):
        sandboxes.python(MAIN + act, GIVEN, replace(BOUNDS, seconds=3))  # start-up costs CPU, too
    assert time.monotonic() - began < 6


def test_a_transform_is_what_the_grader_then_looks_at(javascript):
    outside = Outside(javascript=javascript, python=sandboxes.python)
    rules = [
        {"type": "equals", "value": "HELLO", "transform": "output.toUpperCase()"},
        {"type": "equals", "value": 5, "transform": "python: len(output)"},
        {"type": "contains", "value": "b", "path": "a", "transform": "output[1]"},
        {"type": "contains", "value": "x", "transform": "output.nothing.there"},
    ]
    made = tuple(prepare({"severity": "major", **rule}, None, outside) for rule in rules)
    words = [
        grade((one,), read(text, input={}))[0]
        for one, text in zip(made, ["hello", "hello", '{"a": ["a", "b"]}', "x"], strict=True)
    ]
    assert [one.passed for one in words] == [True, True, True, False]
    assert words[3].message.startswith("the transform failed: TypeError")


def test_python_is_off_until_an_operator_allows_it():
    assert reach().python is None
    assert reach(python=True).python is sandboxes.python
    assert reach().javascript is not None
