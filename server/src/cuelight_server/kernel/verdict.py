"""Pass, fail or inconclusive: the three endings of anything that is judged."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """An error, too little evidence or a stopped run is INCONCLUSIVE, never a pass."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """FAIL if any failed, else INCONCLUSIVE if any was or if there are none, else PASS."""
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Verdict.FAIL
    if Verdict.INCONCLUSIVE in seen or not seen:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
