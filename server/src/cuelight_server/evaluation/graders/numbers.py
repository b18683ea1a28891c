"""Numbers in text: 1,000 is 1000, 9:30 is 9.30, a range is two numbers, and the input may spell them out."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from cuelight.contract.condition import is_number
from cuelight_server.evaluation.graders.sample import leaves

Numbers = frozenset[Decimal]

_NUMBER = re.compile(r"(?<!\S)\.\d+|\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ONE_MARK = re.compile(r"\d+[.,:]\d+")
_WORDS = re.compile(r"[a-z]+")

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_HUNDRED, _DOZEN = 100, -12  # both multiply; minus tells a dozen from twelve
_SPELLED = {
    **{word: number for number, word in enumerate(_SMALL.split())},
    **{word: 10 * place for place, word in enumerate(_TENS.split(), 2)},
    "hundred": _HUNDRED,
    "thousand": 1000,
    "million": 1_000_000,
    "dozen": _DOZEN,
}


def numbers_in(value: Any) -> Numbers:
    """Every number in a JSON value: JSON numbers, and those in its texts, in digits or in English words."""
    found, texts = set[Decimal](), []
    for leaf in leaves(value):
        if is_number(leaf):
            found.add(Decimal(str(leaf)))
        elif isinstance(leaf, str):
            texts.append(leaf)
    return frozenset(found) | numbers_of_texts(texts)


def numbers_of_texts(texts: Iterable[str]) -> Numbers:
    """Every number in these texts."""
    found = set[Decimal]()
    for text in texts:
        for token in _NUMBER.findall(text):
            found.update(_reading(token))
        found.update(_spelled(text))
    return frozenset(found)


def unknown_numbers(text: str, known: Numbers) -> list[str]:
    """The numbers in digits in `text`, as written, that are not known; in order, each once."""
    tokens = dict.fromkeys(_NUMBER.findall(text))
    return [token for token in tokens if not known.issuperset(_reading(token))]


def _reading(token: str) -> list[Decimal]:
    """The numbers that a token stands for: one, or several where it is a date or a version with many marks."""
    if _THOUSANDS.fullmatch(token):
        token = token.replace(",", "")
    elif _ONE_MARK.fullmatch(token):
        token = re.sub("[,:]", ".", token)
    elif any(mark in token for mark in ",:") or token.count(".") > 1:
        return [Decimal(part) for part in re.split("[.,:]", token)]
    try:
        return [Decimal(token)]
    except InvalidOperation:  # digits of a script that Decimal does not read
        return []


def _spelled(text: str) -> Iterable[Decimal]:
    """Numbers in words: `nine`, `twenty-five`, `three hundred and five`, `a dozen`."""
    run: list[int] = []
    for word in [*_WORDS.findall(text.lower()), ""]:
        if word in _SPELLED:
            run.append(_SPELLED[word])
        elif run and word != "and":
            yield from _joined(run)
            run = []


def _joined(run: list[int]) -> Iterable[Decimal]:
    """The numbers in a run of number words: [20, 5] is 25, [3, 100, 5] is 305, [9, 10] is 9 and 10."""
    total = group = 0
    for value in run:
        if value >= 1000:
            total, group = total + max(group, 1) * value, 0
        elif value in (_HUNDRED, _DOZEN):
            group = max(group, 1) * abs(value)
        elif group % 100 == 0 or (value < 10 and group % 100 >= 20 and group % 10 == 0):
            group += value
        else:
            yield Decimal(total + group)
            total, group = 0, value
    yield Decimal(total + group)
