"""What a grader says of one output: yes or no and how sure, or that it could not come to a word at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """One grader's word.

    `score` runs from 0 to 1; None means 1 for a pass and 0 for a failure. `not_run` says why there is no word: then it
    is neither a pass nor a failure, whatever `passed` says. `said` is what a model judge said of it, pass or not.
    """

    passed: bool
    message: str = ""
    score: float | None = None
    not_run: str = ""
    said: Mapping[str, Any] | None = None


def found(wrong: str) -> Outcome:
    """The outcome of a check that says what is wrong, and nothing where nothing is."""
    return Outcome(passed=not wrong, message=wrong)


def not_run(why: str) -> Outcome:
    """There is no word on this output, and why."""
    return Outcome(passed=False, not_run=why)


def reported(outcome: Outcome) -> Outcome:
    """The word of a grader that counts for nothing: it passes, with its own score."""
    score = outcome.score if outcome.score is not None else float(outcome.passed)
    return replace(outcome, passed=True, score=score) if not outcome.not_run else outcome
