"""Blind reviews over HTTP: asked for, read case by case, answered, signed, and then revealed."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import reviews
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import Role
from cuelight_server.reviews.rules import MOST_CASES, MOST_NOTE, MOST_QUESTION
from cuelight_server.views import reviews as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


class ReviewAsked(BaseModel):
    """A review of a finished evaluation; `cases` are drawn, as many as the gate asks for if left out, `named` on top."""

    model_config = ConfigDict(extra="forbid")

    evaluation: str = Field(max_length=32)
    role: Role
    cases: int | None = Field(default=None, ge=1, le=MOST_CASES)
    named: list[str] = Field(default_factory=list, max_length=MOST_CASES)
    question: str = Field(default="", max_length=MOST_QUESTION)


class AnswerGiven(BaseModel):
    """What a reviewer says of one case; `live` may be left empty where both are fine or neither is acceptable."""

    model_config = ConfigDict(extra="forbid")

    better: Literal["a", "b", "both", "neither"]
    live: Literal["", "both", "a", "b", "none"] = ""
    note: str = Field(default="", max_length=MOST_NOTE)


@router.post("/reviews", openapi_extra=verb(Verb.REVIEW_OPEN))
def open_review(asked: ReviewAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Ask the holders of a role to read cases of a report blind."""
    made = reviews.open_review(
        desk, actor, asked.evaluation, asked.role.value, asked.cases, asked.named, asked.question
    )
    return {"id": made.id, "cases": len(made.cases), "role": made.role.value, "question": made.question}


@router.get("/reviews", openapi_extra=_READ)
def listing(
    desk: DeskDep,
    actor: Caller,
    sight: Seen,
    prompt: str = "",
    before: str | None = None,
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """Reviews, newest first, from below the id `before`."""
    found = view.listing(desk, actor, prompt, before, limit, sight)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.get("/reviews/{id}", openapi_extra=_READ)
def show(id: str, desk: DeskDep, actor: Caller, sight: Seen) -> dict[str, Any]:
    """One review: how far one is, and everything once one has signed."""
    return view.show(desk, actor, id, sight).to_json()


@router.post("/reviews/{id}/cases/{number}", openapi_extra=verb(Verb.REVIEW_ANSWER))
def look(id: str, number: int, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Open a case, from 1 in one's own order: its input and its outputs, without a word on whose they are."""
    return reviews.look(desk, actor, id, number).to_json()


@router.put("/reviews/{id}/cases/{number}", openapi_extra=verb(Verb.REVIEW_ANSWER))
def answer(id: str, number: int, given: AnswerGiven, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Answer a case; until one signs it may be answered anew."""
    reviews.answer(desk, actor, id, number, given.better, given.live, given.note)
    return {"review": id, "number": number}


@router.post("/reviews/{id}/sign", openapi_extra=verb(Verb.REVIEW_SIGN))
def sign(id: str, desk: DeskDep, actor: Caller, sight: Seen) -> dict[str, Any]:
    """Sign all answers for good; the review as it is revealed then."""
    reviews.sign(desk, actor, id)
    return view.show(desk, actor, id, sight).to_json()
