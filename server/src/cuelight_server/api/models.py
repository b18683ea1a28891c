"""Models over HTTP: which are in use, and which are no longer offered."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.models import retire_model
from cuelight_server.views import models as view

router = APIRouter(prefix="/api/v1")


class ModelRetired(BaseModel):
    """A model that is no longer offered."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=160)
    why: str = Field(max_length=2000)


@router.get("/models", openapi_extra=verb(Verb.DESK_READ))
def listing(desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """Every model in use in the workflows that one sees, with its versions and where they serve."""
    return {"items": [one.to_json() for one in view.models(desk, sight)], "next": None}


@router.post("/models/retired", openapi_extra=verb(Verb.MODEL_RETIRE))
def retire(asked: ModelRetired, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Record that a model is no longer offered; new versions on it are refused from now on."""
    return asdict(retire_model(desk, actor, asked.model, asked.why))
