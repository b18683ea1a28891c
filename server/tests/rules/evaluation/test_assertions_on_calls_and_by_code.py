"""Assertions that look at what a call did, and those that are code: which answers of code are a word."""

import math

import pytest

from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.kernel.errors import Invalid, Unavailable
from server.tests.grading import word

TOOLS = (
    {"name": "search", "parameters": {"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}}},
)
SEARCH, BUY = {"name": "search", "arguments": {"q": "shoes", "page": 1}}, {"name": "buy", "arguments": '{"id": 7}'}


CALLS = [
    ({"type": "is-valid-function-call"}, [SEARCH], True),
    ({"type": "is-valid-openai-tools-call"}, [SEARCH, BUY], False),
    ({"type": "is-valid-openai-function-call"}, [{"name": "search", "arguments": "{}"}], False),
    ({"type": "is-valid-function-call"}, [{"name": "search", "arguments": "{broken"}], False),
    ({"type": "is-valid-function-call"}, [], False),
    ({"type": "tool-call-f1", "value": ["search", "buy"]}, [SEARCH, BUY], True),
    ({"type": "tool-call-f1", "value": "search, buy"}, [SEARCH], False),
    ({"type": "tool-call-f1", "value": "search, buy", "threshold": 0.6}, [SEARCH], True),
    ({"type": "trajectory:tool-used", "value": "search"}, [SEARCH], True),
    ({"type": "trajectory:tool-used", "value": ["search", "buy"]}, [SEARCH], False),
    ({"type": "trajectory:tool-used", "value": {"pattern": "s*", "max": 1}}, [SEARCH, SEARCH], False),
    ({"type": "not-trajectory:tool-used", "value": ["search", "buy"]}, [SEARCH], False),
    ({"type": "not-trajectory:tool-used", "value": ["delete"]}, [SEARCH], True),
    ({"type": "trajectory:tool-sequence", "value": ["search", "buy"]}, [SEARCH, SEARCH, BUY], True),
    ({"type": "trajectory:tool-sequence", "value": ["buy", "search"]}, [SEARCH, BUY], False),
    ({"type": "trajectory:tool-sequence", "value": {"mode": "exact", "steps": ["search"]}}, [SEARCH, BUY], False),
    ({"type": "trajectory:tool-args-match", "value": {"name": "search", "args": {"q": "shoes"}}}, [SEARCH], True),
    ({"type": "trajectory:tool-args-match", "value": {"name": "buy", "args": {"id": 8}}}, [BUY], False),
    (
        {"type": "trajectory:tool-args-match", "value": {"name": "search", "mode": "exact", "args": {"q": "shoes"}}},
        [SEARCH],
        False,
    ),
    (
        {
            "type": "trajectory:tool-args-match",
            "value": {"name": "search", "mode": "exact", "args": {"q": "shoes"}, "ignore": "pa*"},
        },
        [SEARCH],
        True,
    ),
    ({"type": "trajectory:step-count", "value": {"type": "tool", "max": 1}}, [SEARCH, BUY], False),
]


@pytest.mark.parametrize(("rule", "calls", "passes"), CALLS)
def test_what_a_call_did_is_held_against_what_it_was_to_do(rule, calls, passes):
    said = word(rule, tool_calls=tuple(calls), tools=TOOLS)
    assert (said.passed, said.not_run, bool(said.message)) == (passes, "", not passes)


@pytest.mark.parametrize(
    "output",
    [
        '{"tool_calls": [{"function": {"name": "search", "arguments": "{\\"q\\": \\"x\\"}"}}]}',
        '[{"type": "tool_use", "name": "search", "input": {"q": "x"}}]',
        '{"functionCall": {"name": "search", "args": {"q": "x"}}}',
        '{"toolCall": {"functionCalls": [{"name": "search", "args": {"q": "x"}}]}}',
        '{"name": "search", "arguments": {"q": "x"}}',
    ],
)
def test_calls_that_an_output_writes_as_json_count_where_the_provider_told_none(output):
    assert word({"type": "is-valid-openai-tools-call"}, output, tools=TOOLS).passed
    assert word({"type": "tool-call-f1", "value": "search"}, output).score == 1


def says(value):
    """A way out that answers this, or raises it."""

    def way(code, document):
        assert code
        assert document["context"]["vars"] == {"name": "Gwen"}
        if isinstance(value, Exception):
            raise value
        return value

    return Outside(javascript=way, python=way)


RETURNED = [
    (True, {}, True, None),
    (0.4, {}, True, 0.4),
    (0.4, {"threshold": 0.5}, False, 0.4),
    (0, {}, False, 0.0),
    (7, {}, True, 1.0),
    (-1, {}, False, 0.0),
    (math.nan, {}, False, 0.0),
    (math.inf, {}, False, 0.0),
    (None, {}, False, 0.0),
    ([], {}, False, 0.0),
    ({"pass": True, "score": 0.7, "reason": "r"}, {}, True, 0.7),
    ({"pass": False, "score": 1, "reason": "r"}, {}, False, 1.0),
    ({"pass": True}, {}, False, 0.0),
    ({"pass": "yes", "score": 1}, {}, False, 0.0),
    ({"pass": True, "score": math.nan}, {}, False, 0.0),
]


@pytest.mark.parametrize(("value", "more", "passes", "score"), RETURNED)
@pytest.mark.parametrize("kind", ["javascript", "python"])
def test_what_code_returns_is_a_word_only_where_it_is_one(kind, value, more, passes, score):
    said = word({"type": kind, "value": "1", **more}, "x", says(value), input={"name": "Gwen"})
    assert (said.passed, said.score, said.not_run) == (passes, score, "")


@pytest.mark.parametrize("kind", ["javascript", "not-javascript", "python", "not-python"])
def test_code_that_fails_fails_the_output_and_code_that_is_stopped_leaves_it_open(kind):
    threw = word({"type": kind, "value": "1"}, "x", says(Invalid("boom", "h")), input={"name": "Gwen"})
    assert (threw.passed, threw.not_run, threw.message) == (False, "", "the code failed: boom")
    stopped = word({"type": kind, "value": "1"}, "x", says(Unavailable("too long", "h")), input={"name": "Gwen"})
    assert (stopped.passed, stopped.not_run) == (False, "too long")


def test_python_may_give_its_word_as_a_text():
    for text, passes in (("True", True), ("false", False), ("0.3", True), ("words", False)):
        assert word({"type": "python", "value": "1"}, "x", says(text), input={"name": "Gwen"}).passed is passes
