"""The map of the pages, and the two everybody may open: sign in and sign out."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import CuelightError, NotFound
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.views import desk as desk_view
from cuelight_server.web import desk as desk_page
from cuelight_server.web import explaining as explaining_page
from cuelight_server.web import ownership as ownership_page
from cuelight_server.web import session
from cuelight_server.web.forms import Form, posted
from cuelight_server.web.render import html

Asked = dict[str, str]  # what stands behind the ? of the address


@dataclass(frozen=True, slots=True)
class Choice:
    """One person who may be chosen on a demo desk."""

    id: str
    name: str
    roles: str


@dataclass(frozen=True, slots=True)
class NothingPage:
    """What is shown where there is nothing, or nothing for whoever asks."""

    title: str
    person: str
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What the sign-in page shows."""

    title: str
    problem: str
    people: tuple[Choice, ...]


def routes(desk: Desk, host: str = "") -> list[BaseRoute]:
    """Every page and the static files; `host` is where the server listens."""
    look, enter = declares(Verb.DESK_READ), declares(Verb.DESK_ENTER)
    static = StaticFiles(directory=str(files("cuelight_server.web") / "static"))
    return [
        Route("/", look(_signed_in(desk, host, desk_page.page)), methods=["GET"]),
        Route("/owners", look(_signed_in(desk, host, ownership_page.page)), methods=["GET"]),
        Route("/access", look(_signed_in(desk, host, explaining_page.page)), methods=["GET"]),
        Route("/signin", enter(_ask(desk)), methods=["GET"]),
        Route("/signin", enter(posted(_sign_in(desk, host))), methods=["POST"]),
        Route("/signout", enter(_sign_out(desk)), methods=["POST"]),
        Mount("/static", enter(static), name="static"),
    ]


def _signed_in(desk: Desk, host: str, page: Callable[[Desk, Actor, Asked], Any]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        person = session.visitor(desk, request, host)
        if person is None:
            return RedirectResponse("/signin", 303)
        try:
            shown = page(desk, person, dict(request.query_params))
        except NotFound as unknown:
            return html("nothing.html", NothingPage("Not here", person.name, unknown.message, unknown.hint), 404)
        return html(shown.template, shown)

    return endpoint


def _ask(desk: Desk) -> Callable[[Request], Response]:
    return lambda _: html("signin.html", _sign_in_page(desk, ""))


def _sign_in(desk: Desk, host: str) -> Callable[[Request, Form], Response]:
    def answer(request: Request, form: Form) -> Response:
        if not session.from_here(request):
            return _not_from_here(desk)
        chosen = form.get("as", "") if at_home(request.headers.get("host", ""), host) else ""
        try:
            return session.signed_in(desk, form.get("token", ""), chosen, secure=request.url.scheme == "https")
        except CuelightError as refused:
            words = f"{refused.message[:1].upper()}{refused.message[1:]}. {refused.hint}"
            return html("signin.html", _sign_in_page(desk, words), 403)

    return answer


def _sign_out(desk: Desk) -> Callable[[Request], Response]:
    return lambda request: session.signed_out() if session.from_here(request) else _not_from_here(desk)


def _not_from_here(desk: Desk) -> Response:
    return html("signin.html", _sign_in_page(desk, "That came from another site. Sign in here."), 403)


def _sign_in_page(desk: Desk, problem: str) -> SignInPage:
    people = desk_view.people(desk) if desk.demo else ()
    choices = tuple(
        Choice(one.id, one.name, _roles(desk_view.me(desk, one).roles))
        for one in people
        if one.kind is ActorKind.PERSON
    )
    return SignInPage("Sign in", problem, choices)


def _roles(held: Any) -> str:
    words = [
        f"{', '.join(str(role).replace('_', ' ') for role in roles)} of {workflow}" for workflow, roles in held.items()
    ]
    return "; ".join(words) or "no role yet"
