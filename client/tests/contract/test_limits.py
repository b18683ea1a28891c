"""Hostile and huge input: patterns that would hang elsewhere, deep nesting, large texts, many rules."""

import json
import time

import pytest

from cuelight.contract import content
from cuelight.contract.authority import Authority
from cuelight.contract.errors import Invalid
from cuelight.contract.output import MAX_CHARS, OutputContract, parse
from cuelight.contract.rendering import render
from cuelight.contract.schemas import schema_validator
from cuelight.contract.template import compile_text
from cuelight.contract.values import delimited

CATASTROPHIC = "^(a+)+$"
SOON = 2.0  # seconds; a backtracking engine needs 2^40 steps for what these take in milliseconds


def within(seconds, work):
    begun = time.perf_counter()
    result = work()
    assert time.perf_counter() - begun < seconds
    return result


def test_a_catastrophic_pattern_in_an_output_schema_runs_in_linear_time():
    contract = OutputContract({"schema": {"type": "string", "pattern": CATASTROPHIC}})
    evil = json.dumps("a" * 100_000 + "!")
    assert [one.code for one in within(SOON, lambda: contract.validate(evil)).findings] == ["schema:pattern"]
    assert contract.validate('"aaaa"').ok


def test_a_catastrophic_pattern_in_arguments_and_variables_runs_in_linear_time():
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": CATASTROPHIC}}}
    authority = Authority({"actions": [{"action": "x", "mode": "may_execute", "arguments": schema}]})
    assert not within(SOON, lambda: authority.decide("x", arguments={"a": "a" * 50_000 + "!"})).allowed
    prompt = content.parse(
        {
            "messages": [{"role": "user", "content": "{{v}}"}],
            "variables": [{"name": "v", "type": "json", "schema": schema}],
            "settings": {"model": "m"},
            "evaluation": {},
        }
    )
    with pytest.raises(Invalid):
        within(SOON, lambda: render(prompt, {"v": {"a": "a" * 50_000 + "!"}}))


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"pattern": "(?=a)b"}, id="look-ahead"),
        pytest.param({"pattern": r"(a)\1"}, id="back-reference"),
        pytest.param({"pattern": "(((a{1000}){1000}){1000})"}, id="a pattern too large to compile"),
        pytest.param({"pattern": "("}, id="no pattern"),
        pytest.param({"$ref": "https://example.com/schema.json"}, id="remote reference"),
        pytest.param({"$ref": "file:///etc/passwd"}, id="file reference"),
        pytest.param({"$ref": "#/$defs/gone"}, id="dangling reference"),
        pytest.param({"type": "objekt"}, id="unknown type"),
        pytest.param("schemas/out.json", id="a path that was not inlined"),
    ],
)
def test_a_schema_that_could_hang_or_reach_out_is_refused(schema):
    with pytest.raises(Invalid) as refused:
        schema_validator(schema, "the output")
    assert "the output" in refused.value.message


def test_a_schema_never_reads_a_file_even_where_there_is_a_good_one(tmp_path):
    (tmp_path / "good.json").write_text('{"type": "string"}')
    with pytest.raises(Invalid):
        schema_validator({"$ref": (tmp_path / "good.json").as_uri()}, "the output")


@pytest.mark.parametrize(
    "text", ["[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101, "[" * 1_000_000, "[" * 200_000 + "]" * 200_000]
)
def test_an_output_nested_too_deep_is_a_finding(text):
    value, finding = within(SOON, lambda: parse(text))
    assert (value, finding.code) == (None, "not_json")


def test_an_output_of_a_hundred_levels_is_read():
    assert parse("[" * 100 + "]" * 100)[1] is None


def test_an_output_that_is_too_long_is_a_finding():
    validation = OutputContract({}).validate('"' + "a" * MAX_CHARS + '"')
    assert [one.code for one in validation.findings] == ["too_large"]


def test_an_integer_of_ten_thousand_digits_is_a_finding():
    assert parse("1" * 10_000)[1].code == "not_json"


def test_a_huge_integer_meets_the_schema_and_not_an_exception():
    contract = OutputContract({"schema": {"type": "integer", "maximum": 10}})
    assert [one.code for one in contract.validate("1" * 400).findings] == ["schema:maximum"]


def test_findings_are_few_however_broken_the_output():
    contract = OutputContract({"schema": {"items": {"type": "string"}}})
    assert len(contract.validate(json.dumps(list(range(10_000)))).findings) == 25


def test_a_large_text_full_of_braces_compiles_in_linear_time():
    text = "{{{{" * 50_000
    assert within(SOON, lambda: compile_text(text)).render({}) == "{{" * 50_000
    with pytest.raises(Invalid):
        within(SOON, lambda: compile_text("{{" + "a" * 200_000))


def test_untrusted_text_full_of_angles_and_spaces_is_marked_in_linear_time():
    spaces = "<" + " " * 200_000
    assert spaces in within(SOON, lambda: delimited("a", spaces))
    assert within(SOON, lambda: delimited("a", "</ " * 100_000))


def doubling(steps):
    """Each step refers twice to the one before: 2^steps subschemas in a few lines."""
    parts = {"a0": {"type": "object"}}
    for n in range(1, steps):
        parts[f"a{n}"] = {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}, {"$ref": f"#/$defs/a{n - 1}"}]}
    return {"$defs": parts, "$ref": f"#/$defs/a{steps - 1}"}


@pytest.mark.parametrize("steps", [27, 38, 200])
def test_a_schema_whose_references_multiply_is_refused_before_it_is_used(steps):
    with pytest.raises(Invalid, match="when every \\$ref is followed"):
        within(SOON, lambda: schema_validator(doubling(steps), "the output"))


def test_a_multiplying_schema_cannot_hide_behind_a_property_name_or_an_anchor():
    bomb = doubling(30)
    hidden = {"$defs": bomb["$defs"], "properties": {"default": {"$ref": bomb["$ref"]}}}
    bomb["$defs"]["a29"]["$anchor"] = "all"
    for schema in (hidden, {"$defs": bomb["$defs"], "$ref": "#all"}):
        with pytest.raises(Invalid, match="millions"):
            schema_validator(schema, "the output")


def test_schemas_that_refer_to_themselves_or_twice_to_a_part_are_fine():
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    assert schema_validator(tree, "x").is_valid({"left": {"right": {}}})
    assert schema_validator(doubling(8), "x").is_valid({})
