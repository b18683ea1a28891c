"""What is wrong with a suite's model judges is found before anything is asked of them."""

import pytest

from cuelight_server.prompts.lint import lint
from server.tests.folders import facts, folder, suite


def suited(**changes):
    return folder(suites={"answer": suite(**changes)})


JUDGE = {"provider": "openai", "model": "m-judge-2026-06-01"}
RUBRIC = {"type": "llm-rubric", "severity": "blocker", "value": "Is it kind?"}


def judging(*rules, tier="low", **changes):
    made = suited(graders=list(rules), **changes)
    return {**made, "workflow": {**made["workflow"], "tier": tier}}


def about_judges(made):
    codes = ("judge_missing", "judge_alone", "judge_threshold_missing", "grader_not_carried", "label_unknown")
    return [(one.code, one.severity, one.path) for one in lint(facts(made)) if one.code in codes]


def test_a_judge_that_nobody_names_is_found():
    assert about_judges(judging(RUBRIC)) == [("judge_missing", "error", ("graders", 0))]
    assert about_judges(judging(RUBRIC, judge=JUDGE)) == []
    assert about_judges(judging({**RUBRIC, "judge": JUDGE})) == []
    assert about_judges(judging({**RUBRIC, "provider": "openai:gpt-5"})) == []


@pytest.mark.parametrize("tier", ["low", "elevated", "high", "regulated"])
def test_a_judge_alone_is_not_enough_from_tier_high_up(tier):
    alone = [("judge_alone", "error", ("cases",))] if tier in ("high", "regulated") else []
    assert about_judges(judging(RUBRIC, judge=JUDGE, tier=tier)) == alone
    assert about_judges(judging({**RUBRIC, "severity": "major"}, judge=JUDGE, tier=tier)) == alone
    beside = {"type": "json_only", "severity": "blocker"}
    assert about_judges(judging(RUBRIC, beside, judge=JUDGE, tier=tier)) == []
    assert about_judges(judging(RUBRIC, {**beside, "severity": "major"}, judge=JUDGE, tier=tier)) == alone


def test_a_share_without_a_threshold_and_what_is_not_carried_are_warnings():
    share = {"type": "context-recall", "severity": "minor", "value": "x"}
    assert about_judges(judging(share, judge=JUDGE)) == [("judge_threshold_missing", "warning", ("graders", 0))]
    assert about_judges(judging({**share, "threshold": 0.8}, judge=JUDGE)) == []
    assert about_judges(judging({"type": "not-moderation", "severity": "minor"})) == [
        ("grader_not_carried", "warning", ("graders", 0))
    ]


def test_a_label_for_no_case_or_no_judge_is_found():
    case = suite()["cases"][0]["id"]
    good = {"grader": "llm-rubric", "case": case, "output": "x", "passed": True}
    assert about_judges(judging(RUBRIC, judge=JUDGE, labels=[good])) == []
    found = about_judges(
        judging(RUBRIC, judge=JUDGE, labels=[{**good, "case": "gone"}, {**good, "grader": "json_only"}])
    )
    assert found == [
        ("label_unknown", "error", ("labels", 0, "case")),
        ("label_unknown", "error", ("labels", 1, "grader")),
    ]


def test_an_input_that_only_a_judge_is_shown_is_used():
    cases = [{**suite()["cases"][0], "input": {**suite()["cases"][0]["input"], "query": "q", "tone": "warm"}}]
    rule = {**RUBRIC, "value": "Is it {{ tone }}?"}
    unused = [
        one for one in lint(facts(judging(rule, judge=JUDGE, cases=cases))) if one.code == "case_input_undeclared"
    ]
    assert unused == []
    unused = [
        one for one in lint(facts(judging(RUBRIC, judge=JUDGE, cases=cases))) if one.code == "case_input_undeclared"
    ]
    assert len(unused) == 1
