"""Two texts told apart word by word; pure, and bounded for long ones."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST = 4000  # words of both texts together; longer ones are shown without marks


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text; `mark` is ins, del or empty."""

    text: str
    mark: str


def pieces(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The new text with what came marked, and the old one with what went."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > _MOST:
        return (Piece(new, ""),), (Piece(old, ""),)
    came, went = list[Piece](), list[Piece]()
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        same = kind == "equal"
        if a < b:
            went.append(Piece("".join(before[a:b]), "" if same else "del"))
        if c < d:
            came.append(Piece("".join(after[c:d]), "" if same else "ins"))
    return tuple(came), tuple(went)
