"""Every grader on an output that it lets pass and on one that it does not, with the words that it uses."""

import json

import pytest

from cuelight.contract.format import schema
from cuelight_server.evaluation import graders
from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.model import Severity
from cuelight_server.kernel.assertions import NAMES
from cuelight_server.kernel.errors import Invalid

OUTPUT = {
    "decision": "qualified",
    "confidence": 0.9,
    "body": "Hello Gwen, most customers start within 14 days.",
    "empty": "  ",
    "nothing": None,
    "flags": [],
    "refs": ["F-1", "F-2"],
    "reasons": [{"code": "size", "ref": "F-1"}, {"code": "region", "ref": None}],
    "quote": "My left KNEE\n aches",
}
INPUT = {
    "lead": {"band": "8-10", "name": "Gwen Jones", "age": 46},
    "facts": [{"ref": "F-1", "text": "about 14 days, nine homes"}, {"ref": "F-2", "text": "1,000 staff at 9:30"}],
    "answers": [{"qid": "q1", "answer": "My left knee  aches when I go up stairs"}],
}
SCHEMA = {"type": "object", "required": ["decision"], "properties": {"decision": {"enum": ["qualified", "person"]}}}


def seen(output=OUTPUT, **facts):
    text = output if isinstance(output, str) else json.dumps(output)
    return read(text, **{"input": INPUT, "label": {"is_buyer": True}, **facts})


def said(rule, sample=None):
    """What the one grader says: "" when it passes, None when it is not meant for the case."""
    grades = grade((prepare({"severity": "blocker", **rule}, SCHEMA),), sample or seen())
    return grades[0].message if grades else None


PASSING = [
    {"type": "json_only"},
    {"type": "pii"},
    {"type": "pii", "types": ["email"], "path": "body"},
    {"type": "canary_absent", "values": ["CN-4471-XQ"]},
    {"type": "schema"},
    {"type": "schema", "schema": {"type": "object"}},
    {"type": "equals", "path": "decision", "value": "qualified"},
    {"type": "equals", "path": "missing", "value": None},
    {"type": "equals", "path": "confidence", "value": 0.90},
    {"type": "not_equals", "path": "decision", "value": "disqualified"},
    {"type": "one_of", "path": "decision", "values": ["person", "qualified"]},
    {"type": "contains_any", "path": "body", "values": ["gwen", "piet"]},
    {"type": "contains_all", "path": "body", "values": ["HELLO", "14 days"]},
    {"type": "not_contains", "path": "body", "values": ["cancer"]},
    {"type": "not_contains", "path": "nothing", "values": ["cancer"]},
    {"type": "not_contains", "path": "$text", "values": ["cancer"]},
    {"type": "regex", "path": "body", "pattern": "hello\\s+gwen"},
    {"type": "not_regex", "path": "body", "pattern": "\\d{3}"},
    {"type": "non_empty", "path": "refs"},
    {"type": "is_empty", "path": "flags"},
    {"type": "is_empty", "path": "empty"},
    {"type": "is_empty", "path": "missing"},
    {"type": "number_range", "path": "confidence", "min": 0.9, "max": 0.9},
    {"type": "number_range", "path": "confidence", "min": 0},
    {"type": "any_item", "path": "reasons", "field": "code", "value": "size"},
    {"type": "any_item", "path": "refs", "field": "", "value": "F-2"},
    {"type": "any_item", "path": "refs", "value": "F-2"},
    {"type": "no_item", "path": "reasons", "field": "code", "value": "age"},
    {"type": "no_item", "path": "missing", "value": "age"},
    {"type": "max_words", "path": "body", "n": 8},
    {"type": "max_chars", "path": "body", "n": 48},
    {"type": "max_items", "path": "refs", "n": 2},
    {"type": "max_items", "path": "nothing", "n": 0},
    {"type": "min_items_at", "path": "refs", "n": 2},
    {"type": "reading_grade_max", "path": "body", "n": 6},
    {
        "type": "implies",
        "if": {"path": "decision", "equals": "disqualified"},
        "then": {"path": "confidence", "greater_than": 0.9},
    },
    {"type": "implies", "if": {"path": "decision", "equals": "qualified"}, "then": {"path": "refs", "min_items": 1}},
    {"type": "refs_exist", "paths": ["refs[*]", "reasons[*].ref", "refs"], "input_paths": ["facts[*].ref"]},
    {"type": "quotes_in_input", "paths": ["quote"], "input_paths": ["answers[*].answer"]},
    {"type": "quotes_in_input", "paths": ["missing"], "input_paths": ["answers[*].answer"]},
    {"type": "each_item_has", "paths": ["reasons[*]"], "field": "code"},
    {"type": "each_item_has", "paths": ["flags[*]"], "field": "code"},
    {"type": "numbers_in_input", "paths": ["body"]},
    {"type": "input_values_absent", "input_paths": ["lead.age", "answers[*].answer"]},
    {"type": "label_never", "label": "is_buyer", "label_value": True, "path": "decision", "forbidden": "disqualified"},
    {"type": "tools_allowed", "allow": []},
    {"type": "max_output_tokens", "n": 100},
    {"type": "max_latency_ms", "n": 1500},
]

