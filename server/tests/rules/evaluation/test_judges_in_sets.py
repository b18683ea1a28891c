"""Judges inside of sets and of no weight: their words go with the set, and none of them is a case's only blocker unseen."""

import pytest

from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.kernel.judges import judge_alone
from server.tests.judged import JUDGE, RULE, Heard, said, verdict

SET = {
    "type": "assert-set",
    "severity": "blocker",
    "assert": [
        {"type": "contains", "value": "Dear"},
        {"type": "llm-rubric", "value": "Is it kind to {{name}}?", "judge": JUDGE},
        {"type": "g-eval", "value": "It is short.", "judge": JUDGE, "weight": 2},
    ],
}


def test_judges_inside_a_set_answer_for_it_and_their_words_go_with_the_set():
    one, heard = said(SET, verdict(True, 0.9), {"score": 8, "reason": "short"})
    assert (one.passed, one.not_run, len(heard.asked)) == (True, "", 2)
    assert one.score == pytest.approx((1 + 0.9 + 2 * 0.8) / 4)
    assert [told["judge"] for told in one.said["members"]] == [asked.judge for asked in heard.asked]
    assert (one.judge, one.said["judge"]) == (one.said["judge"], one.judge)


def test_a_judge_in_a_set_that_answers_nonsense_leaves_the_set_without_a_word():
    one, _ = said(SET, verdict(True, 0.9), "no idea")
    assert (one.passed, one.not_run[:20]) == (False, "g-eval: the judge an")
    assert [bool(told["not_run"]) for told in one.said["members"]] == [False, True]


def test_judges_of_a_set_that_has_its_word_are_not_asked_again():
    heard = Heard(verdict(True, 0.9), {"score": 8, "reason": "short"})
    grader, seen = prepare(SET, None, Outside(judge=heard)), read("Dear Ada", input={"name": "Ada"})
    (one,) = grade((grader,), seen)
    again = Outcome(one.passed, one.message, one.score, said=one.said)
    assert grade((grader,), seen, {one.name: again}) == (one,)
    other = prepare({**SET, "assert": SET["assert"][:2]}, None, Outside(judge=heard))
    grade((other,), seen, {one.name: again})
    assert len(heard.asked) == 3


@pytest.mark.parametrize(
    ("change", "alone"),
    [
        pytest.param({}, False, id="every member must pass, and one is a rule"),
        pytest.param({"threshold": 0.5}, True, id="judges may outvote the rule"),
        pytest.param({"assert": SET["assert"][1:]}, True, id="judges one and all"),
        pytest.param(
            {"assert": [{**SET["assert"][0], "weight": 0}, *SET["assert"][1:]]}, True, id="the rule is nothing"
        ),
        pytest.param({"assert": SET["assert"][:1], "threshold": 0.5}, False, id="no judge"),
    ],
)
def test_a_set_rests_on_judges_where_no_rule_in_it_is_enough_to_fail_it(change, alone):
    rule = {**SET, **change}
    assert said(rule, verdict(True, 0.9), {"score": 8, "reason": "short"})[0].alone is alone
    assert judge_alone([rule], {}, None) is alone


def test_a_rule_that_weighs_nothing_stands_beside_no_judge():
    idle = {"type": "contains", "value": "x", "severity": "blocker", "weight": 0}
    assert judge_alone([RULE, idle], {}, None)
    assert not judge_alone([RULE, {**idle, "weight": 1}], {}, None)


def test_a_judge_that_weighs_nothing_is_only_reported():
    one, _ = said({**RULE, "weight": 0, "metric": "kind"}, verdict(False, 0.2))
    assert (one.passed, one.score, one.metric) == (True, 0.2, "kind")
