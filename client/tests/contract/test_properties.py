"""What must hold for every value, found by hypothesis: canonical JSON, buckets, templates and conditions."""

import json
import math
from itertools import pairwise

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract import content
from cuelight.contract.bucket import bucket, choose
from cuelight.contract.canonical import canonical
from cuelight.contract.condition import OPERATORS, holds, same
from cuelight.contract.errors import Invalid
from cuelight.contract.output import OutputContract, parse
from cuelight.contract.rendering import Renderer
from cuelight.contract.template import compile_text

SAFE = 2**53 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)
KEYS = st.text(min_size=1).filter(lambda key: not any(0xD800 <= ord(one) < 0xE000 for one in key))


@given(JSON)
def test_canonical_agrees_with_the_rfc8785_package(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(JSON)
def test_canonical_bytes_read_back_give_the_same_bytes(value):
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(st.floats())
def test_a_float_is_canonical_or_refused(number):
    if math.isfinite(number):
        assert canonical(number) == rfc8785.dumps(number)
    else:
        with pytest.raises(Invalid):
            canonical(number)


@given(KEYS, st.lists(st.integers(0, 100_000), min_size=2).map(sorted))
def test_growing_never_takes_the_candidate_away(key, growth):
    arms = [choose([("new", weight), ("old", 100_000 - weight)], bucket("rel", key)) for weight in growth]
    assert all(not (before == "new" and after == "old") for before, after in pairwise(arms))


@given(KEYS)
def test_nothing_and_everything_have_no_edge(key):
    assert choose([("new", 0), ("old", 100_000)], bucket("rel", key)) == "old"
    assert choose([("new", 100_000), ("old", 0)], bucket("rel", key)) == "new"


def chi_square(places, bins):
    counts = [0] * bins
    for place in places:
        counts[place * bins // 100_000] += 1
    expected = len(places) / bins
    return sum((count - expected) ** 2 / expected for count in counts)


@pytest.mark.parametrize("seed", ["rel_01", "rel_02", "sales.lead_qualification"])
def test_places_are_uniform(seed):
    """Chi-square over 100 bins, 99 degrees of freedom: above 148.2 once in a thousand, were the places random."""
    places = [bucket(seed, f"conversation-{number}") for number in range(50_000)]
    assert chi_square(places, 100) < 148.2
    assert min(places) >= 0
    assert max(places) <= 99_999


def test_two_rollouts_draw_independent_cohorts():
    """A tenth of each: a hundredth in both, within five standard deviations of a binomial share."""
    users, both = 100_000, 0
    for number in range(users):
        both += bucket("promptA", f"u{number}") < 10_000 and bucket("promptB", f"u{number}") < 10_000
    assert abs(both / users - 0.01) < 5 * math.sqrt(0.01 * 0.99 / users)


BRACES = st.text("{}ab _.\n", max_size=30)


@given(BRACES, TEXT)
def test_promise_10_no_template_is_ever_half_rendered(text, value):
    """Either the text is refused, or every mark in it was replaced: what is left is literals and values alone."""
    try:
        template = compile_text(text)
    except Invalid:
        return
    rendered = template.render(dict.fromkeys(template.names, value))
    pieces = [part for pair in zip(template.literals, [*template.names, None], strict=True) for part in pair]
    assert rendered == "".join(piece if at % 2 == 0 else value for at, piece in enumerate(pieces) if piece is not None)
    assert text.count("{{") == 0 or template.names or "{{{{" in text
    for name in template.names:
        with pytest.raises(Invalid):
            template.render({other: value for other in template.names if other != name})


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), JSON))
def test_promise_10_rendering_takes_exactly_the_declared_variables(values):
    document = {
        "messages": [{"role": "user", "content": "{{a}}{{b}}{{c}}"}],
        "variables": [{"name": name, "type": "json", "trust": "internal"} for name in "abc"],
        "settings": {"model": "m"},
        "evaluation": {},
    }
    renderer = Renderer(content.parse(document))
    if set(values) == set("abc"):
        expected = b"".join(canonical(values[name]) for name in "abc").decode()
        assert renderer.render(values).messages[0]["content"] == expected
    else:
        with pytest.raises(Invalid):
            renderer.render(values)


@given(TEXT | st.text("</untrsed >\n\"='", max_size=60))
def test_untrusted_text_never_closes_its_marks(value):
    document = {
        "messages": [{"role": "user", "content": "{{a}}"}],
        "variables": [{"name": "a", "type": "string"}],
        "settings": {"model": "m"},
        "evaluation": {},
    }
    rendered = Renderer(content.parse(document)).render({"a": value}).messages[0]["content"]
    inside = rendered.removeprefix('<untrusted name="a">\n').removesuffix("\n</untrusted>")
    assert "</untrusted" not in inside.lower()
    assert inside.replace("&lt;", "<") == value.replace("&lt;", "<")


PATHS = st.sampled_from(["", "a", "a.b", "a[*]", "a[*].b", "$input", "$input.a", "$input[*].a", "$x", "$", ".", "a..b"])
OPERANDS = {
    **dict.fromkeys(("equals", "not_equals", "contains"), JSON),
    **dict.fromkeys(("greater_than", "at_least", "less_than", "at_most"), st.integers() | st.floats(allow_nan=False)),
    **dict.fromkeys(("is_null", "not_null", "empty"), st.booleans()),
    **dict.fromkeys(("min_items", "max_items"), st.integers(0, 5)),
    **dict.fromkeys(("in", "not_in"), st.lists(JSON, max_size=3)),
    **dict.fromkeys(("starts_with", "ends_with"), TEXT),
    "has": st.dictionaries(TEXT, JSON, max_size=2),
}
LEAVES = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda name: st.fixed_dictionaries({"path": PATHS, name: OPERANDS[name]})
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=5,
)
NAMED = st.dictionaries(
    st.sampled_from(["a", "b"]), JSON | st.lists(st.dictionaries(st.sampled_from(["a", "b"]), JSON))
)


@given(CONDITIONS, NAMED | JSON, NAMED | JSON)
def test_a_condition_never_raises_on_any_json_document(condition, output, given_input):
    held = holds(condition, {"output": output, "input": given_input})
    assert held is True or held is False
    assert holds({"not": condition}, {"output": output, "input": given_input}) is not held


def test_every_operator_is_in_the_property():
    assert set(OPERANDS) == set(OPERATORS)


@given(TEXT)
def test_parsing_an_output_never_raises(text):
    value, finding = parse(text)
    assert finding is None or value is None


@given(JSON)
def test_an_output_that_is_one_json_value_is_read_as_it_is(value):
    read, finding = parse(json.dumps(value))
    assert finding is None
    assert same(read, value)
    assert OutputContract({"schema": True if value is None else {}}).validate(json.dumps(value)).ok


@given(st.lists(TEXT, min_size=1, max_size=3), st.lists(st.sampled_from(["boundary", "tone"]), min_size=3, max_size=3))
def test_normal_form_is_stable_and_goes_round_the_wire_unchanged(texts, blocks):
    parts = [{"text": text, "block": block} for text, block in zip(texts, blocks, strict=False)]
    document = {
        "messages": [{"role": "user", "parts": parts}],
        "settings": {"model": "m", "seed": 1e17},
        "evaluation": {},
    }
    once = content.parse(document)
    again = content.parse(json.loads(canonical(once.to_json())))
    assert again.digest == once.digest