FAILING = [
    ({"type": "canary_absent", "values": ["XX-0000", "hello gwen"]}, "the output gives away canary 2 of 2"),
    ({"type": "equals", "path": "decision", "value": "person"}, 'decision is "qualified", wanted "person"'),
    ({"type": "equals", "path": "missing", "value": "person"}, 'missing is missing, wanted "person"'),
    ({"type": "equals", "path": "confidence", "value": True}, "confidence is 0.9, wanted true"),
    ({"type": "equals", "path": "reasons[*].code", "value": "size"}, 'reasons[*].code is "region", wanted "size"'),
    ({"type": "not_equals", "path": "decision", "value": "qualified"}, 'decision is "qualified", wanted anything else'),
    ({"type": "one_of", "path": "decision", "values": ["person"]}, 'decision is "qualified", wanted one of ["person"]'),
    ({"type": "contains_any", "path": "body", "values": ["piet"]}, 'body contains none of "piet"'),
    ({"type": "contains_any", "path": "nothing", "values": ["piet"]}, 'nothing contains none of "piet"'),
    ({"type": "contains_all", "path": "body", "values": ["gwen", "piet"]}, 'body does not contain "piet"'),
    ({"type": "not_contains", "path": "body", "values": ["GWEN"]}, 'body contains "GWEN", which it must not'),
    ({"type": "not_contains", "path": "$text", "values": ["f-1"]}, '$text contains "f-1", which it must not'),
    ({"type": "regex", "path": "body", "pattern": "piet"}, 'body does not match "piet"'),
    ({"type": "not_regex", "path": "body", "pattern": "GW.N"}, 'body has "Gwen", which "GW.N" forbids'),
    ({"type": "non_empty", "path": "flags"}, "flags is [], wanted something"),
    ({"type": "non_empty", "path": "missing"}, "missing is missing, wanted something"),
    ({"type": "is_empty", "path": "refs"}, 'refs is ["F-1", "F-2"], wanted nothing'),
    ({"type": "number_range", "path": "confidence", "min": 0.91}, "confidence is 0.9, wanted a number at least 0.91"),
    (
        {"type": "number_range", "path": "body", "max": 3},
        f"body is {json.dumps(OUTPUT['body'])}, wanted a number at most 3",
    ),
    ({"type": "any_item", "path": "reasons", "field": "code", "value": "age"}, 'no item of reasons has code "age"'),
    ({"type": "no_item", "path": "refs", "value": "F-2"}, 'an item of refs has the value "F-2", which none may'),
    ({"type": "max_words", "path": "body", "n": 7}, "body has 8 words, wanted at most 7"),
    ({"type": "max_chars", "path": "body", "n": 47}, "body has 48 characters, wanted at most 47"),
    ({"type": "max_items", "path": "refs", "n": 1}, "refs has 2 items, wanted at most 1"),
    ({"type": "max_items", "path": "decision", "n": 1}, 'decision is "qualified", wanted a list of at most 1'),
    ({"type": "min_items_at", "path": "refs", "n": 3}, "refs has 2 items, wanted at least 3"),
    ({"type": "min_items_at", "path": "nothing", "n": 0}, "nothing is missing, wanted a list of at least 0"),
    ({"type": "reading_grade_max", "path": "body", "n": 1}, "body reads at grade 5.7, wanted at most 1"),
    (
        {"type": "reading_grade_max", "path": "nothing", "n": 9},
        "nothing has no text, so its reading grade is not known",
    ),
    (
        {
            "type": "implies",
            "if": {"path": "decision", "equals": "qualified"},
            "then": {"path": "confidence", "greater_than": 0.9},
        },
        'decision equals "qualified" (it is "qualified"), but not: confidence greater than 0.9 (it is 0.9)',
    ),
    ({"type": "refs_exist", "paths": ["refs[*]"], "input_paths": ["answers[*].qid"]}, 'the input has no "F-1", "F-2"'),
    (
        {"type": "quotes_in_input", "paths": ["body"], "input_paths": ["answers[*].answer"]},
        f"not word for word in the input: {json.dumps(OUTPUT['body'])}",
    ),
    (
        {"type": "quotes_in_input", "paths": ["empty"], "input_paths": ["answers[*].answer"]},
        'not word for word in the input: "  "',
    ),
    (
        {"type": "each_item_has", "paths": ["reasons[*]"], "field": "ref"},
        'item 2 of reasons[*] has no ref: {"code": "region", "ref": null}',
    ),
    ({"type": "each_item_has", "paths": ["refs[*]"], "field": "ref"}, 'item 1 of refs[*] has no ref: "F-1"'),
    (
        {"type": "input_values_absent", "input_paths": ["facts[*].ref"]},
        'the output repeats "F-1", "F-2" from the input',
    ),
    (
        {"type": "label_never", "label": "is_buyer", "label_value": True, "path": "decision", "forbidden": "qualified"},
        'decision is "qualified", which it must never be: the case has is_buyer true',
    ),
]


