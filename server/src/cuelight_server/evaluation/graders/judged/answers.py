"""Reading a judge's answer strictly: a word with a score, or nonsense; nothing in between and nothing guessed."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_ANSWER = 64 * 1024
_MOST_REASON = 600
_MOST_STATEMENTS = 100
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
FACTUALITY = {"A": "subset", "B": "superset", "C": "agree", "D": "disagree", "E": "differButFactual"}


class Shape(StrEnum):
    """What form an answer has."""

    VERDICT = "verdict"
    CATEGORY = "category"
    SCALE = "scale"
    STATEMENTS = "statements"
    QUESTIONS = "questions"
    CHOICE = "choice"


class Nonsense(ValueError):
    """The judge's answer is none."""


@dataclass(frozen=True, slots=True)
class Word:
    """One answer of a judge. `score` runs from 0 to 1; `passed` is None where only a threshold decides."""

    passed: bool | None
    score: float
    reason: str = ""
    texts: tuple[str, ...] = ()  # questions, or the choice


def word(shape: Shape, text: str, scores: Mapping[str, float] | None = None) -> Word:
    """The answer; Nonsense, with the reason, where it is none. `scores` are those of factuality's categories."""
    return _READ[shape](_object(text), scores or {})


def closed(text: str) -> Word:
    """The answer to a criterion in somebody else's words: JSON as for a rubric, or a text that ends with Y or N."""
    try:
        return word(Shape.VERDICT, text)
    except Nonsense:
        end = text.rstrip()[-2:].strip()
        if end not in ("Y", "N") or len(text) > MOST_ANSWER:
            raise
        return Word(passed=end == "Y", score=float(end == "Y"), reason=_reason(text))


def _object(text: str) -> dict[str, Any]:
    if len(text) > MOST_ANSWER:
        raise Nonsense(f"an answer of {len(text)} characters")
    bare = text.strip()
    fenced = _FENCED.match(bare)
    try:
        found = json.loads(fenced.group(1) if fenced else bare, parse_constant=_no_number, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as bad:
        raise Nonsense("no JSON object" if not isinstance(bad, Nonsense) else str(bad)) from None
    if not isinstance(found, dict):
        raise Nonsense("no JSON object")
    return found


def _no_number(name: str) -> float:
    raise Nonsense(f"{name} for a number")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Nonsense("a key that stands twice")
    return made


def _verdict(found: dict[str, Any], _: Mapping[str, float]) -> Word:
    passed, score = found.get("pass"), found.get("score")
    if passed is not None and not isinstance(passed, bool):
        raise Nonsense(f"{str(passed)[:20]!r} for pass, which is true or false")
    if score is None:
        if passed is None:
            raise Nonsense("neither a pass nor a score")
        return Word(passed=passed, score=float(passed), reason=_reason(found.get("reason")))
    return Word(passed=passed, score=_number(score, 1.0), reason=_reason(found.get("reason")))


def _scale(found: dict[str, Any], _: Mapping[str, float]) -> Word:
    return Word(passed=None, score=_number(found.get("score"), 10.0) / 10, reason=_reason(found.get("reason")))


def _category(found: dict[str, Any], scores: Mapping[str, float]) -> Word:
    name = FACTUALITY.get(str(found.get("category", "")).strip(" ().").upper())
    if name is None:
        raise Nonsense("no category from A to E")
    usual = 0.0 if name == "disagree" else 1.0
    score = float(scores.get(name, usual))
    return Word(passed=score > 0, score=score, reason=f"{name}: {_reason(found.get('reason'))}")


def _statements(found: dict[str, Any], _: Mapping[str, float]) -> Word:
    rows = found.get("statements")
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_STATEMENTS:
        raise Nonsense("no list of 1 to 100 statements")
    if not all(isinstance(one, dict) and isinstance(one.get("holds"), bool) for one in rows):
        raise Nonsense("a statement that neither holds nor does not")
    bad = [str(one.get("text", ""))[:120] for one in rows if not one["holds"]]
    held = len(rows) - len(bad)
    reason = f"{held} of {len(rows)} hold" + (f"; not: {bad[0]}" if bad else "")
    return Word(passed=None, score=held / len(rows), reason=_reason(reason))


def _questions(found: dict[str, Any], _: Mapping[str, float]) -> Word:
    rows = found.get("questions")
    if not isinstance(rows, list) or len(rows) != 3 or not all(isinstance(one, str) and one.strip() for one in rows):
        raise Nonsense("not three questions")
    return Word(passed=None, score=0.0, texts=tuple(one[:2000] for one in rows))


def _choice(found: dict[str, Any], _: Mapping[str, float]) -> Word:
    better = found.get("better")
    if better not in ("first", "second", "neither"):
        raise Nonsense("neither first nor second nor neither")
    return Word(passed=None, score=0.5, reason=_reason(found.get("reason")), texts=(better,))


def _number(value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Nonsense("no score")
    if not 0 <= value <= most:
        raise Nonsense(f"a score of {value:g}, which is not from 0 to {most:g}")
    return float(value)


def _reason(value: Any) -> str:
    """Words for a report: one line, bounded."""
    text = " ".join(str(value if value is not None else "").split())
    return text if len(text) <= _MOST_REASON else text[: _MOST_REASON - 1] + "…"


_READ: Mapping[Shape, Callable[[dict[str, Any], Mapping[str, float]], Word]] = {
    Shape.VERDICT: _verdict,
    Shape.CATEGORY: _category,
    Shape.SCALE: _scale,
    Shape.STATEMENTS: _statements,
    Shape.QUESTIONS: _questions,
    Shape.CHOICE: _choice,
}
