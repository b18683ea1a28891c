"""How far a judge agrees with people: known values, honest intervals, and a correction that simulation confirms."""

import math
import random

import pytest

from cuelight_server.evaluation.agreement import agreement, corrected, difference, share, trusted, words


def marks(both, person_only, judge_only, neither):
    return (
        [(True, True)] * both
        + [(True, False)] * person_only
        + [(False, True)] * judge_only
        + [(False, False)] * neither
    )


def test_kappa_and_ac1_of_a_table_known_from_the_books():
    found = agreement(marks(20, 5, 10, 15))
    assert round(found.kappa, 4) == 0.4  # 35 of 50 agree, 0.5 by chance
    assert round(found.ac1, 4) == round((0.7 - 0.495) / 0.505, 4)
    assert (round(found.hits.value, 2), round(found.refusals.value, 2)) == (0.8, 0.6)


def test_the_words_say_how_many_and_how_sure():
    assert words(agreement(marks(25, 2, 2, 21))).startswith("agrees with people in 46 of 50, kappa 0.84 (0.62 to 0.94)")
    assert words(agreement([])) == "no labels: nobody has checked this judge"
    assert "kappa is not known" in words(agreement(marks(10, 0, 0, 0)))


def test_full_agreement_on_few_labels_is_not_certain():
    found = agreement(marks(5, 0, 0, 5))
    assert (found.kappa, round(found.kappa_high, 9)) == (1.0, 1.0)
    assert found.kappa_low < 0.6
    assert trusted(found) is True if found.kappa_low >= 0.4 else trusted(found) is None


def test_where_nearly_everything_passes_kappa_falls_and_ac1_stays():
    found = agreement(marks(95, 2, 2, 1))
    assert found.kappa < 0.4
    assert found.ac1 > 0.9


@pytest.mark.parametrize(("table", "said"), [((45, 5, 5, 45), True), ((4, 2, 1, 4), None), ((30, 20, 20, 30), False)])
def test_whether_one_may_lean_on_it_waits_for_enough_labels(table, said):
    assert trusted(agreement(marks(*table))) is said


def test_the_interval_of_kappa_holds_what_it_promises():
    lot, held, tries = random.Random(4), 0, 600
    chance = 0.6 * 0.62 + 0.4 * 0.38
    true = (0.6 * 0.9 + 0.4 * 0.8 - chance) / (1 - chance)
    for _ in range(tries):
        rows = []
        for _ in range(100):
            person = lot.random() < 0.6
            rows.append((person, lot.random() < (0.9 if person else 0.2)))
        found = agreement(rows)
        held += found.kappa_low <= true <= found.kappa_high
    assert 0.92 <= held / tries <= 0.98


def test_a_share_of_nothing_is_not_known():
    assert share(0, 0).value is None
    assert share(0, 10).low == 0.0
    assert round(share(0, 10).high, 3) == 0.278


def _arm(lot, rate, tpr, tnr, n):
    rows = []
    for _ in range(n):
        person = lot.random() < rate
        rows.append((float(person), float(lot.random() < (tpr if person else 1 - tnr))))
    return rows


def test_labels_undo_what_a_judge_hides_when_it_errs_unequally():
    """True -5 points; a judge whose TNR is .75 on production and .60 on the candidate sees nearly none of it."""
    lot, naive, fixed, alone, held, tries = random.Random(11), [], [], [], 0, 300
    for _ in range(tries):
        new, old = _arm(lot, 0.75, 0.93, 0.60, 1100), _arm(lot, 0.80, 0.93, 0.75, 1100)
        sides = [corrected(rows[:100], [judge for _, judge in rows[100:]]) for rows in (new, old)]
        found = difference(*sides)
        fixed.append(found.value)
        held += found.low <= -0.05 <= found.high
        naive.append(sum(j for _, j in new) / 1100 - sum(j for _, j in old) / 1100)
        alone.append(sum(p for p, _ in new[:100]) / 100 - sum(p for p, _ in old[:100]) / 100)
    assert abs(_mean(naive) - -0.05) > 0.03
    assert abs(_mean(fixed) - -0.05) < 0.012
    assert _sd(fixed) < 0.95 * _sd(alone)
    assert 0.91 <= held / tries <= 0.98


def test_a_judge_that_knows_nothing_gets_no_weight():
    lot = random.Random(3)
    rows = [(float(lot.random() < 0.7), float(lot.random() < 0.5)) for _ in range(400)]
    found = corrected(rows[:200], [judge for _, judge in rows[200:]])
    assert found.tuning < 0.2
    assert abs(found.value - _mean([person for person, _ in rows[:200]])) < 0.02


def test_too_few_labels_correct_nothing():
    assert corrected([(1.0, 1.0)], [1.0]) is None
    assert corrected([(1.0, 1.0), (0.0, 0.0)], []) is None


def _mean(values):
    return sum(values) / len(values)


def _sd(values):
    middle = _mean(values)
    return math.sqrt(sum((one - middle) ** 2 for one in values) / (len(values) - 1))
