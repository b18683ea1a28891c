"""Suites from tables and from recorded calls: inputs by the prompt's own variables, and nothing that nobody said."""

import pytest

from client.tests.moving.conftest import refused
from cuelight.contract.format import check
from cuelight.moving.loose import read_csv
from cuelight.moving.report import CannotCarry, Report
from cuelight.moving.suites import Table, declared_in, from_calls

DECLARED = declared_in({
    "v1": {"variables": [{"name": "notes", "type": "string"}, {"name": "count", "type": "integer", "required": False}]},
    "v2": {"variables": [{"name": "notes", "type": "string"}, {"name": "facts", "type": "json"}]},
})  # fmt: skip


def made(rows):
    report = Report()
    document = Table(DECLARED, report).suite("rows", rows, "rows.csv")
    assert check("suite", document) == []
    return document["cases"], report


def test_columns_become_inputs_labels_tags_and_graders():
    rows = read_csv(
        "id,notes,count,facts,category,tags,label.mood,expected.summary,__expected,title\n"
        'A1,"We, met",3,"{""a"": 1}",Edge,"x, y",good,true,contains: met,One\n',
        "rows.csv",
    )
    cases, report = made(rows)
    assert cases == [
        {
            "id": "A1",
            "category": "edge",
            "title": "One",
            "tags": ["x", "y"],
            "label": {"mood": "good"},
            "input": {"notes": "We, met", "count": 3, "facts": {"a": 1}},
            "graders": [
                {"type": "equals", "severity": "major", "path": "summary", "value": True},
                {"severity": "major", "type": "contains", "value": "met"},
            ],
        }
    ]
    assert report.assertions() == {"carried": 2, "approximated": 0, "refused": 0}


def test_lines_of_json_keep_their_types():
    cases, _ = made(
        [
            {
                "input": {"notes": "n", "facts": [1]},
                "label": {"x": 1},
                "graders": [{"type": "json_only", "severity": "major"}],
            }
        ]
    )
    assert cases[0]["input"] == {"notes": "n", "facts": [1]}
    assert cases[0]["graders"] == [{"type": "json_only", "severity": "major"}]


def test_what_cannot_be_a_case_is_named_with_its_row():
    cases, report = made(
        [{"notes": "a", "extra": 1}, {"count": 1}, {"notes": "b", "count": "many"}, {"notes": "c", "id": "r1"}, [1]]
    )
    assert [one["id"] for one in cases] == ["r1"]
    said = refused(report)
    assert ("column", "extra", "no variable of the prompt is called so: left out") in said
    assert [what for kind, what, _ in said if kind == "row"] == ["row 2", "row 3", "row 4", "row 5"]
    assert "it gives no notes" in str(said)
    assert "'many', expected integer" in str(said)
    assert "the id r1 a second time" in str(said)


def test_a_category_that_is_none_of_ours_counts_as_normal_and_is_said():
    cases, report = made([{"notes": "a", "category": "weird"}])
    assert cases[0]["category"] == "normal"
    assert "none of the ten" in report.findings[0].why


def test_two_columns_of_one_name_and_an_open_quote_are_refused():
    with pytest.raises(CannotCarry, match="two columns called a"):
        read_csv("a,a\n1,2\n", "x.csv")
    with pytest.raises(CannotCarry, match="no CSV"):
        read_csv('a\n"never closed\n', "x.csv")


def test_calls_become_cases_that_claim_nothing():
    calls = [
        {"id": "out_1", "at": "2026-05-02T10:00:00Z", "version": "v2", "ok": True, "values": {"notes": "a"}},
        {"id": "out_2", "at": "2026-05-02T11:00:00Z", "version": "v2", "ok": False, "values": {"notes": "a"}},
        {"id": "out_3", "at": "2026-05-02T12:00:00Z", "version": None, "ok": None, "values": None},
    ]
    report = Report()
    document = from_calls("calls", calls, report)
    assert check("suite", document) == []
    assert [set(one) for one in document["cases"]] == [{"id", "category", "title", "tags", "input"}]
    assert document["cases"][0]["tags"] == ["to_label", "output:kept_its_contract"]
    assert [(one.state, one.what) for one in report.findings] == [
        ("carried", "out_1"), ("approximated", "out_2"), ("refused", "out_3"),
    ]  # fmt: skip
