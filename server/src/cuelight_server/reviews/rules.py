"""Which cases are drawn, who sees what as A, what an answer means, and where reviewers disagree; pure."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from cuelight_server.kernel.errors import Blocked, Invalid, NotFound
from cuelight_server.reviews.model import Answer, Better, Candidate, Chosen, Live, Reading, Review, Why

MOST_CASES, MOST_NOTE, MOST_QUESTION = 500, 2000, 500
_BOTH, _NEITHER = "both", "neither"


def draw(found: Sequence[Candidate], count: int, named: Sequence[str], evidence: str, seed: str) -> tuple[Chosen, ...]:
    """`named` cases, and `count` others: newly failing ones first, then changed outputs, then any.

    Within a class the order follows from the report's evidence, so that asking again draws the same: nobody fishes for
    easy cases. `seed` decides which sample is shown. NotFound for a name that is none, Invalid for numbers out of range.
    """
    if not 1 <= count <= MOST_CASES or len(named) > MOST_CASES:
        raise Invalid(f"a review has 1 to {MOST_CASES} cases", "ask for fewer")
    known = {one.id: one for one in found}
    missing = [one for one in named if one not in known]
    if missing:
        raise NotFound(f"the report has no case {missing[0]}", f"there are: {', '.join(list(known)[:40])}")
    asked = dict.fromkeys(named)
    rest = sorted((one for one in found if one.id not in asked), key=lambda one: (_rank(one), _mix(evidence, one.id)))
    chosen = [(known[one], Why.NAMED) for one in asked]
    chosen += [(one, _why(one)) for one in rest[:count]]
    return tuple(Chosen(case=one.id, sample=1 + _number(seed, one.id) % one.samples, why=why) for one, why in chosen)


def order(review: Review, person: str) -> tuple[Chosen, ...]:
    """The cases in the order in which this reviewer reads them."""
    return tuple(sorted(review.cases, key=lambda one: _mix(review.seed, "order", person, one.case)))


def candidate_is_a(review: Review, person: str, case: str) -> bool:
    """Whether this reviewer sees the candidate's output as A; where there is one output, it is A."""
    return not review.paired or _number(review.seed, "side", person, case) % 2 == 0


def checked(review: Review, better: str, live: str, note: str) -> tuple[Better, Live, str]:
    """An answer that makes sense; Invalid says what does not.

    `live` may be left empty where the first answer settles it: with both fine, or neither acceptable.
    """
    chosen, question = _better(review, better), _live(better, live)
    if chosen in (Better.BOTH, Better.NEITHER) and question.value != _SETTLED[chosen].value:
        raise Invalid("the two answers contradict each other", _HINTS[chosen])
    if chosen in (Better.A, Better.B) and question.value in {"a", "b"} - {chosen.value}:
        raise Invalid(f"{chosen.value.upper()} is better, but you can live with the other only", "look again at both")
    if len(note) > MOST_NOTE:
        raise Invalid(f"the note has {len(note)} characters, at most {MOST_NOTE}", "say it shorter")
    return chosen, question, note.strip()


def refuse_unfinished(review: Review, answers: Mapping[str, Answer]) -> None:
    """Blocked while a case was not opened or not answered: only what was looked at is signed."""
    never = [one.case for one in review.cases if one.case not in answers]
    if never:
        raise Blocked(f"{len(never)} of {len(review.cases)} cases were never opened", "open and answer each of them")
    open_ = [one.case for one in review.cases if not answers[one.case].answered]
    if open_:
        raise Blocked(f"{len(open_)} of {len(review.cases)} cases are not answered", "answer each of them, then sign")


def signed(review: Review, person: str, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """What is signed: every answer, when the case was opened, and what was A; bound to the report."""
    return {
        "review": review.id,
        "content": review.content_digest,
        "evidence": review.evidence_digest,
        "role": review.role.value,
        "person": person,
        "question": review.question,
        "cases": [_signed_case(review, person, one, answers[one.case]) for one in order(review, person)],
    }


def readings(document: Mapping[str, Any]) -> tuple[Reading, ...]:
    """A signed document with the letters taken off."""
    return tuple(_reading(one, paired=one["b"] is not None) for one in document["cases"])


def unacceptable(found: Iterable[Reading]) -> tuple[str, ...]:
    """Cases whose new output the reviewer could not live with."""
    return tuple(one.case for one in found if not one.candidate_ok)


def disagreements(found: Sequence[Sequence[Reading]]) -> tuple[str, ...]:
    """Cases of which not all reviewers say the same: which is better, or whether the new one will do."""
    said: dict[str, set[tuple[str, bool]]] = {}
    for one in (reading for each in found for reading in each):
        said.setdefault(one.case, set()).add((one.prefers, one.candidate_ok))
    return tuple(sorted(case for case, words in said.items() if len(words) > 1))


def drawn(review: Review) -> int:
    """How many of its cases the desk chose: only these count for a gate."""
    return sum(one.why is not Why.NAMED for one in review.cases)


_SETTLED = {Better.BOTH: Live.BOTH, Better.NEITHER: Live.NONE}
_HINTS = {
    Better.BOTH: "both are fine means that you can live with both",
    Better.NEITHER: "neither is acceptable means that you can live with none",
}


def _better(review: Review, text: str) -> Better:
    allowed = list(Better) if review.paired else [Better.BOTH, Better.NEITHER]
    if text not in [one.value for one in allowed]:
        words = "a, b, both (both are fine) or neither" if review.paired else "both (it is fine) or neither"
        raise Invalid(f"{text[:40]!r} is no answer here", f"one of: {words}")
    return Better(text)


def _live(better: str, text: str) -> Live:
    if not text and better in (Better.BOTH, Better.NEITHER):
        return _SETTLED[Better(better)]
    if text not in list(Live):
        raise Invalid("the question is not answered", "say with which you can live: both, a, b or none")
    return Live(text)


def _signed_case(review: Review, person: str, one: Chosen, answer: Answer) -> dict[str, Any]:
    first = candidate_is_a(review, person, one.case)
    sides = ("candidate", "baseline" if review.paired else None)
    return {
        "case": one.case,
        "sample": one.sample,
        "why": one.why.value,
        "a": sides[0] if first else sides[1],
        "b": sides[1] if first else sides[0],
        "better": answer.better.value if answer.better else None,
        "live": answer.live.value if answer.live else None,
        "note": answer.note,
        "opened_at": answer.opened_at,
        "answered_at": answer.answered_at,
    }


def _reading(one: Mapping[str, Any], *, paired: bool) -> Reading:
    better, live = one["better"], one["live"]
    mine = "a" if one["a"] == "candidate" else "b"
    other = "b" if mine == "a" else "a"
    return Reading(
        case=one["case"],
        prefers=better if better in (_BOTH, _NEITHER) else one[better],
        candidate_ok=live in (_BOTH, mine),
        baseline_ok=live in (_BOTH, other) if paired else None,
        note=one["note"],
    )


def _rank(one: Candidate) -> int:
    return 0 if one.newly_failing else 1 if one.changed else 2


def _why(one: Candidate) -> Why:
    return (Why.NEWLY_FAILING, Why.CHANGED, Why.DRAWN)[_rank(one)]


def _mix(*parts: str) -> str:
    """A place in an order that nobody can foresee without the first part; no part runs into the next."""
    whole = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    return sha256(whole).hexdigest()


def _number(*parts: str) -> int:
    return int(_mix(*parts)[:16], 16)
