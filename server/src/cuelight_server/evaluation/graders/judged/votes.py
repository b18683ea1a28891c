"""Several answers of one judge become one outcome: by majority or by their mean, with how far they lay apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from cuelight_server.evaluation.graders.judged.answers import Word
from cuelight_server.evaluation.graders.judged.pinned import MEAN, Judge
from cuelight_server.evaluation.graders.outcome import Outcome

_HAIR = 1e-9
NO_WORD = "the judge answered nonsense"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How answers are counted: against which threshold, and whether the grader asks for the contrary."""

    threshold: float | None
    inverse: bool = False


def outcome(judge: Judge, words: Sequence[Word], lost: Sequence[str], how: Count) -> Outcome:
    """What they say together. `lost` are the reasons of turns without a word: where these could turn it, it has not run."""
    marks = [_passes(one, how.threshold) for one in words]
    known = [mark for mark in marks if mark is not None]
    lost = [*lost, *(f"{NO_WORD}: a score without a pass, and the grader has no threshold" for m in marks if m is None)]
    total = len(words) + len(lost) - (len(marks) - len(known))
    score = sum(one.score for one in words) / len(words) if words else 0.0
    open_ = judge.combine == MEAN and bool(lost)  # a mean of some is not the mean
    verdict = None if open_ else _verdict(judge.combine, score, known, total, how.threshold)
    said = {
        "judge": judge.digest,
        "passes": sum(known),
        "of": total,
        "scores": [round(one.score, 6) for one in words],
        "reason": next((one.reason for one, mark in zip(words, marks, strict=True) if mark is verdict), ""),
    }
    if verdict is None:
        return Outcome(passed=False, not_run=lost[0] if lost else _split(known), said=said)
    passed, shown = verdict != how.inverse, 1 - score if how.inverse else score
    return Outcome(passed, "" if passed else _message(said, total, known, words, how), shown, said=said)


def _passes(one: Word, threshold: float | None) -> bool | None:
    if threshold is None:
        return one.passed
    return one.passed is not False and one.score >= threshold - _HAIR


def _verdict(combine: str, score: float, known: Sequence[bool], total: int, threshold: float | None) -> bool | None:
    """By the mean where there is a threshold for it; else by more than half of all turns; None where neither is."""
    if combine == MEAN and threshold is not None:
        return score >= threshold - _HAIR
    if sum(known) * 2 > total:
        return True
    return False if (len(known) - sum(known)) * 2 > total else None


def _split(known: Sequence[bool]) -> str:
    return f"the judge said yes {sum(known)} times and no {len(known) - sum(known)} times"


def _message(said: dict[str, object], total: int, known: Sequence[bool], words: Sequence[Word], how: Count) -> str:
    scores = [one.score for one in words]
    wanted = f"score {sum(scores) / len(scores):.2f}"
    wanted += f", wanted at least {how.threshold:g}" if how.threshold is not None and not how.inverse else ""
    votes = ""
    if total > 1:
        agree = sum(known) if how.inverse else len(known) - sum(known)
        votes = f"{agree} of {total} times, scores {min(scores):.2f} to {max(scores):.2f}; "
    return f"the judge says {'yes' if how.inverse else 'no'} ({votes}{wanted}): {said['reason']}".rstrip(": ")
