"""Answers of four real models to 1,319 questions: what a sound gate says of one against the other, on suites of any size."""

import csv
import random
from collections import Counter
from pathlib import Path

import pytest

from cuelight_server.evaluation.model import Finding
from cuelight_server.evaluation.statistics import Pair, compare
from cuelight_server.evaluation.statistics.settings import Settings

ROWS = list(csv.DictReader((Path(__file__).parents[2] / "vectors/gsm8k_paired.csv").open()))
GATE = Settings(margin=0.03)
WORSE, BETTER = ("6b_verification", "175b_finetuning"), ("6b_finetuning", "175b_verification")


def paired(production, candidate, rows=ROWS):
    return [Pair(str(at), "", int(row[candidate]), int(row[production]), 1) for at, row in enumerate(rows)]


def on_subsets(models, n, times=300, seed=1):
    """How often each finding comes out on random suites of n questions."""
    rng = random.Random(seed)
    found = Counter(compare(paired(*models, rng.sample(ROWS, n)), GATE).finding for _ in range(times))
    return {finding: found[finding] / times for finding in Finding}


def test_all_questions_show_that_the_one_model_is_worse():
    found = compare(paired(*WORSE), GATE)
    assert (found.lower_cases, found.higher_cases) == (209, 152)
    assert found.difference == pytest.approx(-0.0432, abs=0.0001)
    assert 2 * found.p_worse == pytest.approx(0.0027, abs=0.0008)  # two-sided
    assert found.finding is Finding.HARM


@pytest.mark.parametrize(
    ("n", "harm", "passes"), [(800, (0.80, 0.95), 0.01), (400, (0.42, 0.62), 0.02), (200, (0.24, 0.42), 0.04)]
)
def test_smaller_suites_see_less_and_seldom_pass_the_worse_model(n, harm, passes):
    found = on_subsets(WORSE, n)
    assert harm[0] <= found[Finding.HARM] <= harm[1]
    assert found[Finding.NOT_WORSE] <= passes


def test_fifty_questions_do_not_decide_on_four_points():
    found = on_subsets(WORSE, 50)
    assert found[Finding.OPEN] > 0.7
    assert found[Finding.NOT_WORSE] < 0.05


def test_a_model_that_is_far_better_passes_on_fifty_questions():
    assert on_subsets(BETTER, 50, times=500)[Finding.NOT_WORSE] == 1.0


def test_a_model_with_itself_is_never_harm():
    for model in ROWS[0].keys() - {"case"}:
        assert compare(paired(model, model), GATE).finding is Finding.NOT_WORSE
        found = on_subsets((model, model), 100, times=20)
        assert found[Finding.HARM] == 0


def test_what_is_open_says_how_many_questions_would_settle_it():
    """The number that is named does settle it, four times of five, where the difference is what it was."""
    some = compare(paired(*WORSE, ROWS[:200]), GATE)
    assert some.finding is Finding.OPEN
    assert some.more_cases
    assert 0.05 < some.sees < 0.15
