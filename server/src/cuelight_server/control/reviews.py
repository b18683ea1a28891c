"""Blind reviews: asked for on a report, read case by case by people of a role, and signed through the door."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.belonging import sees
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act, ask, workflow_of
from cuelight_server.db.engine import Connection, reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store as evaluations
from cuelight_server.evaluation.model import Arm
from cuelight_server.evaluation.store import Stored, StoredResult
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import EvaluationState, Held, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.reviews import rules, store
from cuelight_server.reviews.model import QUESTION, Answer, Candidate, Chosen, Review, Signature

_CASES = 5  # where neither the gate nor whoever asks says how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output as a reviewer sees it: what it says and calls, and nothing of where it comes from."""

    text: str
    tool_calls: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCase:
    """One case of a review as this reviewer sees it; `b` is None where there is one output only."""

    review: str
    number: int
    of: int
    question: str
    input: Mapping[str, Any]
    a: Output
    b: Output | None
    better: str | None
    live: str | None
    note: str
    signed: bool

    def to_json(self) -> dict[str, Any]:
        """The case as it goes over the wire."""
        return asdict(self)


def open_review(
    desk: Desk,
    actor: Actor,
    evaluation: str,
    role: str,
    count: int | None = None,
    named: Sequence[str] = (),
    question: str = "",
) -> Review:
    """Ask the holders of a role to read cases of a finished evaluation blind.

    `count` cases are drawn, as many as the gate asks for if left out; `named` ones come on top and count for no gate.
    NotFound, Invalid, Blocked while the evaluation has not come to a report.
    """
    asked = _role(role)
    place = _place_of_evaluation(desk, actor, evaluation)
    if len(question) > rules.MOST_QUESTION:
        raise Invalid(f"the question is longer than {rules.MOST_QUESTION} characters", "ask one short question")
    with act(desk, actor, Verb.REVIEW_OPEN, place) as work:
        one = evaluations.load(work.sql, evaluation)
        if one is None or one.report is None or one.state is not EvaluationState.DONE or one.evidence_digest is None:
            raise Blocked(f"{evaluation} has no report that could be read", "wait for it to end, or evaluate again")
        gate = (one.report.get("gate") or {}).get("human_review") or {}
        wanted = count or (gate.get("min_cases") if asked in gate.get("roles", ()) else None) or _CASES
        seed = ids.salt()
        cases = rules.draw(_candidates(work.sql, one), wanted, named, one.evidence_digest, seed)
        if not cases:
            raise Blocked(f"{evaluation} has no output that could be read", "evaluate again")
        new = Review(
            id=desk.new_id("rev"),
            evaluation=one.id,
            prompt=one.prompt,
            label=one.label,
            content_digest=one.content_digest,
            baseline_digest=one.baseline_digest,
            suite_digest=one.suite_digest,
            evidence_digest=one.evidence_digest,
            role=asked,
            question=question.strip() or gate.get("question") or QUESTION,
            cases=cases,
            seed=seed,
            actor=work.actor.id,
            created_at=work.at_text,
        )
        store.save(work.sql, new)
        work.note(review=new.id, evaluation=one.id, content=new.content_digest, baseline=new.baseline_digest)
        work.note(suite=new.suite_digest, evidence=new.evidence_digest, role=asked.value, question=new.question)
        work.note(count=len(cases), cases=digest(store.told_cases(cases)), seed=digest(seed))
    return new


def look(desk: Desk, actor: Actor, id: str, number: int) -> BlindCase:
    """Show one case, from 1, to a reviewer, and keep when they first opened it. NotFound, Denied without the role."""
    review, case = _asked(desk, actor, id, number)
    if not _signed(desk, review, actor):
        with operational(desk.registry) as sql:
            store.opened(sql, id, actor.id, case.case, rfc3339(desk.clock()))
    with reading(desk.registry) as sql:
        mine = store.answers(sql, id, actor.id)
        signed = any(one.person == actor.id for one in store.signatures(sql, [id]))
        outputs = _outputs(sql, review, case)
        first, second = outputs if rules.candidate_is_a(review, actor.id, case.case) else reversed(outputs)
        return BlindCase(
            review=id,
            number=number,
            of=len(review.cases),
            question=review.question,
            input=_input(sql, review, case.case),
            a=_shown(first if first is not None else second),
            b=_shown(second) if review.paired else None,
            signed=signed,
            **_so_far(mine.get(case.case)),
        )


def answer(desk: Desk, actor: Actor, id: str, number: int, better: str, live: str = "", note: str = "") -> None:
    """Say which output is better and with which one can live; until it is signed it may be said anew.

    Blocked for a case that was never opened, Conflict after signing; Denied, Invalid, NotFound.
    """
    review, case = _asked(desk, actor, id, number)
    said = rules.checked(review, better, live, note)
    if _signed(desk, review, actor):
        raise Conflict("you have signed this review", "what is signed stays; ask for another review")
    with operational(desk.registry) as sql:
        if not store.answer(sql, id, actor.id, case.case, *said, rfc3339(desk.clock())):
            raise Blocked(f"you have not opened case {number}", f"read it first: cuelight review show {id} {number}")


