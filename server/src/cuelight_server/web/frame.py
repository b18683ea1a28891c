"""The frame around the pages of a signed-in person: who may open them, and which forms they answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.kernel.errors import CuelightError, NotFound
from cuelight_server.web import needs, session
from cuelight_server.web.doors import Doors
from cuelight_server.web.forms import Form, posted
from cuelight_server.web.render import html

Endpoint = Callable[[Request], Response]
STATUS = {"invalid": 422, "not_found": 404, "conflict": 409, "denied": 403, "blocked": 423, "unavailable": 503}


def signed_in(desk: Desk, doors: Doors, page: Callable[[Visit, Request], Any]) -> Endpoint:
    """A page for whoever is signed in; everybody else goes to the sign-in page."""

    def endpoint(request: Request) -> Response:
        visit = session.visitor(desk, request, doors)
        if visit is None:
            return RedirectResponse("/signin", 303)
        try:
            shown = page(visit, request)
        except NotFound as unknown:
            shown = NothingPage(person=visit.actor.name, words=unknown.message, hint=unknown.hint)
        if isinstance(shown, Response):
            return shown
        csrf = session.csrf_of(session.secret_of(request, doors))
        return framed(desk, visit, shown, getattr(shown, "status", 200), csrf)

    return endpoint


def framed(desk: Desk, visit: Visit, shown: Any, status: int, csrf: str) -> Response:
    """A page in the frame of whoever is signed in, with how many things need a person."""
    told = getattr(shown, "needs", None)  # the desk lists them itself
    number = needs.count(desk, visit.actor) if told is None else len(told)
    return html(shown.template, shown, status, csrf, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingPage:
    """What is shown where there is nothing, or nothing for whoever asks."""

    person: str
    words: str
    hint: str
    title: str = "Not here"
    status: int = 404
    template: str = "nothing.html"


def form(
    desk: Desk,
    doors: Doors,
    act: Callable[[Visit, Request, Form], Any],
    again: Callable[[Visit, CuelightError], Any],
) -> Callable[[Request], Awaitable[Response]]:
    """A form of a signed-in person: `act` gives an answer or a page to show; a refusal is told on the page `again`.

    A form without the proof that it came from our own page changes nothing.
    """

    def answer(request: Request, sent: Form) -> Response:
        visit = session.visitor(desk, request, doors)
        if visit is None:
            return RedirectResponse("/signin", 303)
        if not session.is_ours(request, doors, sent.get("csrf", "")):
            return html("problem.html", NOT_OURS, 403)
        csrf = session.csrf_of(session.secret_of(request, doors))
        try:
            given = act(visit, request, sent)
        except CuelightError as refused:
            shown = again(visit, refused)
            told = framed(desk, visit, shown, STATUS[refused.kind], csrf)
            if "retry_after" in refused.details:
                told.headers["Retry-After"] = str(refused.details["retry_after"])
            return told
        if isinstance(given, Response):
            return given
        return framed(desk, visit, given, getattr(given, "status", 200), csrf)

    return posted(answer)


def sentence(refused: CuelightError) -> str:
    """What a page says about a refusal: message and hint as sentences."""
    first = f"{refused.message[:1].upper()}{refused.message[1:]}."
    return f"{first} {refused.hint[:1].upper()}{refused.hint[1:]}." if refused.hint else first


class _Problem:
    """What the bare page says about a form that is none of ours."""

    title = "Not from here"
    words = "That form did not come from this desk, or you have signed in again since. Nothing was changed."


NOT_OURS = _Problem()
