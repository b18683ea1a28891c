"""Pairs in both orders: a winner is one in both, a change of sides is a tie that is counted, and too many end it."""

import pytest

from cuelight_server.evaluation.model import Arm
from cuelight_server.evaluation.pairwise import Choice, Pair, orders, refused, tally, together, words

NEW, OLD = Arm.CANDIDATE, Arm.BASELINE


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        (((NEW, "first"), (OLD, "second")), Choice.CANDIDATE),
        (((NEW, "second"), (OLD, "first")), Choice.PRODUCTION),
        (((NEW, "first"), (OLD, "first")), Choice.FLIP),
        (((OLD, "second"), (NEW, "second")), Choice.FLIP),
        (((NEW, "neither"), (OLD, "neither")), Choice.TIE),
        (((NEW, "first"), (OLD, "neither")), Choice.TIE),
    ],
)
def test_a_winner_is_one_in_both_orders(said, choice):
    assert together(said) is choice


def test_both_orders_are_asked_and_the_first_is_by_lot():
    drawn = [orders("judge", f"C{n}", 1) for n in range(400)]
    assert all(set(one) == set(Arm) for one in drawn)
    assert 160 < sum(one[0] is NEW for one in drawn) < 240
    assert drawn == [orders("judge", f"C{n}", 1) for n in range(400)]


def pairs(**counts):
    return [
        Pair(case=f"{name}{n}", sample=1, choice=Choice(name)) for name, count in counts.items() for n in range(count)
    ]


def test_a_judge_that_follows_the_order_judges_nothing():
    assert refused(tally(pairs(candidate=8, flip=2))) == ""
    said = refused(tally(pairs(candidate=7, flip=3)))
    assert (
        said
        == "the judge changed its mind with the order in 3 of 10 pairs (30%, at most 20%): it judges the order, not the outputs"
    )
    assert refused(tally(pairs(no_word=5))) == ""
    assert tally(pairs(no_word=5)).flip_rate is None


def test_the_tally_in_words():
    told = words(tally(pairs(candidate=5, production=2, tie=2, flip=1, no_word=1)))
    assert told == (
        "against production: better in 5, worse in 2, no difference in 3; in 1 of 10 pairs the winner changed with the order; "
        "1 without a word"
    )
