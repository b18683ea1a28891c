"""Patterns are JavaScript's: what is found is what `regress`, an engine for ECMAScript, finds; no search runs on for ever."""

import time
from contextlib import suppress

import pytest
import regress
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight_server.kernel import ecmascript, patterns
from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.kernel.repetition import unrolled

PARTS = [
    *"abc1 .^$*+?|()[]{}-&~,é", "(?:", "(?=", "(?!", "(?<=", "(?<n>", "[^", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S",
    "\\b", "\\B", "\\1", "\\2", "{2}", "{1,2}", "\\p", "\\u0061", "\\x62", "\\n", "\\.", "\\-", "&&", "\\k<n>",
    "\\0", "\\cA",
]  # fmt: skip
TEXTS = (
    "",
    "a",
    "ab",
    "aab 1",
    "\n",
    "a\n",
    "1-2",
    "é",
    "p{",
    "k<n>",
    " ",
    "a.b",
    "&&~",
    "aaa",
    "\x01",
    "\x00",
    "-",
    "]",
    "a1b2",
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map("".join))
def test_a_pattern_finds_what_javascript_finds(pattern):
    try:
        theirs = regress.Regex(pattern)
    except regress.RegressError:
        with pytest.raises(Invalid):
            ecmascript.compiled(pattern)
        return
    ours = ecmascript.compiled(pattern)
    assert {text: ours(text) for text in TEXTS} == {text: theirs.find(text) is not None for text in TEXTS}


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("\\w", "é", False),
        ("\\d", "٣", False),
        ("\\s", "\ufeff", True),
        (".", "\u2028", False),
        ("a$", "a\n", False),
        ("[]", "a", False),
        ("[^]", "\n", True),
        ("(?<year>\\d{4})-\\k<year>", "2024-2024", True),
        ("(?:(a)|b)\\1", "b", True),
        ("\\p{L}", "é", False),
        ("\\ud83d\\ude00", "😀", True),
        ("x{2", "x{2", True),
        ("[a-]", "-", True),
    ],
)
def test_what_python_reads_another_way_is_read_as_in_javascript(pattern, text, found):
    assert ecmascript.compiled(pattern)(text) is found


@pytest.mark.parametrize("pattern", ["(?i)x", "[", "(", "*a", "a**", "x{2,1}", "(?<a>x)(?<a>y)", "(?#x)", "a++"])
def test_what_javascript_does_not_know_is_invalid(pattern):
    with pytest.raises(Invalid):
        ecmascript.compiled(pattern)


@pytest.mark.parametrize("compiled", [ecmascript.compiled, patterns.compiled])
@pytest.mark.parametrize("pattern", ["a{1000000000}", "(?:(?:a{100}){100}){100}", "(ab){9999}", "[{]{20000}"])
def test_a_pattern_that_would_fill_the_memory_is_invalid(compiled, pattern):
    began = time.monotonic()
    with pytest.raises(Invalid, match="repeats to more than"):
        compiled(pattern)
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("depth", [400, 900])
def test_a_pattern_that_is_nested_deep_is_read_or_refused_but_nothing_breaks(depth):
    with suppress(Invalid):
        assert ecmascript.compiled("(" * depth + "a" + ")" * depth)("a")


def test_a_search_that_takes_too_long_is_stopped():
    began = time.monotonic()
    with pytest.raises(Unavailable, match="ran longer than 1 s"):
        ecmascript.compiled("(?:a|a)*(?:a|aa)+$")("a" * 4000 + "b")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("pattern", "places"),
    [("abc", 3), ("a{3}", 3), ("(ab){10}", 20), ("\\{5}{2}", 4), ("[]a]{3}", 3), ("a{0,500}", 1), ("(?:a|b){3}|c", 9)],
)
def test_repetitions_are_written_out_to_be_counted(pattern, places):
    assert abs(unrolled(pattern) - places) <= 3
