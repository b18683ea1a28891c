"""Regular expressions as JavaScript reads them, on an engine whose searches can be stopped.

`regress` says what is a pattern in ECMAScript; the search itself is the `regex` library's, which knows a time limit, on the
same pattern in its own words. Texts are characters here, not halves of them (UTF-16): `.` is a whole emoji.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]  # ships no types
import regress

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.kernel.repetition import MOST, unrolled

LONGEST = 2_000
SEARCH_LIMIT_S = 1.0

_DIGIT, _WORD = "0-9", "0-9A-Za-z_"
_SPACE = r"\x09-\x0d\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NOT_DIGIT = r"\x00-\x2f\x3a-\U0010ffff"
_NOT_WORD = r"\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\U0010ffff"
_NOT_SPACE = (
    r"\x00-\x08\x0e-\x1f\x21-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\ufefe\uff00-\U0010ffff"
)
_SETS = {"d": _DIGIT, "D": _NOT_DIGIT, "w": _WORD, "W": _NOT_WORD, "s": _SPACE, "S": _NOT_SPACE}
_EDGE = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_NO_EDGE = f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"
_PLAIN = {
    ".": r"[^\n\r\u2028\u2029]", "^": r"\A", "$": r"\Z", "*": "*", "+": "+", "?": "?", "|": "|", ")": ")",
}  # fmt: skip
_CONTROL = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_GROUP = re.compile(r"\(\?(?:<([^=!>][^>]*)>|<[=!]|[:=!])|\(")
_COUNTED = re.compile(r"\{\d+(?:,\d*)?\}")
_HEX = re.compile(r"x([0-9a-fA-F]{2})|u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")
_OCTAL = re.compile(r"[0-3]?[0-7]{1,2}")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Callable[[str], bool]:
    """Whether the pattern is found in a text; asked, it raises Unavailable where the search takes too long.

    Invalid where JavaScript knows no such pattern (without flags), or where it is too long or too large.
    """
    if len(pattern) > LONGEST:
        raise Invalid(f"a pattern has {len(pattern)} characters, at most {LONGEST} are read", "split it into several")
    if unrolled(pattern) > MOST:
        raise Invalid(
            f"the pattern {pattern!r:.60} repeats to more than {MOST} places", "ask for fewer repetitions at a time"
        )
    try:
        regress.Regex(pattern)
        made = regex.compile(_Reading(pattern).whole())
    except regress.RegressError as bad:
        raise Invalid(
            f"{pattern!r:.200} is no pattern in JavaScript: {bad}",
            "patterns are ECMAScript without flags: write [Yy]es instead of (?i)yes",
        ) from bad
    except (regex.error, OverflowError, MemoryError, RecursionError) as bad:
        raise Invalid(f"{pattern!r:.200} cannot be searched for: {bad}", "write it simpler") from bad
    return lambda text: _found(made, pattern, text)


def _found(made: Any, pattern: str, text: str) -> bool:
    try:
        return made.search(text, timeout=SEARCH_LIMIT_S) is not None
    except TimeoutError as slow:
        raise Unavailable(
            f"the pattern {pattern!r:.60} ran longer than {SEARCH_LIMIT_S:g} s on one output",
            "avoid nested repetition such as (a+)+ in the suite's pattern",
        ) from slow


@dataclass(slots=True)
class _Reading:
    """A pattern that `regress` took, on the way to the same pattern in the words of `regex`."""

    pattern: str
    at: int = 0
    groups: list[str] = field(default_factory=list)  # the name of each that captures, empty without one
    open: list[int] = field(default_factory=list)  # the groups that stand open here, 0 for those that do not capture
    opened: int = 0

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.pattern):
            char = self.pattern[place]
            opened = _GROUP.match(self.pattern, place)
            if opened and (opened[1] or opened[0] == "("):
                self.groups.append(opened[1] or "")
            place = _past_class(self.pattern, place) if char == "[" else place + (2 if char == "\\" else 1)

    def whole(self) -> str:
        """The whole pattern."""
        made = []
        while self.at < len(self.pattern):
            made.append(self._next())
        return "".join(made)

    def _next(self) -> str:
        char = self.pattern[self.at]
        if char == "\\":
            return self._escaped()
        if char == "[":
            return self._class()
        if char == "(":
            opened = _GROUP.match(self.pattern, self.at)
            if opened is None or (self.pattern.startswith("(?", self.at) and opened[0] == "("):
                raise Invalid(f"{self.pattern!r:.200} switches flags inside", "patterns are ECMAScript without flags")
            self.at, captures = opened.end(), bool(opened[1] or opened[0] == "(")
            self.opened += captures
            self.open.append(self.opened if captures else 0)
            return "(" if captures else opened[0]
        if char == ")":
            self.open.pop()
        counted = _COUNTED.match(self.pattern, self.at)
        self.at = counted.end() if counted else self.at + 1
        return counted[0] if counted else _PLAIN.get(char) or _literal(char)

    def _escaped(self) -> str:
        char = self.pattern[self.at + 1]
        if char in "bB":
            self.at += 2
            return _EDGE if char == "b" else _NO_EDGE
        back = re.compile(r"[1-9]\d*").match(self.pattern, self.at + 1)
        if back and int(back[0]) <= len(self.groups):
            self.at = back.end()
            return self._back(int(back[0]))
        named = re.compile(r"k<([^>]*)>").match(self.pattern, self.at + 1)
        if named and any(self.groups):
            self.at = named.end()
            return self._back(self.groups.index(named[1]) + 1)
        one = self._set_or_char()
        return f"[{one}]" if len(one) > 1 else _literal(one)

    def _back(self, number: int) -> str:
        """What group `number` holds; a group that has not been, or that this stands in, holds nothing."""
        return "" if number in self.open else f"(?({number})\\{number}|)"

    def _set_or_char(self) -> str:
        """What an escape stands for: the inside of a class, or one character."""
        char, rest = self.pattern[self.at + 1], self.at + 1
        if char in _SETS:
            self.at += 2
            return _SETS[char]
        code, self.at = _code(self.pattern, rest)
        return code

    def _class(self) -> str:
        end = _past_class(self.pattern, self.at)
        negated = self.pattern.startswith("[^", self.at)
        self.at += 2 if negated else 1
        parts: list[str] = []  # a character, or the inside of a class, or "-" where it is a dash
        dashes: list[int] = []
        while self.at < end - 1:
            char = self.pattern[self.at]
            if char == "\\":
                if self.pattern.startswith("\\b", self.at):
                    self.at, one = self.at + 2, "\b"
                else:
                    one = self._set_or_char()
                parts.append(one)
                continue
            if char == "-":
                dashes.append(len(parts))
            parts.append(char)
            self.at += 1
        self.at = end
        inside = _ranges(parts, dashes)
        if not inside:
            return r"[\x00-\U0010ffff]" if negated else "(?!)"
        return f"[{'^' if negated else ''}{inside}]"


def _ranges(parts: list[str], dashes: list[int]) -> str:
    made, at = [], 0
    while at < len(parts):
        ranged = at + 2 < len(parts) and at + 1 in dashes and len(parts[at]) == len(parts[at + 2]) == 1
        if ranged:
            made.append(f"{_literal(parts[at])}-{_literal(parts[at + 2])}")
        else:
            made.append(_literal(parts[at]) if len(parts[at]) == 1 else parts[at])
        at += 3 if ranged else 1
    return "".join(made)


def _code(pattern: str, at: int) -> tuple[str, int]:
    """The character that the escape behind a backslash stands for, and where it ends."""
    char = pattern[at]
    if char in _CONTROL:
        return _CONTROL[char], at + 1
    if char == "c":
        letter = pattern[at + 1 : at + 2]
        return (chr(ord(letter) % 32), at + 2) if letter.isascii() and letter.isalpha() else ("\\", at)
    written = _HEX.match(pattern, at)
    if written:
        if written[2]:
            code = 0x10000 + ((int(written[2], 16) - 0xD800) << 10) + (int(written[3], 16) - 0xDC00)
        else:
            code = int(written[1] or written[4], 16)
        return chr(code), written.end()
    octal = _OCTAL.match(pattern, at)
    if octal:
        return chr(int(octal[0], 8)), octal.end()
    return char, at + 1


def _past_class(pattern: str, at: int) -> int:
    """Where the class that begins here ends; in JavaScript `[]` is a whole one."""
    at += 1
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1


def _literal(char: str) -> str:
    return char if char.isascii() and char.isalnum() else f"\\U{ord(char):08x}"
