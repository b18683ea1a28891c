"""What is told about a suite that differs from the one that production was released with."""

import pytest

from cuelight_server.releases.suite_change import words


def case(id, **more):
    return {"id": id, "category": "edge", "title": id, "input": {}, **more}


def grader(severity="blocker", **more):
    return {"type": "equals", "path": "ok", "value": True, "severity": severity, **more}


OLD = {
    "suite": "s",
    "graders": [grader(), grader("major", path="b")],
    "cases": [case("A"), case("B", graders=[grader()])],
}


def test_nothing_is_told_of_the_same_suite():
    assert words(OLD, {**OLD}) == ""
    assert words(OLD, None) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cases": [case("A")]}, "1 case removed"),
        ({"cases": [*OLD["cases"], case("C"), case("D")]}, "2 cases added"),
        ({"cases": [case("A", title="other"), OLD["cases"][1]]}, "1 case changed"),
        ({"cases": [case("A"), case("B")]}, "1 grader removed"),
        ({"cases": [case("A"), case("B", graders=[grader("minor")])]}, "1 grader weakened"),
        ({"graders": []}, "2 graders removed"),
        ({"graders": [grader("major"), grader("minor", path="b")]}, "2 graders weakened"),
        ({"graders": [grader(value=False), grader("blocker", path="b")]}, "2 graders changed"),
        ({"graders": [*OLD["graders"], grader(path="c")]}, "1 grader added"),
        ({"expected_failures": [{"case": "A", "reason": "x"}]}, "1 expected failure added"),
        ({"judge": {"provider": "openai", "model": "m"}}, "1 model judge added"),
        ({"labels": [{"case": "A"}, {"case": "B"}]}, "2 labels added"),
        ({"cases": [case("A")], "graders": [grader("minor")]}, "1 case removed, 1 grader removed, 1 grader weakened"),
        ({"title": "other"}, "in other parts"),
    ],
)
def test_what_is_measured_otherwise_is_told_what_takes_away_first(change, told):
    assert words(OLD, {**OLD, **change}) == f"the suite differs from the one that what serves was released with: {told}"


def test_another_suite_is_told():
    assert "another one" in words(None, OLD)
