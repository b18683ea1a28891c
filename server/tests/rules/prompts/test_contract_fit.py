"""Whether one schema fits another: what is told, what is not claimed, and that a yes is never wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight.contract.schemas import schema_validator
from cuelight_server.prompts.contract_fit import MOST_STEPS, fit, loosened

TEXT = {"type": "string"}


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


# Situation -> (giver, taker, a word of what does not fit; "" where it fits)
TABLE = {
    "the same": (obj("a", a=TEXT), obj("a", a=TEXT), ""),
    "more than is read": (obj("a", "b", a=TEXT, b=TEXT), {"required": ["a"]}, ""),
    "a required key that may be missing": (obj(a=TEXT), obj("a", a=TEXT), "a: may be missing"),
    "one further key": (obj("a", a=TEXT, b=TEXT), obj("a", a=TEXT), "b: nothing is accepted here"),
    "any further key": ({"type": "object"}, obj(), "further keys"),
    "a further value in an enum": ({"enum": ["x", "y"]}, {"enum": ["x"]}, "'y' may come"),
    "fewer values in an enum": ({"enum": ["x"]}, {"enum": ["x", "y"]}, ""),
    "any text for an enum": (TEXT, {"enum": ["x"]}, "any string"),
    "both truths for one": ({"type": "boolean"}, {"const": True}, "False may come"),
    "both truths for both": ({"type": "boolean"}, {"enum": [True, False]}, ""),
    "null where none is read": ({"type": ["string", "null"]}, TEXT, "null may come"),
    "null where it is read": ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}, ""),
    "an integer for a number": ({"type": "integer"}, {"type": "number"}, ""),
    "a number for an integer": ({"type": "number"}, {"type": "integer"}, "a number may come"),
    "a wider range": ({"type": "number", "minimum": 0}, {"type": "number", "minimum": 1}, "less than 1"),
    "no range": ({"type": "number"}, {"type": "number", "maximum": 5}, "more than 5"),
    "an open end that is closed": (
        {"type": "number", "minimum": 0},
        {"type": "number", "exclusiveMinimum": 0},
        "0 may come",
    ),
    "a closed end that is open": ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}, ""),
    "no multiple": ({"type": "integer"}, {"type": "integer", "multipleOf": 5}, "multiple of 5"),
    "longer text": ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, "more than 8 characters"),
    "empty text": (TEXT, {**TEXT, "minLength": 1}, "fewer than 1"),
    "any text for a pattern": (TEXT, {**TEXT, "pattern": "^A"}, "outside the pattern"),
    "wrong items": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": {"type": "integer"}},
        "[*]: a string may come",
    ),
    "items that nobody describes": ({"type": "array"}, {"type": "array", "items": TEXT}, "[*]"),
    "more items": ({"type": "array"}, {"type": "array", "maxItems": 3}, "more than 3 items"),
    "the same item twice": ({"type": "array"}, {"type": "array", "uniqueItems": True}, "twice"),
    "a reference followed": (
        {"$ref": "#/$defs/t", "$defs": {"t": {"type": "integer"}}},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}},
        "",
    ),
    "a reference that does not fit": ({"$ref": "#/$defs/t", "$defs": {"t": TEXT}}, {"type": "number"}, "a string"),
    "one of the giver's alternatives": ({"anyOf": [TEXT, {"type": "null"}]}, TEXT, "null may come"),
    "every part of allOf": (obj("a", a=TEXT), {"allOf": [{"required": ["a"]}, {"type": "object"}]}, ""),
    "one part of allOf": (obj(a=TEXT), {"allOf": [{"type": "object"}, {"required": ["a"]}]}, "may be missing"),
    "remarks": ({**TEXT, "title": "x", "format": "date"}, {**TEXT, "description": "y", "format": "email"}, ""),
    "anything for something": ({}, TEXT, "may come"),
    "nothing at all": (obj(a=False), obj(), ""),
}


@pytest.mark.parametrize("situation", TABLE)
def test_what_fits_and_what_does_not(situation):
    giver, taker, word = TABLE[situation]
    found = fit(giver, taker)
    assert found.undecided == ()
    assert bool(found.unfit) == bool(word)
    assert word in "; ".join(found.unfit)


UNDECIDED = {
    "two patterns": ({**TEXT, "pattern": "^A"}, {**TEXT, "pattern": "^AB?"}, "differ"),
    "not": (TEXT, {"not": {"const": "x"}}, "not cannot be compared"),
    "keys by pattern": (obj(), {**obj(), "patternProperties": {"^x": TEXT}}, "patternProperties"),
    "a range in two halves": (
        {"type": "integer", "minimum": 0, "maximum": 9},
        {"anyOf": [{"type": "integer", "maximum": 4}, {"type": "integer", "minimum": 5}]},
        "several alternatives",
    ),
    "a circle": (
        {"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}},
        {"$ref": "#/$defs/u", "$defs": {"u": {"type": "array", "items": {"$ref": "#/$defs/u"}}}},
        "circles",
    ),
    "a reference into nothing": ({"$ref": "#/$defs/t"}, TEXT, "leads nowhere"),
}


@pytest.mark.parametrize("situation", UNDECIDED)
def test_what_nobody_can_tell_is_named_and_not_claimed(situation):
    giver, taker, word = UNDECIDED[situation]
    found = fit(giver, taker)
    assert found.unfit == ()
    assert word in "; ".join(found.undecided)
    assert not found.fits


def test_a_huge_pair_ends_after_its_steps():
    wide = {"type": "object", "properties": {f"k{at}": TEXT for at in range(MOST_STEPS + 5)}}
    found = fit(wide, {**wide, "title": "other", "maxProperties": 10**9})
    assert any("too large" in one for one in found.undecided)


LEAVES = st.sampled_from([None, True, False, 0, 1, 2, 7, 1.5, "", "a", "ab", "abc"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
SIMPLE = st.one_of(
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["null", "boolean", "integer", "number", "string"])}),
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"minLength": st.integers(0, 2), "maxLength": st.integers(0, 3)}
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(0, 2),
            "exclusiveMaximum": st.integers(1, 8),
            "multipleOf": st.sampled_from([1, 2]),
        },
    ),
    st.fixed_dictionaries({"enum": st.lists(LEAVES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"type": st.lists(st.sampled_from(["null", "string", "integer"]), min_size=1, unique=True)}),
    st.booleans(),
)
SCHEMAS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": st.integers(0, 2), "maxItems": st.integers(0, 3), "uniqueItems": st.booleans()},
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2)},
            optional={
                "required": st.lists(st.sampled_from("ab"), unique=True),
                "additionalProperties": inner,
                "minProperties": st.integers(0, 2),
            },
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}, optional={"not": inner}),
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, max_size=30))
def test_a_yes_is_never_wrong(giver, taker, values):
    giver, taker = ({"allOf": [one]} if isinstance(one, bool) else one for one in (giver, taker))
    if fit(giver, taker).fits:
        own, other = schema_validator(giver, "giver"), schema_validator(taker, "taker")
        assert [one for one in values if own.is_valid(one) and not other.is_valid(one)] == []


@settings(max_examples=200, deadline=None)
@given(SCHEMAS)
def test_every_schema_fits_itself(schema):
    whole = {"allOf": [schema]} if isinstance(schema, bool) else schema
    assert fit(whole, dict(whole)).fits


def contract(**changes):
    made = {
        "format": "json",
        "strict": True,
        "schema": obj("a", a=TEXT),
        "rules": [],
        "on_invalid": [],
        "consumers": [],
    }
    return {**made, **changes}


RULE = {"id": "says_something", "require": {"path": "a", "empty": False}}

LOOSER = {
    "strict off": (contract(), contract(strict=False), "strict is turned off"),
    "no JSON any more": (contract(), contract(format="text"), "no JSON any more"),
    "no schema": (contract(), contract(schema=None), "the schema is gone"),
    "a key less": (contract(), contract(schema=obj(a=TEXT)), "a: may be missing"),
    "opened": (contract(), contract(schema={**obj("a", a=TEXT), "additionalProperties": True}), "further keys"),
    "a rule less": (contract(rules=[RULE]), contract(), "the rule says_something is gone"),
    "a rule only in words": (
        contract(rules=[RULE]),
        contract(rules=[{"id": "says_something", "declared_only": "It says something."}]),
        "says_something",
    ),
}


@pytest.mark.parametrize("situation", LOOSER)
def test_what_loosens_a_contract(situation):
    old, new, word = LOOSER[situation]
    assert word in "; ".join(loosened(old, new).unfit)
    assert loosened(new, old).unfit == ()


@pytest.mark.parametrize("situation", LOOSER)
def test_what_a_newer_version_may_not_take_back(situation):
    old, new, word = LOOSER[situation]
    assert word in "; ".join(loosened(old, new).broken)


OPEN = {"allOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]}
UNEVALUATED = {
    "opened": ({**OPEN, "unevaluatedProperties": False}, OPEN),
    "opened, of one piece": ({"properties": {"a": TEXT}, "unevaluatedProperties": False}, {"properties": {"a": TEXT}}),
    "opened below": (obj(a={**OPEN, "unevaluatedProperties": False}), obj(a=OPEN)),
}


@pytest.mark.parametrize("situation", UNEVALUATED)
def test_keys_that_were_closed_by_unevaluated_properties_may_not_be_opened(situation):
    old, new = UNEVALUATED[situation]
    assert "further keys may come" in "; ".join(loosened(contract(schema=old), contract(schema=new)).broken)


WIDER = {
    "a new optional key": obj("a", a=TEXT, b=TEXT),
    "a new required key": obj("a", "b", a=TEXT, b=TEXT),
    "another kind": obj("a", a={"type": ["string", "null"]}),
    "a longer text": obj("a", a={**TEXT, "maxLength": 9}),
    "another value": obj("a", a={"enum": ["x", "y"]}),
    "a larger range": obj("a", a={"type": "integer", "maximum": 9}),
}
NARROW = {
    "another kind": obj("a", a=TEXT),
    "a longer text": obj("a", a={**TEXT, "maxLength": 8}),
    "another value": obj("a", a={"enum": ["x"]}),
    "a larger range": obj("a", a={"type": "integer", "maximum": 8}),
}


@pytest.mark.parametrize("situation", WIDER)
def test_a_contract_may_grow(situation):
    old = contract(schema=NARROW.get(situation, obj("a", a=TEXT)))
    found = loosened(old, contract(schema=WIDER[situation]))
    assert (bool(found.unfit), found.broken) == (True, ())


def test_a_text_that_had_no_schema_may_stop_being_json():
    found = loosened(contract(schema=None), contract(schema=None, format="text", strict=False))
    assert found.broken == ("strict is turned off",)


def test_other_words_for_closed_keys_open_nothing():
    closed, open_keys = obj("a", a=TEXT), {"type": "object", "required": ["a"], "properties": {"a": TEXT}}
    other = {**open_keys, "unevaluatedProperties": False}
    for old, new in ((closed, other), (other, closed)):
        found = loosened(contract(schema=old), contract(schema=new))
        assert (found.broken, bool(found.undecided)) == ((), True)


def test_what_unevaluated_properties_may_let_pass_is_never_called_fitting():
    giver = {
        "properties": {"a": TEXT},
        "allOf": [{"properties": {"b": {"type": "integer"}}}],
        "unevaluatedProperties": False,
    }
    for taker in (
        {"properties": {"a": TEXT}, "unevaluatedProperties": False},
        {"$ref": "#/$defs/a", "unevaluatedProperties": False, "$defs": {"a": {"properties": {"a": TEXT}}}},
        {"additionalProperties": TEXT},
    ):
        assert not fit(giver, taker).fits


def test_a_stricter_contract_is_no_looser_one():
    assert loosened(contract(), contract(schema=obj("a", a={**TEXT, "maxLength": 5}), rules=[RULE])).fits


def test_a_contract_without_a_schema_has_none_to_loosen():
    assert loosened(contract(schema=None), contract()).fits
