"""Approvals, releases and rollbacks over HTTP."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import releases
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import Environment, Role
from cuelight_server.views import releases as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(max_length=161)
    environment: Environment = Environment.PRODUCTION


class ApprovalAsked(_Asked):
    """A yes; `role` only where the person holds several."""

    label: str = Field(max_length=40)
    role: Role | None = None
    note: str = Field(default="", max_length=2000)


class ReleaseAsked(_Asked):
    """A release."""

    label: str = Field(max_length=40)
    note: str = Field(default="", max_length=2000)


class RollbackAsked(_Asked):
    """A rollback; `from` is the version that the caller saw as live."""

    why: str = Field(max_length=2000)
    from_: str | None = Field(default=None, alias="from", max_length=40)


@router.post("/approvals", openapi_extra=verb(Verb.RELEASE_APPROVE))
def approve(asked: ApprovalAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Say yes to a version for an environment."""
    role = asked.role.value if asked.role else None
    given = releases.approve(desk, actor, asked.prompt, asked.label, asked.environment, role, asked.note)
    return asdict(given)


@router.get("/releases/check", openapi_extra=_READ)
def check(
    desk: DeskDep, _: Caller, sight: Seen, prompt: str, label: str, environment: Environment = Environment.PRODUCTION
) -> dict[str, Any]:
    """The checklist of a release as it stands."""
    sight.enter(prompt)
    return releases.check(desk, prompt, label, environment).to_json()


@router.post("/releases", openapi_extra=verb(Verb.RELEASE_OPEN))
def release(asked: ReleaseAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Release a version; 423 with the checklist when something is missing."""
    return asdict(releases.release(desk, actor, asked.prompt, asked.label, asked.environment, asked.note))


@router.get("/releases", openapi_extra=_READ)
def history(
    desk: DeskDep, _: Caller, sight: Seen, prompt: str, before: str | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """The releases of one prompt, newest first."""
    sight.enter(prompt)
    found = view.history(desk, prompt, before, limit)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.post("/rollbacks", openapi_extra=verb(Verb.RELEASE_ROLL_BACK))
def roll_back(asked: RollbackAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Roll back to the pinned last good version, or switch off."""
    return releases.roll_back(desk, actor, asked.prompt, asked.environment, asked.why, asked.from_).to_json()
