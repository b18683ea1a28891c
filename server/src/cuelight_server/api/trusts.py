"""Trusted pipelines over HTTP: which there are, one more, and one no longer."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.access.claims import MOST as LONGEST
from cuelight_server.api.auth import Caller, DeskDep, Limit, verb
from cuelight_server.audit.scopes import MOST
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import trusts
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import Environment
from cuelight_server.views import trusts as view

router = APIRouter(prefix="/api/v1")

TrustId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
After = Annotated[str, Query(max_length=24, pattern=r"^[0-9a-f]*$")]
Short = Annotated[str, Field(max_length=LONGEST)]


class TrustAsked(BaseModel):
    """A pipeline to trust; without `audience` the address of this desk."""

    model_config = ConfigDict(extra="forbid")

    service: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    issuer: Short
    audience: Short = ""
    conditions: dict[Short, Short] = Field(max_length=20)
    scopes: list[Annotated[str, Field(max_length=80)]] = Field(max_length=MOST)
    environment: Environment | None = None
    minutes: int = Field(default=10, ge=1, le=trusts.MOST_MINUTES)


@router.get("/trusts", openapi_extra=verb(Verb.DESK_READ))
def listing(desk: DeskDep, actor: Caller, after: After = "", limit: Limit = DEFAULT_SIZE) -> dict[str, Any]:
    """The pipelines that are trusted, by id, those that ended too; for administrators only."""
    return asdict(view.trust_lines(desk, actor, after, limit))


@router.post("/trusts", openapi_extra=verb(Verb.TRUST_ADD))
def add(asked: TrustAsked, desk: DeskDep, actor: Caller, request: Request) -> dict[str, Any]:
    """Trust the tokens of a pipeline for a service account, which is added if it is new."""
    audience = asked.audience or request.app.state.public_url
    wished = trusts.Wished(
        issuer=asked.issuer,
        audience=audience,
        conditions=asked.conditions,
        scopes=asked.scopes,
        environment=asked.environment,
        minutes=asked.minutes,
    )
    plain = request.app.state.issuers.fetching.plain_at_home
    made = trusts.add_trust(desk, actor, asked.service, wished, plain_at_home=plain)
    return view.trust_line(desk, actor, made.id).to_json()


@router.post("/trusts/{id}/end", openapi_extra=verb(Verb.TRUST_END))
def end(desk: DeskDep, actor: Caller, id: TrustId) -> dict[str, Any]:
    """From now on no token opens the account by it; keys that came of it end by themselves within minutes."""
    trusts.end_trust(desk, actor, id)
    return view.trust_line(desk, actor, id).to_json()
