"""How long a pattern gets when its counted repetitions are written out: `(?:a{100}){100}` is 10,000 places long."""

import re

MOST = 10_000  # places: the engine writes them out before it searches, 250 bytes each

_COUNTED = re.compile(r"\{(\d+)(?:,\d*)?\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def unrolled(pattern: str) -> int:
    """The places of a pattern with the least of every counted repetition written out; about right, and in linear time."""
    sizes, last, at = [0], 0, 0
    while at < len(pattern):
        char = pattern[at]
        counted = _COUNTED.match(pattern, at)
        if counted:
            extra = last * (max(int(counted[1][:9]), 1) - 1)
            sizes[-1], last, at = sizes[-1] + extra, last + extra, counted.end()
            continue
        inside = _CLASS.match(pattern, at)
        at = inside.end() if inside else at + (2 if char == "\\" else 1)
        if char == "(":
            sizes.append(0)
            last = 0
        elif char == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif char not in "*+?|^$)":
            sizes[-1], last = sizes[-1] + 1, 1
    return sum(sizes)
