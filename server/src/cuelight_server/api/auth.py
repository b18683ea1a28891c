"""Who asks: the person, service or agent behind a token, the desk that is asked, and the verb that each route declares."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from cuelight_server.audit.scopes import covers
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import authenticate
from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import Denied
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.sight import Sight
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.views.desk import person
from cuelight_server.views.sight import sight_of

VERB = "x-verb"


def verb(declared: Verb) -> dict[str, Any]:
    """What a route passes as `openapi_extra`: the verb that stands behind it. A route without one fails a test."""
    return {VERB: declared.value}


def desk_of(request: Request) -> Desk:
    """The desk that this app serves."""
    desk: Desk = request.app.state.desk
    return desk


def token_of(authorization: str | None) -> str | None:
    """The token in `Bearer <token>`; None for anything else."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def person_of(desk: Desk, authorization: str | None, as_person: str | None, *, home: bool) -> Actor:
    """The person who asks: by token, or by name on a demo desk (`Cuelight-As`), which has nothing to protect.

    Denied otherwise (with details.credentials where a sign-in would help): an app's key opens the runtime only, and
    a name counts only where the request came to this machine's own name (`home`).
    """
    if as_person is not None and desk.demo and authorization is None:
        if not home:
            raise Denied("this is not the demo's own address", "open it at http://localhost", credentials="missing")
        found = person(desk, as_person)
        if found is None:
            raise Denied(f"there is no person {as_person} here", "see the people of the demo", credentials="unknown")
        return found
    if as_person is not None and not desk.demo:
        raise Denied("`Cuelight-As` is for demo desks", "send `Authorization: Bearer <token>`", credentials="missing")
    actor = authenticate(desk, token_of(authorization))
    if actor.kind is ActorKind.APP:
        raise Denied("an app's key opens /runtime only", "use a person's token: CUELIGHT_TOKEN")
    return actor


def caller(request: Request) -> Actor:
    """The person behind this request."""
    headers = request.headers
    home = at_home(headers.get("host", ""), getattr(request.app.state, "host", ""))
    actor = person_of(desk_of(request), headers.get("authorization"), headers.get("cuelight-as"), home=home)
    declared = Verb(request.scope["route"].openapi_extra[VERB])
    if not covers(actor.scopes, declared):
        raise Denied(f"this key is not for {declared.value}", "use one with that scope", verb=declared.value)
    return actor


def sight(request: Request, actor: Annotated[Actor, Depends(caller)]) -> Sight:
    """The workflows that are there for whoever asks."""
    return sight_of(desk_of(request), actor)


Limit = Annotated[int, Query(ge=1, le=MAX_SIZE)]
Number = Annotated[int, Query(ge=0, le=2**53 - 1)]  # what JSON and the database both hold
DeskDep = Annotated[Desk, Depends(desk_of)]
Caller = Annotated[Actor, Depends(caller)]
Seen = Annotated[Sight, Depends(sight)]
