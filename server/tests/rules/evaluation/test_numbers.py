"""Numbers in text, and how hard a text is to read."""

import pytest

from cuelight_server.evaluation.graders.numbers import numbers_in, numbers_of_texts, unknown_numbers
from cuelight_server.evaluation.graders.reading import reading_grade, syllables


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("1,000 staff", {"size": 1000}),
        ("1000 staff", {"text": "some 1,000 people"}),
        ("1,234,567.50", [1234567.5]),
        ("from 9.30", {"opens": "9:30"}),
        ("at 09:30", {"opens": "9.30"}),
        ("410-450 workers", "410 to 450 shift workers"),
        ("410 to 450", "410–450"),
        ("in 2026", {"as_of": "2026-10-01"}),
        ("9 homes", "runs nine homes"),
        ("25 homes, 12 shops", "twenty-five homes and a dozen shops"),
        ("320 beds", "three hundred and twenty beds"),
        ("2005", "two thousand five"),
        ("0.9 sure", {"deep": [{"er": [0.9]}]}),
        (".5 of it", "0.5"),
        ("1.0", [1]),
        ("the 1st", "1 house"),
        ("half", {}),
        ("3.", "3"),
        ("version 1.2.3", "1.2.3"),
        ("٣ houses", "3"),
    ],
)
def test_a_number_that_the_input_holds_is_known(text, given):
    assert unknown_numbers(text, numbers_in(given)) == []


@pytest.mark.parametrize(
    ("text", "given", "unknown"),
    [
        ("30% less", "3 homes", ["30"]),
        ("1,000 staff", "1 home, 0 staff", ["1,000"]),
        ("9 homes at 9.31", "nine homes, 9:30", ["9.31"]),
        ("10 and 11 and 10", {}, ["10", "11"]),
        ("1 is not true", [True], ["1"]),
        ("9 and 10", "nineteen", ["9", "10"]),
        ("19", "nine, ten", ["19"]),
        ("2026", "20 26", ["2026"]),
    ],
)
def test_a_number_that_the_input_does_not_hold_is_named_as_written(text, given, unknown):
    assert unknown_numbers(text, numbers_in(given)) == unknown


def test_numbers_that_are_always_fine_are_read_as_any_other():
    assert unknown_numbers("24 hours", numbers_of_texts(["24"])) == []


def test_a_text_without_a_word_has_no_reading_grade():
    assert reading_grade("") is None
    assert reading_grade("12 34!") is None


def test_the_reading_grade_is_flesch_kincaid():
    # 10 words, 2 sentences, 11 syllables: 0.39 * 5 + 11.8 * 1.1 - 15.59
    assert reading_grade("The cat sat on the mat. It was happy there.") == pytest.approx(0.39 * 5 + 11.8 * 1.1 - 15.59)


def test_longer_words_and_sentences_read_harder():
    easy = reading_grade("We cut it in four. Each part is the same.")
    hard = reading_grade("Denominators indicate equivalent partitions of an undivided quantity without exception.")
    assert easy < 2
    assert hard > 15


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("happy", 2), ("make", 1), ("table", 2), ("the", 1), ("tree", 1), ("denominator", 5), ("hmm", 1)],
)
def test_syllables_are_groups_of_vowels_without_a_silent_e(word, count):
    assert syllables(word) == count
