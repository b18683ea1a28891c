"""Workflow folders and prompts over HTTP: push, lint, compare, look, take out."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Number, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import prompts
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import prompts as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


class Pushed(BaseModel):
    """A workflow folder as one JSON value; `as_drafts` stores every label as a draft, `revive` names retired prompts."""

    model_config = ConfigDict(extra="forbid")

    bundle: dict[str, Any]
    as_drafts: bool = False
    revive: list[str] = Field(default=[], max_length=100)


class Linted(BaseModel):
    """A workflow folder to look over."""

    model_config = ConfigDict(extra="forbid")

    bundle: dict[str, Any]


class Compared(BaseModel):
    """Two labels of one prompt; those that the bundle has count before the desk's."""

    model_config = ConfigDict(extra="forbid")

    bundle: dict[str, Any] | None = None
    prompt: str = Field(max_length=161)
    from_: str = Field(alias="from", max_length=40)
    to: str = Field(max_length=40)


@router.post("/push", openapi_extra=verb(Verb.WORKFLOW_PUSH))
def push(pushed: Pushed, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Store what the folder has that the desk has not, in one transaction."""
    return prompts.push(desk, actor, pushed.bundle, as_drafts=pushed.as_drafts, revive=pushed.revive).to_json()


@router.post("/lint", openapi_extra=_READ)
def lint(linted: Linted, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """What is wrong with the folder, and which of its rules anything enforces."""
    return prompts.lint_bundle(desk, linted.bundle, sight).to_json()


@router.post("/diff", openapi_extra=_READ)
def diff(compared: Compared, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """What changed between two labels, part by part, and the class of the change."""
    return prompts.diff_labels(desk, compared.prompt, compared.from_, compared.to, compared.bundle, sight).to_json()


@router.get("/prompts", openapi_extra=_READ)
def listing(desk: DeskDep, _: Caller, sight: Seen, after: str = "", limit: Limit = DEFAULT_SIZE) -> dict[str, Any]:
    """Every prompt of the workflows that one sees, by name."""
    page = view.listing(desk, after, limit, sight)
    return {"items": [asdict(one) for one in page.items], "next": page.next}


@router.get("/prompts/{name}", openapi_extra=_READ)
def card(
    name: str, desk: DeskDep, _: Caller, sight: Seen, before: Number | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """One prompt: owners, versions, what serves where, who approved."""
    sight.enter(name)
    return view.card(desk, name, before, limit).to_json()


@router.get("/prompts/{name}/{label}", openapi_extra=_READ)
def content(name: str, label: str, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """The content behind one label."""
    sight.enter(name)
    return view.content(desk, name, label).to_json()


@router.get("/export/{workflow}", openapi_extra=_READ)
def export(workflow: str, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """A workflow as a bundle that can be pushed elsewhere."""
    sight.enter(workflow)
    return prompts.export(desk, workflow)
