"""A review in the open: which output was whose, the words that differ, the grades, and how each reviewer answered."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.evaluation.written.beside import Part, Piece, apart
from cuelight_server.views.reviews import RevealedCase, ReviewLine, Said, Side

_MOST_SHOWN = 60_000  # characters of one output or input on a page


@dataclass(frozen=True, slots=True)
class Opened:
    """One version's output after signing: its words, each told apart from the other's."""

    label: str
    state: str
    word: str
    pieces: tuple[Piece, ...]
    calls: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevealedRow:
    """One case after signing."""

    case: str
    title: str
    why: str
    state: str
    word: str
    input: tuple[tuple[str, str], ...]
    sides: tuple[Opened, ...]
    said: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedPage:
    """A review after signing, or for somebody who does not read it."""

    person: str
    id: str
    prompt: str
    label: str
    question: str
    role: str
    summary: str
    signed_by: str
    cases: tuple[RevealedRow, ...]
    status: int = 200
    title: str = "Review"
    template: str = "reviews/revealed.html"


_WHY = {
    "named": "chosen by name",
    "newly_failing": "fails now and did not before",
    "changed": "the output changed",
    "drawn": "drawn by lot",
}
_PREFERS = {
    "candidate": "the new one is better",
    "baseline": "production is better",
    "both": "both are fine",
    "neither": "neither is acceptable",
}
_ALONE = {"both": "it is fine", "neither": "not acceptable"}


def revealed(person: str, line: ReviewLine, cases: tuple[RevealedCase, ...]) -> RevealedPage:
    """The page of a signed review, or of one that whoever looks is not to read."""
    return RevealedPage(
        person=person,
        id=line.id,
        prompt=line.prompt,
        label=line.label or "",
        question=line.question,
        role=line.role.replace("_", " "),
        summary=_summary(cases, len(line.signed_by)),
        signed_by=", ".join(dict.fromkeys(each.name for case in cases for each in case.said)) or "nobody yet",
        cases=tuple(_revealed_row(case) for case in cases),
    )


def _summary(cases: tuple[RevealedCase, ...], signed: int) -> str:
    if not signed:
        return f"{len(cases)} cases; nobody has signed yet."
    said = [each for case in cases for each in case.said]
    bad = sum(any(not each.candidate_ok for each in case.said) for case in cases)
    better = {who: sum(each.prefers == who for each in said) for who in ("candidate", "baseline")}
    differ = sum(case.disagree for case in cases)
    words = [
        f"found better: the new version {better['candidate']}, production {better['baseline']} times of {len(said)}"
    ]
    words += [f"somebody cannot live with the new output in {bad} of {len(cases)} cases" if bad else ""]
    words += [f"reviewers disagree about {differ}" if differ else ""]
    whole = "; ".join(filter(None, words))
    return f"{whole[:1].upper()}{whole[1:]}."


def _revealed_row(one: RevealedCase) -> RevealedRow:
    texts = [pretty(side.text) if side else "" for side in (one.candidate, one.baseline)]
    old, new = apart(texts[1], texts[0]) if one.baseline else ((), (Piece(Part.SAME, texts[0]),))
    sides = [_opened(one.candidate, "new", new)] if one.candidate else []
    sides += [_opened(one.baseline, "production", old)] if one.baseline else []
    bad = any(not each.candidate_ok for each in one.said)
    state, word = ("hold", "not acceptable to somebody") if bad else ("go", "can be lived with")
    if one.disagree:
        state, word = ("hold" if bad else "standby"), "reviewers disagree"
    if not one.said:
        state, word = "off", "not read yet"
    return RevealedRow(
        case=one.case,
        title=one.title,
        why=_WHY.get(one.why, one.why),
        state=state,
        word=word,
        input=inputs(one.input),
        sides=tuple(sides),
        said=tuple((each.name, _said(each), each.note) for each in one.said),
    )


def _opened(side: Side, what: str, found: tuple[Piece, ...]) -> Opened:
    state, word = ("go", "every grader passes") if side.passed else ("hold", "a grader fails")
    return Opened(
        label=f"{side.label}, {what}" if side.label else what,
        state=state,
        word=word,
        pieces=found,
        calls=calls(side.tool_calls),
        failed=tuple(f"{one.get('name')}: {one.get('message')}" for one in side.failed),
    )


def _said(each: Said) -> str:
    if each.baseline_ok is None:
        return _ALONE.get(each.prefers, each.prefers)
    words = _PREFERS.get(each.prefers, each.prefers)
    if each.prefers in ("both", "neither"):
        return words
    fine = [name for name, ok in (("the new one", each.candidate_ok), ("production", each.baseline_ok)) if ok]
    return f"{words}; can live with {' and '.join(fine) or 'neither'}"


def calls(given: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Tool calls, a line each."""
    return tuple(f"calls {one.get('name')} {_json(one.get('arguments'))}"[:_MOST_SHOWN] for one in given)


def inputs(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Name and text of each input."""
    return tuple((name, value if isinstance(value, str) else _json(value)) for name, value in _short(given))


def _short(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        yield name, value[:_MOST_SHOWN] if isinstance(value, str) else value


def pretty(text: str) -> str:
    """JSON line by line, as it is easier to read; anything else as it is."""
    try:
        return _json(json.loads(text))
    except (ValueError, RecursionError):
        return text[:_MOST_SHOWN]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)[:_MOST_SHOWN]
