"""What one can see of blind reviews: how far they are while one is blind, and all of it once one has signed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from cuelight_server.access import store as access
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.evaluation import store as evaluations
from cuelight_server.evaluation.model import Arm, Case
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight, place_of
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.prompts import store as prompts
from cuelight_server.reviews import rules, store
from cuelight_server.reviews.model import Review, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """One review. `mine` says that whoever looks holds the role, `blind` that they have not signed it yet.

    `label`, `evaluation` and the digests are None while one is blind. `numbers` are the cases, from 1, in the reader's own
    order: (number, opened, answered). Times are RFC 3339.
    """

    id: str
    prompt: str
    role: str
    question: str
    cases: int
    paired: bool
    asked_by: str
    created_at: str
    mine: bool
    blind: bool
    numbers: tuple[tuple[int, bool, bool], ...]
    signed_by: tuple[str, ...]
    label: str | None
    evaluation: str | None
    content_digest: str | None
    evidence_digest: str | None

    @property
    def answered(self) -> int:
        """How many cases the reader has answered."""
        return sum(done for _, _, done in self.numbers)

    def to_json(self) -> dict[str, Any]:
        """The line as it goes over the wire."""
        return {**asdict(self), "answered": self.answered}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One output with its grades, and whose it is."""

    label: str
    text: str
    tool_calls: tuple[Mapping[str, Any], ...]
    passed: bool
    failed: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one reviewer said of a case, the letters taken off; `prefers` is candidate, baseline, both or neither."""

    person: str
    name: str
    prefers: str
    candidate_ok: bool
    baseline_ok: bool | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedCase:
    """One case, with everything: why it was chosen, both outputs, their grades and every answer."""

    case: str
    title: str
    category: str
    why: str
    input: Mapping[str, Any]
    candidate: Side | None
    baseline: Side | None
    said: tuple[Said, ...]
    disagree: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A review; `revealed` is empty for somebody who is still to read it."""

    line: ReviewLine
    revealed: tuple[RevealedCase, ...]

    def to_json(self) -> dict[str, Any]:
        """The review as it goes over the wire: the line's fields and `revealed`."""
        return {**self.line.to_json(), "revealed": [asdict(one) for one in self.revealed]}


def listing(
    desk: Desk,
    actor: Actor,
    prompt: str = "",
    before: str | None = None,
    size: int = DEFAULT_SIZE,
    sight: Sight = EVERYTHING,
) -> Page[ReviewLine]:
    """Reviews in sight, newest first, from below the id `before`; of one prompt where it is named."""
    if prompt:
        sight.enter(prompt)
    among = None if sight.everything else sight.workflows
    with reading(desk.registry) as sql:
        found = store.newest(sql, prompt, before, size, among)
        return Page(tuple(_line(sql, one, actor, store.signatures(sql, [one.id])) for one in found.items), found.next)


def show(desk: Desk, actor: Actor, id: str, sight: Sight = EVERYTHING) -> ReviewView:
    """One review; NotFound. Whoever holds its role and has not signed sees nothing of whose outputs they are."""
    with reading(desk.registry) as sql:
        found = store.load(sql, id)
        if found is None or not sight.sees(found.prompt):
            raise NotFound(f"there is no review {id[:40]}", "see them: cuelight review list")
        given = store.signatures(sql, [id])
        line = _line(sql, found, actor, given)
        return ReviewView(line=line, revealed=() if line.blind else tuple(_revealed(sql, found, given)))


def of_evaluation(sql: Connection, prompt: str, content_digest: str, evaluation: str) -> list[dict[str, Any]]:
    """The reviews of a report in short: whose role, how many cases, how many signed, and how many of them refuse one."""
    found = [one for one in store.of_content(sql, prompt, content_digest) if one.evaluation == evaluation]
    return [_in_short(one, store.signatures(sql, [one.id])) for one in found]


