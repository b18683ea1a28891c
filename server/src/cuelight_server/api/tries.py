"""Trying a prompt over HTTP: a few examples on one or several drafts at once, answered within the request."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import tries
from cuelight_server.control.tries import MOST_EXAMPLES, MOST_LABELS, Wish
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import tries as view

router = APIRouter(prefix="/api/v1")
_Label = Annotated[str, Field(max_length=40)]
_Case = Annotated[str, Field(max_length=80)]


class TryAsked(BaseModel):
    """Examples to try: `cases` by name, the first `count` of the suite, or `inputs` of one's own; `sets` replaces variables."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(max_length=161)
    labels: list[_Label] = Field(min_length=1, max_length=MOST_LABELS)
    cases: list[_Case] = Field(default_factory=list, max_length=MOST_EXAMPLES)
    count: int = Field(default=0, ge=0, le=MOST_EXAMPLES)
    inputs: list[dict[str, Any]] = Field(default_factory=list, max_length=MOST_EXAMPLES)
    sets: dict[str, Any] = Field(default_factory=dict, max_length=200)
    provider: Literal["recorded", "openai"] = "recorded"
    keep: bool = True


@router.post("/tries", openapi_extra=verb(Verb.PROMPT_TRY))
def try_out(asked: TryAsked, request: Request, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Try a few examples; outputs and grades side by side, no verdict."""
    wish = Wish(
        prompt=asked.prompt,
        labels=tuple(asked.labels),
        cases=tuple(asked.cases),
        count=asked.count,
        inputs=tuple(asked.inputs),
        sets=asked.sets,
        provider=asked.provider,
        keep=asked.keep,
    )
    made = tries.try_out(desk, actor, request.app.state.providers, wish)
    return {
        "prompt": asked.prompt,
        "kept": asked.keep,
        "tries": [
            {
                "id": one.id if asked.keep else None,
                "label": one.label,
                "content_digest": one.content_digest,
                "provider": one.provider,
                "recorded": one.recorded,
                "examples": one.document["examples"],
            }
            for one in made
        ],
    }


@router.get("/tries", openapi_extra=verb(Verb.DESK_READ))
def listing(
    desk: DeskDep, _actor: Caller, sight: Seen, prompt: str, before: str | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """What was tried on a prompt, newest first, from below the id `before`."""
    sight.enter(prompt)
    found = view.listing(desk, prompt, before, limit)
    return {"items": [one.to_json() for one in found.items], "next": found.next}
