"""Whether the model that answered is the one that a version pins, and whether it came to its end: from the samples."""

import re
from collections.abc import Iterable, Sequence

from cuelight_server.evaluation.model import ArmResult

# -2026-06-01, -20260601, @20260601, -0613: the same model, named more exactly
_DATED = re.compile(r"[-@:](20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))")
_CUT = {"length": "cut off at the token limit", "content_filter": "stopped by the provider's content filter"}


def is_pinned(answered: str, pinned: str) -> bool:
    """Whether a model's name is the pinned one, or the pinned one followed by a date."""
    return answered == pinned or (answered.startswith(pinned) and _DATED.fullmatch(answered[len(pinned) :]) is not None)


def strange(arms: Iterable[ArmResult]) -> tuple[str, ...]:
    """For each other model that answered, who that was; an answer whose model nobody names is not among them."""
    found = [
        f"answered by {model}, pinned is {arm.pinned}"
        for arm in arms
        for model in arm.models
        if arm.pinned and not is_pinned(model, arm.pinned)
    ]
    return tuple(dict.fromkeys(found))


def remarks(arms: Sequence[ArmResult]) -> list[str]:
    """What a reader should know of how the answers came about."""
    samples = [sample for arm in arms for case in arm.cases for sample in case.samples]
    unnamed = sum(not (one.model or one.error) for one in samples)
    notes = [f"the model of {_answers(unnamed)} is unknown: the provider does not name it"] if unnamed else []
    for reason, words in _CUT.items():
        count = sum(one.finish_reason == reason for one in samples)
        if count:
            notes.append(f"{_answers(count)} {'was' if count == 1 else 'were'} {words} (finish_reason {reason})")
    return notes


def _answers(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"
