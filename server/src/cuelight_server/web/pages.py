"""The map of the pages, and the two everybody may open: sign in and sign out."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.terms import Role
from cuelight_server.views import desk as desk_view
from cuelight_server.views.teams import teams
from cuelight_server.web import audit as audit_page
from cuelight_server.web import desk as desk_page
from cuelight_server.web import session
from cuelight_server.web.forms import Form, posted
from cuelight_server.web.render import html


@dataclass(frozen=True, slots=True)
class Choice:
    """One person who may be chosen on a demo desk."""

    id: str
    name: str
    roles: str


@dataclass(frozen=True, slots=True)
class Choices:
    """The people of one workflow: who holds a role first, then who stands in for them."""

    workflow: str
    tier: str
    owners: tuple[Choice, ...]
    backups: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What the sign-in page shows."""

    title: str
    problem: str
    people: tuple[Choices, ...]


def routes(desk: Desk, host: str = "", checkpoints: Checkpoints | None = None) -> list[BaseRoute]:
    """Every page and the static files; `host` is where the server listens."""
    static = StaticFiles(directory=str(files("cuelight_server.web") / "static"))
    return [
        Route("/", _signed_in(desk, host, desk_page.page), methods=["GET"]),
        Route("/signin", _ask(desk), methods=["GET"]),
        Route("/signin", posted(_sign_in(desk, host)), methods=["POST"]),
        Route("/signout", _sign_out(desk), methods=["POST"]),
        *audit_page.routes(desk, host, checkpoints or Checkpoints()),
        Mount("/static", static, name="static"),
    ]


def _signed_in(desk: Desk, host: str, page: Callable[[Desk, Actor], Any]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        person = session.visitor(desk, request, host)
        if person is None:
            return RedirectResponse("/signin", 303)
        shown = page(desk, person)
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
            note_failed_sign_in(desk, "sign-in page", None, request.client.host if request.client else "")
            words = f"{refused.message[:1].upper()}{refused.message[1:]}. {refused.hint}"
            return html("signin.html", _sign_in_page(desk, words), 403)

    return answer


def _sign_out(desk: Desk) -> Callable[[Request], Response]:
    return lambda request: session.signed_out() if session.from_here(request) else _not_from_here(desk)


def _not_from_here(desk: Desk) -> Response:
    return html("signin.html", _sign_in_page(desk, "That came from another site. Sign in here."), 403)


def _sign_in_page(desk: Desk, problem: str) -> SignInPage:
    return SignInPage("Sign in", problem, _choices(desk) if desk.demo else ())


def _choices(desk: Desk) -> tuple[Choices, ...]:
    """Who may be chosen, by workflow; at the end those who hold no role anywhere."""
    here = {one.id: one.name for one in desk_view.people(desk)}
    every = teams(desk)
    found = [
        Choices(team.workflow, team.tier, _named(team.owners, here), _named(team.backups, here, team.owners))
        for team in every
    ]
    others = {id: () for id in here if not any(team.holds(id) for team in every)}
    if others:
        found.append(Choices("No role yet" if found else "People", "", _named(others, here), ()))
    return tuple(found)


def _named(held: Mapping[str, Sequence[Role]], here: Mapping[str, str], but: Container[str] = ()) -> tuple[Choice, ...]:
    """The people among these who have an account; `but` leaves out those who are shown already."""
    return tuple(Choice(id, here[id], _roles(roles)) for id, roles in held.items() if id in here and id not in but)


def _roles(held: Sequence[Role]) -> str:
    if not held:
        return "no role yet"
    first = held[0].value.replace("_", " ")
    return first if len(held) == 1 else f"{first} and {len(held) - 1} more roles"
