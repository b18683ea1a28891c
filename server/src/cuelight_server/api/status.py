"""What serves where, who follows, who am I, and why an output is what it is."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from cuelight_server.api.auth import Caller, DeskDep, Limit, Number, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import Environment
from cuelight_server.views import calls as calls_view
from cuelight_server.views import desk as desk_view
from cuelight_server.views import runtime, traces

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


@router.get("/status", openapi_extra=_READ)
def status(desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """What every prompt of the workflows that one sees serves in every environment."""
    return desk_view.status(desk, sight).to_json()


@router.get("/me", openapi_extra=_READ)
def me(desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Who the token belongs to, and the roles they hold."""
    return desk_view.me(desk, actor).to_json()


@router.get("/runtime/observed", openapi_extra=_READ)
def observed(
    desk: DeskDep,
    actor: Caller,
    environment: Environment = Environment.PRODUCTION,
    version: Number | None = None,
) -> dict[str, Any]:
    """How many live clients follow a snapshot version, and who may be behind.

    By name (`named`) for whoever sees every workflow that the environment serves, or may take one of them back; in
    numbers for everybody else.
    """
    return asdict(runtime.observed_by(desk, actor, environment.value, version))


@router.get("/calls", openapi_extra=_READ)
def calls(
    desk: DeskDep,
    _: Caller,
    sight: Seen,
    prompt: str,
    environment: Environment = Environment.PRODUCTION,
    before: str = "",
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """Recorded calls of one prompt, newest first, with their variables where policy keeps them."""
    sight.enter(prompt)
    page = calls_view.listing(desk, prompt, environment.value, before or None, limit)
    return {"items": [asdict(one) for one in page.items], "next": page.next}


@router.get("/calls/{id}/why", openapi_extra=_READ)
def why(desk: DeskDep, _: Caller, sight: Seen, id: str, environment: Environment | None = None) -> dict[str, Any]:
    """Everything that decided one output; without an environment production comes first, then the others."""
    return traces.why(desk, id, environment.value if environment else None, sight).to_json()
