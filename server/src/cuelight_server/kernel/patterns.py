"""Patterns of a suite's graders: compiled in bounded time, or Invalid in plain words."""

from typing import Any

import regex  # type: ignore[import-untyped]  # ships no types

from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.repetition import MOST, unrolled

LONGEST = 10_000  # characters: what is longer takes minutes to compile


def compiled(pattern: str) -> Any:
    """The pattern, ready to search whatever the case; Invalid where it is none, or is too long or too deep."""
    if len(pattern) > LONGEST:
        raise Invalid(f"a pattern has {len(pattern)} characters, at most {LONGEST} are read", "split it into several")
    if unrolled(pattern) > MOST:
        words = f"the pattern {pattern!r:.60} repeats to more than {MOST} places"
        raise Invalid(words, "ask for fewer repetitions at a time")
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except RecursionError as deep:
        raise Invalid(f"the pattern {pattern[:40]!r}… is nested too deep", "flatten its groups") from deep
    except (regex.error, OverflowError, MemoryError) as bad:
        raise Invalid(f"{pattern!r:.200} is no pattern: {bad}", "correct the regular expression in the suite") from bad
