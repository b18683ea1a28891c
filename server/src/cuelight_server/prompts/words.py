"""Word by word: what was put into a text and what was taken out of it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MOST_PAIRS = 50_000  # equal pairs that a comparison may have to look at; beyond it, a passage is shown as a whole


class Op(StrEnum):
    """What happened to a stretch of text."""

    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch of text: everything but `insert` is the old text, everything but `delete` the new one."""

    op: Op
    text: str


def words(old: str, new: str) -> tuple[Edit, ...]:
    """The edits from one text to the other: first by line, then by word inside of the lines that changed."""
    edits: list[Edit] = []
    for op, before, after in _compare(_LINE.findall(old), _LINE.findall(new)):
        if op is Op.EQUAL:
            _add(edits, Op.EQUAL, before)
        else:
            for inner, removed, added in _compare(_WORD.findall(before), _WORD.findall(after)):
                _add(edits, inner, removed)
                _add(edits, Op.INSERT, added if inner is not Op.EQUAL else "")
    return tuple(edits)


def _compare(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Op, str, str]]:
    """(equal, text, text) or (delete, removed, added), in order."""
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    yield Op.EQUAL, "".join(old[:start]), "".join(new[:start])
    yield from _between(old[start : len(old) - end], new[start : len(new) - end])
    yield Op.EQUAL, "".join(old[len(old) - end :]), "".join(new[len(new) - end :])


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Op, str, str]]:
    here = Counter(new)
    if sum(count * here[item] for item, count in Counter(old).items()) > _MOST_PAIRS:
        yield Op.DELETE, "".join(old), "".join(new)
        return
    for tag, at, to, new_at, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        op = Op.EQUAL if tag == "equal" else Op.DELETE
        yield op, "".join(old[at:to]), "".join(new[new_at:new_to])


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    for index, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            return index
    return min(len(old), len(new))


def _add(edits: list[Edit], op: Op, text: str) -> None:
    if not text:
        return
    if edits and edits[-1].op is op:
        text = edits.pop().text + text
    edits.append(Edit(op, text))
