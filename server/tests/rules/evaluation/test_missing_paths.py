"""What graders say where there is nothing: the table in the guide to the format is what they do."""

import re
from pathlib import Path

import pytest

from cuelight_server.evaluation.graders import OWN, grade, prepare, read

GUIDE = Path(__file__).parents[4] / "docs/guides/format.md"
RULES = {
    "equals": {"path": "gone", "value": "x"},
    "pii": {"path": "gone"},
    "not_equals": {"path": "gone", "value": "x"},
    "one_of": {"path": "gone", "values": ["x"]},
    "contains_any": {"path": "gone", "values": ["x"]},
    "contains_all": {"path": "gone", "values": ["x"]},
    "not_contains": {"path": "gone", "values": ["x"]},
    "regex": {"path": "gone", "pattern": "x"},
    "not_regex": {"path": "gone", "pattern": "x"},
    "non_empty": {"path": "gone"},
    "is_empty": {"path": "gone"},
    "number_range": {"path": "gone", "min": 0},
    "any_item": {"path": "gone", "value": "x"},
    "no_item": {"path": "gone", "value": "x"},
    "max_words": {"path": "gone", "n": 1},
    "max_chars": {"path": "gone", "n": 1},
    "max_items": {"path": "gone", "n": 1},
    "min_items_at": {"path": "gone", "n": 0},
    "reading_grade_max": {"path": "gone", "n": 9},
    "refs_exist": {"paths": ["gone"], "input_paths": ["name"]},
    "quotes_in_input": {"paths": ["gone"], "input_paths": ["name"]},
    "each_item_has": {"paths": ["gone"], "field": "x"},
    "numbers_in_input": {"paths": ["gone"]},
    "input_values_absent": {"paths": ["gone"], "input_paths": ["name"]},
    "label_never": {"path": "gone", "label": "vip", "label_value": True, "forbidden": "x"},
    "implies": {"if": {"path": "gone", "empty": True}, "then": {"path": "gone", "equals": "x"}},
}
PATHLESS = {"json_only", "schema", "tools_allowed", "max_output_tokens", "max_latency_ms", "canary_absent"}


def said(kind, text):
    rule = {"type": kind, "severity": "major", **RULES[kind]}
    (one,) = grade((prepare(rule, None),), read(text, input={"name": "Ada"}, label={"vip": True}))
    return one


def told(word):
    row = next(line for line in GUIDE.read_text().splitlines() if line.startswith(f"| {word} "))
    return set(re.findall(r"`(\w+)`", row))


def test_every_grader_is_looked_at():
    assert {*RULES, *PATHLESS} == OWN


def test_the_guide_says_which_graders_pass_and_which_fail_where_there_is_nothing():
    passing = {kind for kind in RULES if kind != "implies" and said(kind, "{}").passed}
    assert told("passes") == passing
    assert told("fails") == RULES.keys() - passing - {"implies"}


@pytest.mark.parametrize("kind", RULES)
def test_an_output_that_cannot_be_parsed_is_nothing_to_look_at(kind):
    one = said(kind, "oops {")
    assert not one.passed
    assert one.message.startswith("nothing to look at: ")


@pytest.mark.parametrize("kind", ["any_item", "contains_any"])
def test_what_looks_at_the_raw_output_has_something_to_look_at(kind):
    rule = {"type": kind, "severity": "major", **RULES[kind], "path": "$text"}
    (one,) = grade((prepare(rule, None),), read("oops {", input={}))
    assert not one.passed
    assert "nothing to look at" not in one.message