def sign(desk: Desk, actor: Actor, id: str) -> Signature:
    """Sign all answers, for good. Blocked while a case is not opened or not answered, Conflict when it is done."""
    review = _stored(desk, actor, id)
    with act(desk, actor, Verb.REVIEW_SIGN, f"{review.prompt}@{review.label}") as work:
        _refuse_role(review, work.actor, work.roles)
        if any(one.person == work.actor.id for one in store.signatures(work.sql, [id])):
            raise Conflict("you have signed this review already", f"see what it says: cuelight review show {id}")
        given = store.answers(work.sql, id, work.actor.id)
        rules.refuse_unfinished(review, given)
        document = rules.signed(review, work.actor.id, given)
        new = Signature(review=id, person=work.actor.id, document=document, signed_at=work.at_text)
        store.save_signature(work.sql, new)
        bad = rules.unacceptable(rules.readings(document))
        work.note(review=id, role=review.role.value, content=review.content_digest, evidence=review.evidence_digest)
        work.note(answers=digest(document), cases=len(review.cases), unacceptable=len(bad))
    return new


def no_review(id: str) -> NotFound:
    """The one answer about a review that is not there for somebody."""
    return NotFound(f"there is no review {id[:40]}", "see them: cuelight review list")


def _asked(desk: Desk, actor: Actor, id: str, number: int) -> tuple[Review, Chosen]:
    """The review, and the case that this reviewer reads as this number; they hold the role."""
    review = _stored(desk, actor, id)
    _refuse_role(review, actor, ask(desk, actor, Verb.REVIEW_ANSWER, f"{review.prompt}@{review.label}"))
    cases = rules.order(review, actor.id)
    if not 1 <= number <= len(cases):
        raise NotFound(f"the review has no case {number}", f"there are {len(cases)}, from 1")
    return review, cases[number - 1]


def _refuse_role(review: Review, actor: Actor, held: frozenset[Held]) -> None:
    if review.role not in held:
        words = review.role.value.replace("_", " ")
        raise Denied(f"{actor.id} is no {words} of {review.prompt} now", f"this review is for the {words}")


def _stored(desk: Desk, actor: Actor, id: str) -> Review:
    with reading(desk.registry) as sql:
        found = store.load(sql, id)
        if found is None or not sees(desk, sql, actor, workflow_of(found.prompt)):
            raise no_review(id)
    return found


def _place_of_evaluation(desk: Desk, actor: Actor, id: str) -> str:
    with reading(desk.registry) as sql:
        found = evaluations.load(sql, id)
        if found is None or not sees(desk, sql, actor, workflow_of(found.prompt)):
            raise NotFound(f"there is no evaluation {id[:40]}", "list them: GET /api/v1/evaluations?prompt=")
    return f"{found.prompt}@{found.label}"


def _signed(desk: Desk, review: Review, actor: Actor) -> bool:
    with reading(desk.registry) as sql:
        return any(one.person == actor.id for one in store.signatures(sql, [review.id]))


def _candidates(sql: Connection, one: Stored) -> list[Candidate]:
    """The cases that have an output of each version: how many, whether they changed, whether they newly fail."""
    outputs: dict[str, dict[str, dict[int, StoredResult]]] = {}
    for row in evaluations.kept(sql, one.id):
        outputs.setdefault(row.case, {}).setdefault(row.arm, {})[row.sample] = row
    paired = one.baseline_digest not in (None, one.content_digest)
    sides = [Arm.CANDIDATE.value, Arm.BASELINE.value][: 2 if paired else 1]
    newly = set((one.report or {}).get("newly_failing") or ())
    return [
        Candidate(
            id=case,
            newly_failing=case in newly,
            changed=paired and _said(found, sides[0]) != _said(found, sides[1]),
            samples=min(len(found[side]) for side in sides),
        )
        for case, found in sorted(outputs.items())
        if all(side in found for side in sides)
    ]


def _said(found: Mapping[str, Mapping[int, StoredResult]], side: str) -> tuple[str, Any]:
    first = found[side][min(found[side])].document
    return str(first["output"]), first["tool_calls"]


def _outputs(sql: Connection, review: Review, case: Chosen) -> list[StoredResult | None]:
    """The candidate's output, then the baseline's."""
    wanted = evaluations.outputs_of(sql, review.evaluation, case.case, case.sample)
    sides = {row.arm: row for row in wanted}
    return [sides.get(Arm.CANDIDATE.value), sides.get(Arm.BASELINE.value)]


def _shown(row: StoredResult | None) -> Output:
    if row is None:
        raise NotFound("an output of this case is gone", "run `cuelight-server verify`")
    return Output(text=str(row.document["output"]), tool_calls=tuple(row.document["tool_calls"]))


def _input(sql: Connection, review: Review, case: str) -> Mapping[str, Any]:
    found = prompts.labelled(sql, review.prompt, review.label)
    stored = evaluations.load(sql, review.evaluation)
    named = (stored.report or {}).get("suite", {}).get("name") if stored else None
    name = str(named or (found.content["evaluation"]["suite"] if found else ""))
    suite = prompts.suite_by_digest(sql, workflow_of(review.prompt), name, review.suite_digest)
    if suite is None:
        raise NotFound("the suite of this review is gone", "run `cuelight-server verify`")
    return next((one.input for one in read_suite(name, suite.digest, suite.document).cases if one.id == case), {})


def _so_far(mine: Answer | None) -> dict[str, Any]:
    return {
        "better": mine.better.value if mine and mine.better else None,
        "live": mine.live.value if mine and mine.live else None,
        "note": mine.note if mine else "",
    }


def _role(text: str) -> Role:
    if text not in list(Role):
        raise Invalid(f"there is no role {text[:40]}", f"one of {', '.join(Role)}")
    return Role(text)
