"""What the blind reviews of a version come to for its release: who signed, on what, and what they could not live with."""

from collections.abc import Mapping, Sequence
from typing import Any

from cuelight_server.db.engine import Connection
from cuelight_server.kernel.terms import Role
from cuelight_server.releases.model import ReviewFact, SignedReview
from cuelight_server.reviews import rules, store
from cuelight_server.reviews.model import Review, Signature

Json = Mapping[str, Any]


def review_facts(
    sql: Connection, prompt: str, content: str, evidence: str | None, asked: Json | None
) -> list[ReviewFact]:
    """For each role that the gate asks to read cases: the signed reviews of exactly this content and report."""
    if asked is None:
        return []
    found = store.of_content(sql, prompt, content)
    signed: dict[str, list[Signature]] = {}
    for one in store.signatures(sql, [review.id for review in found]):
        signed.setdefault(one.review, []).append(one)
    return [_fact(Role(role), asked, found, signed, evidence) for role in asked["roles"]]


def _fact(
    role: Role, asked: Json, found: Sequence[Review], signed: Mapping[str, Sequence[Signature]], evidence: str | None
) -> ReviewFact:
    question = str(asked.get("question") or "")
    of_role = [one for one in found if one.role is role]
    exact = [one for one in of_role if one.evidence_digest == evidence and question in ("", one.question)]
    given = [(one, each) for one in exact for each in signed.get(one.id, ())]
    read = [rules.readings(each.document) for _, each in given]
    return ReviewFact(
        role=role,
        cases=int(asked["min_cases"]),
        reviewers=int(asked.get("reviewers", 1)),
        unacceptable_max=int(asked.get("unacceptable_max", 0)),
        signed=tuple(
            SignedReview(
                review=one.id,
                person=each.person,
                drawn=rules.drawn(one),
                cases=len(one.cases),
                unacceptable=rules.unacceptable(rules.readings(each.document)),
            )
            for one, each in given
        ),
        elsewhere=sum(len(signed.get(one.id, ())) for one in of_role if one not in exact),
        waiting=tuple(one.id for one in exact if not signed.get(one.id)),
        disagree=rules.disagreements(read),
    )
