"""Graders that hold an output against the case's input: refs, quotes, numbers, and values that must stay inside."""

from typing import Any

from cuelight.contract.condition import same
from cuelight_server.evaluation.graders.numbers import numbers_in, numbers_of_texts, unknown_numbers
from cuelight_server.evaluation.graders.sample import Rule, Sample, leaves, show_all, text_of


def refs_exist(rule: Rule, sample: Sample) -> str:
    """Every ref at these paths exists in the input; a null is no ref."""
    given = sample.given(rule["input_paths"])
    unknown = [ref for ref in sample.found(rule["paths"]) if not any(same(ref, one) for one in given)]
    return f"the input has no {show_all(unknown)}" if unknown else ""


def quotes_in_input(rule: Rule, sample: Sample) -> str:
    """Every quote is found word for word in one value of the input, spaces and case aside; a blank one is no quote."""
    sources = [_even(text_of([value])) for value in sample.given(rule["input_paths"])]
    quotes = [text_of([quote]) for quote in sample.found(rule["paths"])]
    wrong = [quote for quote in quotes if not _even(quote) or not any(_even(quote) in source for source in sources)]
    return f"not word for word in the input: {show_all(wrong)}" if wrong else ""


def numbers_in_input(rule: Rule, sample: Sample) -> str:
    """The texts at these paths hold no number that the input does not hold, in digits or in words."""
    known = numbers_in(sample.input) | numbers_of_texts([str(one) for one in rule.get("ignore", [])])
    unknown = unknown_numbers(text_of(sample.found(rule["paths"])), known)
    return f"the input does not hold the number {', '.join(unknown[:5])}" if unknown else ""


def input_values_absent(rule: Rule, sample: Sample) -> str:
    """The listed input values do not appear, as whole words, in the output: its raw text and every value inside."""
    if rule.get("paths"):
        places: list[Any] = sample.found(rule["paths"])
    else:
        places = [sample.text, sample.value]
    texts = [_even(text_of([leaf])) for leaf in leaves(places)]
    values = [
        leaf for leaf in leaves(sample.given(rule["input_paths"])) if leaf is not None and text_of([leaf]).strip()
    ]
    leaked = [value for value in values if any(_has_word(text, _even(text_of([value]))) for text in texts)]
    return f"the output repeats {show_all(leaked)} from the input" if leaked else ""


def _even(text: str) -> str:
    """Case folded, every run of white space one space."""
    return " ".join(text.casefold().split())


def _has_word(text: str, word: str) -> bool:
    at = text.find(word)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (before.isalnum() and word[0].isalnum()) and not (after.isalnum() and word[-1].isalnum()):
            return True
        at = text.find(word, at + 1)
    return False