@pytest.mark.parametrize("rule", PASSING, ids=lambda rule: f"{rule['type']} {rule.get('path', '')}")
def test_an_output_as_wanted_passes(rule):
    assert said(rule, seen(output_tokens=100, latency_ms=1500)) == ""


@pytest.mark.parametrize(("rule", "words"), FAILING, ids=lambda one: one["type"] if isinstance(one, dict) else "")
def test_an_output_that_is_not_as_wanted_fails_in_plain_words(rule, words):
    assert said(rule) == words


def test_every_grader_of_the_format_is_here_and_tested_both_ways():
    shapes = schema("suite")["$defs"]
    named = [shape["properties"]["type"] for shape in shapes["grader"]["oneOf"] if "properties" in shape]
    types = {one["const"] for one in named if "const" in one} - {"assert-set"}
    assert types == graders.OWN
    assert len(types) == 32
    assert {"$ref": "#/$defs/assertion_name", "description": "Kind of grader."} in named
    assert {*shapes["assertion_name"]["enum"], "assert-set"} == NAMES
    asking = [shapes[one]["properties"]["type"]["enum"] for one in ("judged_grader", "outside_grader")]
    assert {*asking[0], *asking[1]} == graders.TYPES - graders.OWN - NAMES
    elsewhere = {
        "pii",
        "json_only",
        "schema",
        "numbers_in_input",
        "tools_allowed",
        "max_output_tokens",
        "max_latency_ms",
    }
    assert {rule["type"] for rule in PASSING} == types
    assert {rule["type"] for rule, _ in FAILING} == types - elsewhere


