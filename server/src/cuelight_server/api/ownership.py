"""Who owns what, and why somebody may or may not, over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from cuelight_server.api.auth import Caller, DeskDep, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import explaining
from cuelight_server.views import ownership

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)
Name = Annotated[str, Query(max_length=210)]


@router.get("/owners", openapi_extra=_READ)
def owners(desk: DeskDep, _: Caller, sight: Seen, workflow: Name = "") -> dict[str, Any]:
    """The ownership map: what is wrong first, then every prompt, role, person, backup and when they were last here."""
    return ownership.ownership(desk, sight, workflow).to_json()


@router.get("/owners/export", openapi_extra=_READ)
def export(
    desk: DeskDep, _: Caller, sight: Seen, workflow: Name = "", form: Literal["md", "csv"] = "md"
) -> dict[str, Any]:
    """The ownership map as a page of Markdown or as CSV, in `text`."""
    found = ownership.ownership(desk, sight, workflow)
    return {"form": form, "text": ownership.as_csv(found) if form == "csv" else ownership.as_markdown(found)}


@router.get("/access/explain", openapi_extra=_READ)
def explain(desk: DeskDep, actor: Caller, who: Name, verb: Name, subject: Name) -> dict[str, Any]:
    """Whether somebody may do something, why, and who could: the questions that the door asks, with their answers."""
    return explaining.explain(desk, actor, who, verb, subject).to_json()
