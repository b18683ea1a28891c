"""Approvals, releases, rollbacks and the end of a prompt over HTTP."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.api.once import Key, once
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import ending, releases
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


class RetirementAsked(BaseModel):
    """A prompt to retire."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(max_length=161)
    why: str = Field(max_length=2000)


class OffAsked(_Asked):
    """A prompt to switch off."""

    why: str = Field(max_length=2000)


class RollbackAsked(_Asked):
    """A rollback; `from` is the version that the caller saw as live."""

    why: str = Field(max_length=2000)
    from_: str | None = Field(default=None, alias="from", max_length=40)


@router.post("/approvals", openapi_extra=verb(Verb.RELEASE_APPROVE))
def approve(asked: ApprovalAsked, desk: DeskDep, actor: Caller, key: Key = None) -> dict[str, Any]:
    """Say yes to a version for an environment."""
    role = asked.role.value if asked.role else None
    first = once(key, "approve", asked)
    given = releases.approve(desk, actor, asked.prompt, asked.label, asked.environment, role, asked.note, once=first)
    return asdict(given)


@router.get("/releases/check", openapi_extra=_READ)
def check(
    desk: DeskDep, _: Caller, sight: Seen, prompt: str, label: str, environment: Environment = Environment.PRODUCTION
) -> dict[str, Any]:
    """The checklist of a release as it stands."""
    sight.enter(prompt)
    return releases.check(desk, prompt, label, environment).to_json()


@router.post("/releases", openapi_extra=verb(Verb.RELEASE_OPEN))
def release(asked: ReleaseAsked, desk: DeskDep, actor: Caller, key: Key = None) -> dict[str, Any]:
    """Release a version; 423 with the checklist when something is missing."""
    first = once(key, "release", asked)
    done = releases.release(desk, actor, asked.prompt, asked.label, asked.environment, asked.note, once=first)
    return asdict(done)


@router.get("/releases", openapi_extra=_READ)
def history(
    desk: DeskDep, _: Caller, sight: Seen, prompt: str, before: str | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """The releases of one prompt, newest first."""
    sight.enter(prompt)
    found = view.history(desk, prompt, before, limit)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.post("/rollbacks", openapi_extra=verb(Verb.RELEASE_ROLL_BACK))
def roll_back(asked: RollbackAsked, desk: DeskDep, actor: Caller, key: Key = None) -> dict[str, Any]:
    """Roll back to the pinned last good version, or switch off."""
    first = once(key, "roll_back", asked)
    done = releases.roll_back(desk, actor, asked.prompt, asked.environment, asked.why, asked.from_, once=first)
    return done.to_json()


@router.post("/off", openapi_extra=verb(Verb.PROMPT_SWITCH_OFF))
def switch_off(asked: OffAsked, desk: DeskDep, actor: Caller, key: Key = None) -> dict[str, Any]:
    """Serve nothing of a prompt in an environment: callers get the declared fallback; on again is a release."""
    first = once(key, "off", asked)
    return asdict(ending.switch_off(desk, actor, asked.prompt, asked.environment, asked.why, once=first))


@router.post("/retirements", openapi_extra=verb(Verb.PROMPT_RETIRE))
def retire(asked: RetirementAsked, desk: DeskDep, actor: Caller, key: Key = None) -> dict[str, Any]:
    """Retire a prompt: its name stays with it, and apps that ask for it are told whom to ask."""
    return asdict(ending.retire(desk, actor, asked.prompt, asked.why, once=once(key, "retire", asked)))
