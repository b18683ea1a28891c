"""Whatever a suite gives an assertion and whatever an output is: it is refused with a hint, or there is a word, or none and why."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight.contract.format import check
from cuelight_server.kernel.assertions import NAMES, SET
from cuelight_server.kernel.errors import Invalid
from server.tests.grading import word

TEXTS = st.sampled_from(["{{", "{{ a }}", "{% if a %}", "{{ a | join(a) }}", "NaN", "file://x", "-"]) | st.text(
    "ab{}[]<>\"',:0.%/é\n", max_size=12
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEYS = st.sampled_from([
    "min", "max", "name", "pattern", "args", "arguments", "mode", "steps", "ignore", "defaults", "type", "requiredElements",
    "databaseType", "allowedTables", "allowedColumns", "$ref", "properties", "required", "enum",
])  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
CALLS = st.lists(st.fixed_dictionaries({"name": TEXTS, "arguments": VALUES}), max_size=2).map(tuple)
TOOLS = st.lists(st.fixed_dictionaries({"name": TEXTS, "parameters": VALUES}), max_size=2).map(tuple)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(NAMES - {SET})), VALUES, TEXTS, CALLS, TOOLS, st.none() | st.floats(0, 2))
def test_nothing_that_a_suite_can_say_breaks_a_run(kind, value, output, calls, tools, threshold):
    rule = {"type": kind, "value": value} | ({} if threshold is None else {"threshold": threshold})
    try:
        said = word(rule, output, tool_calls=calls, tools=tools, input={"a": value})
    except Invalid as refused:
        told = refused
    else:
        told = None
        assert not (said.passed and said.not_run)
        assert said.passed or said.message or said.not_run
        assert said.score is None or (math.isfinite(said.score) and 0 <= said.score <= 1)
    assert told is None or (told.message and told.hint)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "icontain", "value": "x"}, "did you mean icontains?"),
        ({"type": "contains", "vlaue": "x"}, "did you mean value?"),
        ({"type": "equals"}, ""),
        ({"type": "equals", "path": "a"}, "add value here"),
        ({"type": "regex", "path": "a", "pattern": "b", "value": "c"}, "known keys"),
        ({"type": "assert-set", "assert": [{"type": "assert-set", "assert": []}]}, ""),
        ({"type": "assert-set", "assert": []}, "at least 1 in the list"),
        ({"type": "pii", "types": ["emial"]}, "did you mean email?"),
        ({"type": "canary_absent", "values": ["no"]}, "at least 6 characters"),
        ({"type": "contains", "value": "x", "weight": -1}, "at least 0"),
    ],
)
def test_a_grader_that_is_written_wrong_is_told_what_was_meant(rule, words):
    suite = {"suite": "main", "graders": [{"severity": "major", **rule}], "cases": []}
    found = check("suite", suite)
    if words:
        assert [one.hint for one in found if words in one.hint], found
    elif rule["type"] == "assert-set":
        assert found
    else:
        assert found == []
