"""Assertions on plain text: what it contains, begins with, equals or matches, how long it is, how far from another."""

import json
import math
from collections.abc import Callable
from typing import Any

from cuelight.contract.condition import same
from cuelight_server.evaluation.graders.asked import Asked, Assertion, said, shown
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.sample import Rule
from cuelight_server.kernel import ecmascript
from cuelight_server.kernel.assertions import pieces
from cuelight_server.kernel.javascript import text_of, written

_MOST_STEPS = 5_000_000  # of the table of distances: what is larger takes seconds


def _contains(asked: Asked) -> Outcome:
    return said(asked, asked.ready in asked.text, f"contain {shown(asked.ready)}")


def _icontains(asked: Asked) -> Outcome:
    return said(asked, asked.ready in asked.text.lower(), f"contain {shown(asked.ready)}, whatever the case")


def _any(fold: Callable[[str], str], words: str) -> Callable[[Asked], Outcome]:
    def check(asked: Asked) -> Outcome:
        text = fold(asked.text)
        return said(asked, any(one in text for one in asked.ready), f"contain one of {_listed(asked.ready)}{words}")

    return check


def _all(fold: Callable[[str], str], words: str) -> Callable[[Asked], Outcome]:
    def check(asked: Asked) -> Outcome:
        text = fold(asked.text)
        absent = [one for one in asked.ready if one not in text]
        missed = f"; missing: {_listed(absent)}" if absent else ""
        return said(asked, not absent, f"contain all of {_listed(asked.ready)}{words}{missed}")

    return check


def _starts_with(asked: Asked) -> Outcome:
    return said(asked, asked.text.startswith(asked.ready), f"start with {shown(asked.ready)}")


def _equals(asked: Asked) -> Outcome:
    if not isinstance(asked.value, dict | list):
        return said(asked, asked.text == text_of(asked.value), f"equal {shown(text_of(asked.value))}")
    held = same(asked.output if not isinstance(asked.output, str) else _parsed(asked.output), asked.value)
    return said(asked, held, f"equal {shown(written(asked.value))}")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _regex(asked: Asked) -> Outcome:
    return said(asked, asked.ready(asked.text), f"match {shown(text_of(asked.value))}")


def _word_count(asked: Asked) -> Outcome:
    count = len(asked.text.split())
    least, most = asked.ready
    wanted = f"have {least:g} words" if least == most else f"have {least:g} to {most:g} words"
    if least != most and math.isinf(most):
        wanted = f"have at least {least:g} words"
    return said(asked, least <= count <= most, f"{wanted} (it has {count})")


def _bounds(_rule: Rule, value: Any) -> tuple[float, float]:
    if isinstance(value, dict):
        return float(value.get("min", 0)), float(value.get("max", math.inf))
    return float(value), float(value)


def _levenshtein(asked: Asked) -> Outcome:
    most = int(asked.threshold(5))
    if (2 * most + 1) * min(len(asked.text), len(asked.ready) + most) > _MOST_STEPS:
        return not_run(f"the texts are too long for a distance of up to {most}: give a smaller threshold")
    far = distance(asked.text, asked.ready, most)
    told = f"{far}" if far <= most else f"more than {most}"
    return said(asked, far <= most, f"be at most {most} edits from {shown(asked.ready)} (it is {told})")


def distance(one: str, other: str, most: int) -> int:
    """Levenshtein's distance, counted up to `most`; anything further is `most` + 1. Only the band that matters is done."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    far = most + 1
    row = [column if column <= most else far for column in range(len(other) + 1)]
    for line, char in enumerate(one, 1):
        begin, end = max(1, line - most), min(len(other), line + most)
        new = [far] * (len(other) + 1) if begin > 1 or end < len(other) else row[:]
        new[0] = line if line <= most else far
        for column in range(begin, end + 1):
            cost = row[column - 1] + (char != other[column - 1])
            new[column] = min(cost, row[column] + 1, new[column - 1] + 1, far)
        row = new
    return row[-1]


def _plain(_rule: Rule, value: Any) -> str:
    return text_of(value)


def _lower(_rule: Rule, value: Any) -> str:
    return text_of(value).lower()


def _pieces(_rule: Rule, value: Any) -> list[str]:
    return pieces(value)


def _lower_pieces(_rule: Rule, value: Any) -> list[str]:
    return [one.lower() for one in pieces(value)]


def _listed(values: list[str]) -> str:
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return ", ".join(map(shown, values[:5])) + more


TABLE = {
    "contains": Assertion(check=_contains, ready=_plain),
    "icontains": Assertion(check=_icontains, ready=_lower),
    "contains-any": Assertion(check=_any(str, ""), ready=_pieces),
    "icontains-any": Assertion(check=_any(str.lower, ", whatever the case"), ready=_lower_pieces),
    "contains-all": Assertion(check=_all(str, ""), ready=_pieces),
    "icontains-all": Assertion(check=_all(str.lower, ", whatever the case"), ready=_lower_pieces),
    "starts-with": Assertion(check=_starts_with, ready=_plain),
    "equals": Assertion(check=_equals),
    "regex": Assertion(check=_regex, ready=lambda _rule, value: ecmascript.compiled(text_of(value))),
    "word-count": Assertion(check=_word_count, ready=_bounds),
    "levenshtein": Assertion(check=_levenshtein, ready=_plain),
}
