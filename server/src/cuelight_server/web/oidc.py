"""Signing in at the organisation's own provider: the way there, the way back, and connecting one's account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import oidc
from cuelight_server.control.desk import Desk
from cuelight_server.control.oidc import Returned, SingleSignOn
from cuelight_server.control.sessions import Visit
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.web import session
from cuelight_server.web.doors import SIGN_IN_AT, Doors
from cuelight_server.web.forms import Form
from cuelight_server.web.frame import form
from cuelight_server.web.render import html

COOKIE = "cuelight_oidc"
CALLBACK = f"{SIGN_IN_AT}/callback"
_LASTS_S = 600
Refusal = Callable[[CuelightError], Response]


@dataclass(frozen=True, slots=True)
class ConnectPage:
    """Where somebody is sent who connects their account, before they are."""

    title: str
    person: str
    provider: str
    address: str
    template: str = "people/connect.html"


def routes(
    desk: Desk, doors: Doors, refused: Refusal, again: Callable[[Visit, CuelightError], object]
) -> list[BaseRoute]:
    """The addresses, where the desk has a provider: `refused` shows the sign-in page, `again` the account's."""
    if doors.sso is None:
        return []
    sso, enter = doors.sso, declares(Verb.DESK_ENTER)
    connect = declares(Verb.IDENTITY_CONNECT)(_connect(desk, doors, sso, again))
    return [
        Route(SIGN_IN_AT, enter(_begin(desk, doors, sso, refused)), methods=["GET"]),
        Route(CALLBACK, enter(_finish(desk, doors, sso, refused)), methods=["GET"]),
        Route(f"{SIGN_IN_AT}/out", enter(_out(doors, sso)), methods=["GET"]),
        Route("/account/connect", connect, methods=["POST"]),
    ]


def _begin(desk: Desk, doors: Doors, sso: SingleSignOn, refused: Refusal) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        try:
            begun = oidc.begin(desk, sso, session.came(request))
        except CuelightError as bad:
            return refused(bad)
        return _keep(RedirectResponse(begun.address, 303), request, doors, begun.secret)

    return endpoint


def _finish(desk: Desk, doors: Doors, sso: SingleSignOn, refused: Refusal) -> Callable[[Request], Response]:
    """Nothing in the address says where to go next: who signs in comes to the desk, who connects to their account."""

    def endpoint(request: Request) -> Response:
        asked = request.query_params
        sent = Returned(
            state=_once(asked.getlist("state")),
            code=_once(asked.getlist("code")),
            issuer=_once(asked.getlist("iss")),
            error=_once(asked.getlist("error")),
        )
        visit = session.visitor(desk, request, doors)
        try:
            done = oidc.finish(
                desk,
                sso,
                request.cookies.get(session.cookie_name(COOKIE, request, doors)),
                sent,
                session.came(request),
                rules=doors.rules,
                old=session.secret_of(request, doors),
                actor=visit.actor if visit else None,
            )
        except CuelightError as bad:
            answer = refused(bad)
        else:
            to_account = RedirectResponse("/account", 303)
            answer = session.signed_in(request, doors, done.secret) if done.secret else to_account
        answer.delete_cookie(
            session.cookie_name(COOKIE, request, doors),
            path="/",
            httponly=True,
            samesite="lax",
            secure=session.https(request, doors),
        )
        return answer

    return endpoint


def _out(doors: Doors, sso: SingleSignOn) -> Callable[[Request], Response]:
    """Signing out at the provider; our own session is ended by our own form."""
    return lambda _: RedirectResponse(oidc.farewell(sso, f"{doors.public_url}/signin") or "/signin", 303)


def _connect(
    desk: Desk, doors: Doors, sso: SingleSignOn, again: Callable[[Visit, CuelightError], object]
) -> Callable[[Request], Awaitable[Response]]:
    def act(visit: Visit, request: Request, _: Form) -> Response:
        begun = oidc.begin(desk, sso, session.came(request), visit.actor)
        page = ConnectPage("Connect your account", visit.actor.name, sso.provider.name, begun.address)
        csrf = session.csrf_of(session.secret_of(request, doors))
        return _keep(html(page.template, page, csrf=csrf), request, doors, begun.secret)

    return form(desk, doors, act, again)


def _keep(answer: Response, request: Request, doors: Doors, secret: str) -> Response:
    answer.set_cookie(
        session.cookie_name(COOKIE, request, doors),
        secret,
        max_age=_LASTS_S,
        httponly=True,
        samesite="lax",  # the provider sends the browser back by a link, which carries it; a form of theirs would not
        path="/",
        secure=session.https(request, doors),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _once(sent: list[str]) -> str:
    """A parameter that stands there twice counts as none."""
    return sent[0] if len(sent) == 1 else ""