def test_every_name_is_of_one_family_and_a_set_takes_all_but_those_that_compare():
    shapes = schema("suite")["$defs"]
    families = {
        one: shapes[one]["properties"]["type"]["enum"]
        for one in ("judged_grader", "outside_grader", "judged_member", "outside_member")
    }
    known = [*shapes["assertion_name"]["enum"], *families["judged_grader"], *families["outside_grader"]]
    assert len(known) == len(set(known))
    assert not set(known) & (graders.OWN - {"equals", "regex"})
    left_out = set(known) - {*shapes["assertion_name"]["enum"]}
    left_out -= {*families["judged_member"], *families["outside_member"]}
    assert left_out == {"select-best", "not-select-best", "command", "not-command"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("```json\n{}\n```", "stands in a code fence", id="a fence"),
        pytest.param("Sure! {}", "text before the JSON", id="a preface"),
        pytest.param("{} Done.", "text after the JSON", id="an afterword"),
        pytest.param("not at all", "is not JSON", id="no JSON"),
        pytest.param('{"a": NaN}', "is not JSON", id="NaN"),
        pytest.param("", "is not JSON", id="nothing"),
        pytest.param("[1]", "the output is a list; wanted one JSON object", id="a list"),
        pytest.param("true", "the output is true or false; wanted one JSON object", id="a flag"),
        pytest.param("null", "the output is null; wanted one JSON object", id="null"),
    ],
)
def test_json_only_wants_one_object_and_nothing_around_it(text, words):
    assert words in said({"type": "json_only"}, seen(text))


def test_schema_names_the_places_that_do_not_fit():
    assert 'decision: "maybe" is not one of' in said({"type": "schema"}, seen({"decision": "maybe"}))
    assert "code fence" in said({"type": "schema"}, seen("```\n{}\n```"))


def test_a_schema_grader_without_any_schema_cannot_be_used():
    with pytest.raises(Invalid, match="no schema"):
        prepare({"type": "schema", "severity": "blocker"}, None)


def test_an_unknown_grader_cannot_be_used():
    with pytest.raises(Invalid, match="no grader 'looks_nice'"):
        prepare({"type": "looks_nice", "severity": "minor"}, None)


@pytest.mark.parametrize("kind", ["regex", "not_regex"])
def test_a_broken_pattern_cannot_be_used(kind):
    with pytest.raises(Invalid, match="is no pattern"):
        prepare({"type": kind, "severity": "blocker", "path": "$text", "pattern": "(a"}, None)


@pytest.mark.parametrize("kind", ["regex", "not_regex"])
def test_a_pattern_that_never_ends_is_an_error_and_no_pass(kind, monkeypatch):
    monkeypatch.setattr(graders.texts, "PATTERN_LIMIT_S", 0.05)
    rule = {"type": kind, "path": "$text", "pattern": "(a|aa)+$"}
    with pytest.raises(Invalid, match="ran longer"):
        said(rule, seen("a" * 60 + "b"))


