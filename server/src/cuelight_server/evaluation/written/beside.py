"""Two outputs side by side, word by word: what is only in the one, only in the other, and in both."""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_MARKED = 4_000  # words and marks of both sides together that `apart` compares
_MOST = 6_000  # words and marks of one side that are compared; beyond that lines are


class Part(StrEnum):
    """Where a piece of text stands."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text and where it stands."""

    part: Part
    text: str


def beside(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces of both texts in order; joined without NEW they are `before`, without GONE they are `after`."""
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(left), len(right)) > _MOST:
        left, right = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if max(len(left), len(right)) > _MOST:
        return tuple(piece for piece in (Piece(Part.GONE, before), Piece(Part.NEW, after)) if piece.text)
    return tuple(_joined(_pieces(left, right)))


def apart(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """(`before` with what went marked, `after` with what came); longer texts are whole and without marks."""
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if len(left) + len(right) > _MOST_MARKED:
        return (Piece(Part.SAME, before),), (Piece(Part.SAME, after),)
    found = tuple(_pieces(left, right))
    went, came = (tuple(one for one in found if one.part is not hidden) for hidden in (Part.NEW, Part.GONE))
    return went, came


def readable(text: str) -> str:
    """A JSON object as people read it, with its own line ends; any other text as it is."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return text
    return json.dumps(found, ensure_ascii=False, indent=2).replace("\\n", "\n") if isinstance(found, dict) else text


def _pieces(left: list[str], right: list[str]) -> Iterator[Piece]:
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece(Part.SAME, "".join(left[a:b]))
            continue
        if a < b:
            yield Piece(Part.GONE, "".join(left[a:b]))
        if c < d:
            yield Piece(Part.NEW, "".join(right[c:d]))


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """A space alone between two changes is part of them: single words read worse than a phrase."""
    gone, new = "", ""
    for piece in pieces:
        if piece.part is Part.SAME and not (piece.text.isspace() and "\n" not in piece.text and (gone or new)):
            yield from _changed(gone, new)
            gone, new = "", ""
            yield piece
            continue
        gone += piece.text if piece.part is not Part.NEW else ""
        new += piece.text if piece.part is not Part.GONE else ""
    yield from _changed(gone, new)


def _changed(gone: str, new: str) -> Iterator[Piece]:
    if gone == new:
        if gone:
            yield Piece(Part.SAME, gone)
        return
    if gone:
        yield Piece(Part.GONE, gone)
    if new:
        yield Piece(Part.NEW, new)