def _in_short(one: Review, given: Sequence[Signature]) -> dict[str, Any]:
    against = sum(bool(rules.unacceptable(rules.readings(each.document))) for each in given)
    return {"id": one.id, "role": one.role.value, "cases": len(one.cases), "signed": len(given), "against": against}


def _line(sql: Connection, one: Review, actor: Actor, given: Sequence[Signature]) -> ReviewLine:
    mine = actor.kind is ActorKind.PERSON and _holds(sql, one, actor.id)
    blind = mine and all(each.person != actor.id for each in given)
    answers = store.answers(sql, one.id, actor.id) if mine else {}
    ordered = rules.order(one, actor.id)
    done = [(each.case in answers, each.case in answers and answers[each.case].answered) for each in ordered]
    return ReviewLine(
        id=one.id,
        prompt=one.prompt,
        role=one.role.value,
        question=one.question,
        cases=len(one.cases),
        paired=one.paired,
        asked_by=one.actor,
        created_at=one.created_at,
        mine=mine,
        blind=blind,
        numbers=tuple((number, *each) for number, each in enumerate(done, start=1)),
        signed_by=tuple(each.person for each in given),
        label=None if blind else one.label,
        evaluation=None if blind else one.evaluation,
        content_digest=None if blind else one.content_digest,
        evidence_digest=None if blind else one.evidence_digest,
    )


def _holds(sql: Connection, one: Review, person: str) -> bool:
    owner = prompts.owners_of(sql, place_of(one.prompt), one.prompt.partition(".")[2]).get(one.role.value, {})
    return person in (owner.get("person"), owner.get("backup"))


def _revealed(sql: Connection, one: Review, given: Sequence[Signature]) -> list[RevealedCase]:
    read = [(each.person, rules.readings(each.document)) for each in given]
    names = {person: _name(sql, person) for person, _ in read}
    differ = set(rules.disagreements([each for _, each in read]))
    cases, labels = _cases(sql, one), _labels(sql, one)
    found = []
    for chosen in one.cases:
        rows = {row.arm: row for row in evaluations.outputs_of(sql, one.evaluation, chosen.case, chosen.sample)}
        sides = [_side(rows.get(arm.value), labels[arm]) for arm in (Arm.CANDIDATE, Arm.BASELINE)]
        said = [(person, each) for person, answers in read for each in answers if each.case == chosen.case]
        case = cases.get(chosen.case)
        found.append(
            RevealedCase(
                case=chosen.case,
                title=case.title if case else "",
                category=case.category.value if case else "",
                why=chosen.why.value,
                input=dict(case.input) if case else {},
                candidate=sides[0],
                baseline=sides[1] if one.paired else None,
                said=tuple(
                    Said(
                        person=person,
                        name=names[person],
                        prefers=each.prefers,
                        candidate_ok=each.candidate_ok,
                        baseline_ok=each.baseline_ok,
                        note=each.note,
                    )
                    for person, each in said
                ),
                disagree=chosen.case in differ,
            )
        )
    return found


def _cases(sql: Connection, one: Review) -> dict[str, Case]:
    stored = evaluations.load(sql, one.evaluation)
    name = str((stored.report or {}).get("suite", {}).get("name", "")) if stored else ""
    suite = prompts.suite_by_digest(sql, place_of(one.prompt), name, one.suite_digest)
    return {} if suite is None else {case.id: case for case in read_suite(name, suite.digest, suite.document).cases}


def _labels(sql: Connection, one: Review) -> dict[Arm, str]:
    stored = evaluations.load(sql, one.evaluation)
    return {Arm.CANDIDATE: one.label, Arm.BASELINE: (stored.baseline_label if stored else None) or ""}


def _side(row: Any, label: str) -> Side | None:
    if row is None:
        return None
    document = row.document
    return Side(
        label=label,
        text=str(document["output"]),
        tool_calls=tuple(document["tool_calls"]),
        passed=row.passed,
        failed=tuple(document["failed"]),
    )


def _name(sql: Connection, person: str) -> str:
    account = access.account(sql, person)
    return account.name if account else person