@pytest.mark.parametrize(
    ("rule", "unread"),
    [
        ({"type": "not_contains", "path": "body", "values": ["x"]}, True),
        ({"type": "equals", "path": "body", "value": None}, True),
        ({"type": "is_empty", "path": "body"}, True),
        ({"type": "refs_exist", "paths": ["refs[*]"], "input_paths": ["facts[*].ref"]}, True),
        ({"type": "implies", "if": {"path": "a", "equals": 1}, "then": {"path": "b", "equals": 2}}, True),
        (
            {
                "type": "implies",
                "if": {"not": {"all": [{"path": "$input.lead.age", "equals": 1}]}},
                "then": {"any": [{"path": "b", "is_null": True}]},
            },
            True,
        ),
        ({"type": "equals", "path": "body", "value": "x"}, False),
        ({"type": "json_only"}, False),
    ],
)
def test_nothing_that_looks_into_an_unreadable_output_passes(rule, unread):
    (one,) = grade((prepare({"severity": "blocker", **rule}, None),), seen("oops {"))
    assert not one.passed
    assert one.unread is unread
    assert one.message


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "contains_any", "path": "$text", "values": ["oops"]},
        {"type": "tools_allowed", "allow": []},
        {"type": "max_output_tokens", "n": 5},
        {"type": "max_latency_ms", "n": 5},
        {"type": "input_values_absent", "input_paths": ["lead.name"]},
        {"type": "implies", "if": {"path": "$label.is_buyer", "equals": False}, "then": {"path": "b", "equals": 2}},
    ],
)
def test_what_does_not_look_into_the_output_can_pass_without_one(rule):
    assert said(rule, seen("oops {", output_tokens=5, latency_ms=5)) == ""


def test_a_tool_that_is_not_on_the_list_is_named():
    calls = ({"name": "crm.read", "arguments": {}}, {"name": "trial.create", "arguments": {}})
    words = said({"type": "tools_allowed", "allow": ["crm.read"]}, seen(tool_calls=calls))
    assert words == 'tried "trial.create", allowed are ["crm.read"]'


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("max_output_tokens", {"output_tokens": 11}, "11 output tokens, wanted at most 10"),
        ("max_output_tokens", {}, "the number of output tokens is not known, wanted at most 10"),
        ("max_latency_ms", {"latency_ms": 10.5}, "10.5 ms, wanted at most 10"),
        ("max_latency_ms", {}, "the number of ms is not known, wanted at most 10"),
    ],
)
def test_a_budget_that_is_passed_or_was_not_measured_fails(kind, facts, words):
    assert said({"type": kind, "n": 10}, seen(**facts)) == words


def test_a_grader_is_left_out_where_the_input_is_another():
    rule = {"type": "equals", "path": "decision", "value": "x", "when": {"lead.band": ["11-13"]}}
    assert said(rule) is None
    assert said({**rule, "when": {"lead.band": ["11-13", "8-10"]}}) == 'decision is "qualified", wanted "x"'
    assert said({**rule, "when": {"lead.band": ["8-10"], "lead.age": [1]}}) is None


def test_a_label_grader_is_left_out_where_the_label_is_another():
    rule = {"type": "label_never", "label": "is_buyer", "label_value": False, "path": "decision", "forbidden": "x"}
    assert said(rule) is None
    assert said(rule, seen("oops {")) is None
    assert said({**rule, "label_value": True}, seen(label=None)) is None


def test_input_that_hides_behind_json_escapes_is_still_found():
    leaky = '{"note": "G\\u0077en Jones"}'
    words = said({"type": "input_values_absent", "input_paths": ["lead.name"]}, seen(leaky))
    assert words == 'the output repeats "Gwen Jones" from the input'


def test_input_values_are_looked_for_as_whole_words():
    rule = {"type": "input_values_absent", "input_paths": ["lead.age"]}
    assert said(rule, seen({"note": "room 1465"})) == ""
    assert said(rule, seen({"note": "she is 46, she says"})) == "the output repeats 46 from the input"
    assert said({**rule, "paths": ["other"]}, seen({"note": "46", "other": "none"})) == ""


def test_a_grader_is_named_by_id_then_type_and_path_then_type():
    names = [
        graders.name_of({"id": "x", "type": "equals", "path": "a"}),
        graders.name_of({"type": "equals", "path": "a"}),
        graders.name_of({"type": "json_only"}),
    ]
    assert names == ["x", "equals:a", "json_only"]


def test_a_grade_carries_its_severity():
    (one,) = grade((prepare({"type": "json_only", "severity": "minor"}, None),), seen("x"))
    assert one.severity is Severity.MINOR
