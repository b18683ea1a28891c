"""Graders of text at a path: what it contains, which pattern it fits, how long and how hard to read it is."""

from typing import Any

from cuelight_server.evaluation.graders.reading import reading_grade
from cuelight_server.evaluation.graders.sample import Rule, Sample, plain, show, show_all, text_of
from cuelight_server.kernel.errors import Invalid

PATTERN_LIMIT_S = 2.0


def contains_any(rule: Rule, sample: Sample) -> str:
    """The text contains at least one of these, whatever the case."""
    text = _folded(rule, sample)
    hit = any(value.casefold() in text for value in rule["values"])
    return "" if hit else f"{rule['path']} contains none of {show_all(rule['values'])}"


def contains_all(rule: Rule, sample: Sample) -> str:
    """The text contains all of these, whatever the case."""
    text = _folded(rule, sample)
    absent = [value for value in rule["values"] if value.casefold() not in text]
    return f"{rule['path']} does not contain {show_all(absent)}" if absent else ""


def not_contains(rule: Rule, sample: Sample) -> str:
    """The text contains none of these, whatever the case."""
    text = _folded(rule, sample)
    present = [value for value in rule["values"] if value.casefold() in text]
    return f"{rule['path']} contains {show_all(present)}, which it must not" if present else ""


def matches(pattern: Any, rule: Rule, sample: Sample) -> str:
    """The compiled pattern is found in the text."""
    found = _search(pattern, rule, sample)
    return "" if found else f"{rule['path']} does not match {plain(rule['pattern'])}"


def not_matches(pattern: Any, rule: Rule, sample: Sample) -> str:
    """The compiled pattern is not found in the text."""
    found = _search(pattern, rule, sample)
    return f"{rule['path']} has {show(found.group())}, which {plain(rule['pattern'])} forbids" if found else ""


def max_words(rule: Rule, sample: Sample) -> str:
    """At most n words."""
    count = len(text_of(sample.at(rule["path"])).split())
    return f"{rule['path']} has {count} words, wanted at most {rule['n']}" if count > rule["n"] else ""


def max_chars(rule: Rule, sample: Sample) -> str:
    """At most n characters."""
    count = len(text_of(sample.at(rule["path"])))
    return f"{rule['path']} has {count} characters, wanted at most {rule['n']}" if count > rule["n"] else ""


def reading_grade_max(rule: Rule, sample: Sample) -> str:
    """Flesch-Kincaid grade is at most n; where there is no text there is no grade, and that is a failure."""
    grade = reading_grade(text_of(sample.at(rule["path"])))
    if grade is None:
        return f"{rule['path']} has no text, so its reading grade is not known"
    return f"{rule['path']} reads at grade {grade:.1f}, wanted at most {rule['n']}" if grade > rule["n"] else ""


def _search(pattern: Any, rule: Rule, sample: Sample) -> Any:
    try:
        return pattern.search(text_of(sample.at(rule["path"])), timeout=PATTERN_LIMIT_S)
    except TimeoutError as slow:
        raise Invalid(
            f"the pattern {rule['pattern']!r} ran longer than {PATTERN_LIMIT_S:g} s on one output",
            "avoid nested repetition such as (a+)+ in the suite's pattern",
        ) from slow


def _folded(rule: Rule, sample: Sample) -> str:
    return text_of(sample.at(rule["path"])).casefold()
