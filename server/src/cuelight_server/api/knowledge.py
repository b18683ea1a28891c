"""Knowledge over HTTP: what a workflow knows, its releases, their items, and what differs between two."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from cuelight_server.api.auth import Caller, DeskDep, Limit, Number, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import knowledge as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)
Release = Annotated[int, Query(ge=1, le=2**31 - 1)]


@router.get("/knowledge/{workflow}", openapi_extra=_READ)
def listing(
    workflow: str, desk: DeskDep, _: Caller, sight: Seen, after: str = "", limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """What a workflow knows, by name: the newest release of each, and the versions that read it."""
    sight.enter(workflow)
    page = view.listing(desk, workflow, after, limit)
    return {"items": [asdict(one) for one in page.items], "next": page.next}


@router.get("/knowledge/{workflow}/{name}", openapi_extra=_READ)
def release(
    workflow: str,
    name: str,
    desk: DeskDep,
    _: Caller,
    sight: Seen,
    number: Release | None = None,
    after: Number = 0,
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """One release with its items, from above position `after`; the newest without a number."""
    sight.enter(workflow)
    return view.release(desk, workflow, name, number, after, limit)


@router.get("/knowledge/{workflow}/{name}/releases", openapi_extra=_READ)
def releases(
    workflow: str,
    name: str,
    desk: DeskDep,
    _: Caller,
    sight: Seen,
    before: Release | None = None,
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """The releases of one knowledge, newest first: who pushed each, and what it changed."""
    sight.enter(workflow)
    page = view.releases(desk, workflow, name, before, limit)
    return {"items": [asdict(one) for one in page.items], "next": page.next}


@router.get("/knowledge/{workflow}/{name}/diff", openapi_extra=_READ)
def compared(
    workflow: str,
    name: str,
    desk: DeskDep,
    _: Caller,
    sight: Seen,
    old: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
    new: Annotated[int, Query(alias="to", ge=1, le=2**31 - 1)],
) -> dict[str, Any]:
    """What differs from one release to another, item by item."""
    sight.enter(workflow)
    return view.compared(desk, workflow, name, old, new)
