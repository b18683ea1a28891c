"""The grammar of an expected cell, and the columns of a row that begin with two underscores."""

import pytest

from cuelight.moving.cells import assertion, listed, row_test
from cuelight.moving.report import CannotCarry


@pytest.mark.parametrize(
    ("cell", "made"),
    [
        ("Paris", {"type": "equals", "value": "Paris"}),
        ("equals: Paris", {"type": "equals", "value": "Paris"}),
        ("contains: a, b", {"type": "contains", "value": "a, b"}),
        ('contains-any: a, "b, c" ,d', {"type": "contains-any", "value": ["a", "b, c", "d"]}),
        ("not-icontains-all:x,y", {"type": "not-icontains-all", "value": ["x", "y"]}),
        ("is-json", {"type": "is-json"}),
        ('is-json: {"type": "object"}', {"type": "is-json", "value": ' {"type": "object"}'}),
        ("similar(0.9): hello", {"type": "similar", "value": "hello", "threshold": 0.9}),
        ("similar:hello", {"type": "similar", "value": "hello", "threshold": 0.8}),
        ("similar:cosine: hello", {"type": "similar:cosine", "value": "hello"}),
        ("latency(200)", {"type": "latency", "threshold": 200.0}),
        ("cost", {"type": "cost", "threshold": 0.75}),
        ("levenshtein(5): abc", {"type": "levenshtein", "value": "abc", "threshold": 5.0}),
        ("javascript: output.length > 2", {"type": "javascript", "value": "output.length > 2"}),
        ("fn:output === 'x'", {"type": "javascript", "value": "output === 'x'"}),
        ("eval:true", {"type": "javascript", "value": "true"}),
        ("python: len(output)", {"type": "python", "value": "len(output)"}),
        ("grade: is kind", {"type": "llm-rubric", "value": " is kind"}),
        ("llm-rubric:is kind", {"type": "llm-rubric", "value": "is kind"}),
        ("file://check.js:fn", {"type": "javascript", "value": "file://check.js:fn"}),
        ("file://check.py", {"type": "python", "value": "file://check.py"}),
        ("containsfoo: a", {"type": "equals", "value": "containsfoo: a"}),
        ("http://x.example", {"type": "equals", "value": "http://x.example"}),
    ],
)
def test_a_cell_asks_for_what_promptfoo_reads_in_it(cell, made):
    assert assertion(cell) == made


def test_a_list_in_a_cell_has_quotes_as_a_table_has_them():
    assert listed('"a ""b""", c,, d ') == ['a "b"', "c", "d"]
    with pytest.raises(CannotCarry, match="never closes"):
        listed('"a')


def test_a_row_with_every_special_column():
    row = {
        "q": "why?",
        "__expected": "contains: a",
        "__expected2": "similar: b",
        "__expected3": "",
        "__prefix": "Hi ",
        "__suffix": "!",
        "__description": "a row",
        "__providerOutput": "given",
        "__metric": "m",
        "__threshold": "0.5",
        "__metadata:area": "north",
        "__metadata:tags[]": "a, b\\,c",
        "__config:__expected2:threshold": "0.6",
        "__nonsense": "x",
    }
    assert row_test(row) == {
        "vars": {"q": "why?"},
        "assert": [
            {"type": "contains", "value": "a", "metric": "m", "column": "__expected"},
            {"type": "similar", "value": "b", "threshold": 0.6, "metric": "m", "column": "__expected2"},
        ],
        "options": {"prefix": "Hi ", "suffix": "!"},
        "description": "a row",
        "providerOutput": "given",
        "threshold": 0.5,
        "metadata": {"area": "north", "tags": ["a", "b,c"]},
        "unknown_columns": ["__nonsense"],
    }


def test_a_config_column_that_names_nothing_is_refused():
    with pytest.raises(CannotCarry, match="__config:x:threshold"):
        row_test({"__config:x:threshold": "1"})
