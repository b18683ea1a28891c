"""Who is looking: a cookie that holds the person's own token, or a name on a demo desk."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cuelight_server.control.access import authenticate
from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import Denied
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.views import desk as desk_view

TOKEN, AS = "cuelight_token", "cuelight_as"
_TWELVE_HOURS = 12 * 3600


def visitor(desk: Desk, request: Request, host: str) -> Actor | None:
    """The person behind this request, or None for somebody who has to sign in. `host` is where the server listens."""
    chosen = request.cookies.get(AS)
    if desk.demo and chosen and at_home(request.headers.get("host", ""), host):
        return desk_view.person(desk, chosen)
    try:
        actor = authenticate(desk, request.cookies.get(TOKEN))
    except Denied:
        return None
    return actor if actor.kind is ActorKind.PERSON else None


def from_here(request: Request) -> bool:
    """Whether a form was sent by one of our own pages (or by no browser): another site signs nobody in or out."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def signed_in(desk: Desk, token: str, chosen: str, *, secure: bool) -> Response:
    """Home, with the cookie set, for https only where it came by https.

    Denied where the token is not a person's or the name is not on this demo desk.
    """
    name, value = (AS, chosen) if chosen else (TOKEN, token)
    person = _check(desk, token, chosen)
    if person is None or person.kind is not ActorKind.PERSON:
        raise Denied("that is no person on this desk", "an app's key opens no pages; ask an administrator for a token")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(name, value, max_age=_TWELVE_HOURS, httponly=True, samesite="strict", path="/", secure=secure)
    return answer


def signed_out() -> Response:
    """The sign-in page, with both cookies gone."""
    answer = RedirectResponse("/signin", 303)
    for name in (TOKEN, AS):
        answer.delete_cookie(name, path="/", httponly=True, samesite="strict")
    return answer


def _check(desk: Desk, token: str, chosen: str) -> Actor | None:
    if chosen:
        return desk_view.person(desk, chosen) if desk.demo else None
    return authenticate(desk, token)
