"""One's own account: password, where one is signed in, and one's own tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import access, invitations, sessions
from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.errors import CuelightError, Invalid
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.views import desk as desk_view
from cuelight_server.views import people as view
from cuelight_server.web import session
from cuelight_server.web.doors import Doors
from cuelight_server.web.forms import Form
from cuelight_server.web.frame import form, sentence, signed_in
from cuelight_server.web.people import KeyRow, Shown, days_of, key_rows, words_of
from cuelight_server.web.words import ago


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One place where this person is signed in."""

    id: str
    this: bool
    browser: str
    source: str
    method: str
    since: str
    seen: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Everything that the page shows."""

    title: str
    person: str
    id: str
    roles: tuple[str, ...]
    problem: str
    done: str
    shown: Shown | None
    has_password: bool
    sessions: tuple[SessionRow, ...]
    keys: tuple[KeyRow, ...]
    provider: str
    connected: tuple[str, ...]
    template: str = "people/account.html"


def routes(desk: Desk, doors: Doors) -> list[BaseRoute]:
    """The page and its forms."""
    look = declares(Verb.DESK_READ)

    def post(path: str, verb: Verb, act: Callable[[Visit, Request, Form], Any]) -> Route:
        return Route(path, declares(verb)(form(desk, doors, act, again)), methods=["POST"])

    again = refusal(desk, doors)
    return [
        Route("/account", look(signed_in(desk, doors, lambda visit, _: page(desk, doors, visit))), methods=["GET"]),
        post("/account/password", Verb.PASSWORD_CHANGE, partial(_password, desk, doors)),
        post("/account/sessions/end", Verb.SESSION_END, partial(_end, desk)),
        post("/account/sessions/end-all", Verb.SESSION_END, partial(_end_all, desk, doors)),
        post("/account/token", Verb.TOKEN_ISSUE_OWN, partial(_token, desk, doors)),
    ]


def refusal(desk: Desk, doors: Doors) -> Callable[[Visit, CuelightError], AccountPage]:
    """The page, with what went wrong."""
    return lambda visit, refused: page(desk, doors, visit, problem=sentence(refused))


def page(
    desk: Desk, doors: Doors, visit: Visit, *, problem: str = "", done: str = "", shown: Shown | None = None
) -> AccountPage:
    """The account of whoever is signed in."""
    now, me = desk.clock(), visit.actor
    here = desk_view.me(desk, me)
    held, desk_roles = here.roles, [word for word, holds in _DESK_ROLES if holds(here)]
    own = view.key_lines(desk, me, size=MAX_SIZE, own=True).items
    return AccountPage(
        title="Your account",
        person=me.name,
        id=me.id,
        roles=(
            *desk_roles,
            *(f"{role.replace('_', ' ')} of {place}" for place, roles in held.items() for role in roles),
        ),
        problem=problem,
        done=done,
        shown=shown,
        has_password=view.has_password(desk, me.id),
        sessions=tuple(
            SessionRow(
                id=one.id,
                this=one.hash == visit.session.hash,
                browser=browser_words(one.browser),
                source=one.source,
                method=one.method,
                since=ago(parse(one.created_at), now),
                seen=ago(parse(one.last_seen_at), now),
            )
            for one in sessions.sessions(desk, me, doors.rules)
        ),
        keys=key_rows(own, now, any_of_them=False, own=me.id),
        provider=doors.sso.provider.name if doors.sso else "",
        connected=tuple(f"since {one.linked_at[:10]}, at {one.issuer}" for one in view.identities(desk, me.id)),
    )


def browser_words(agent: str) -> str:
    """`Firefox on Linux`, as well as one can tell from what the browser says of itself."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "Some program")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return f"{browser} on {system}" if system else browser


_DESK_ROLES: tuple[tuple[str, Callable[[desk_view.Me], bool]], ...] = (
    ("administrator", lambda me: me.admin),
    ("auditor", lambda me: me.auditor),
)
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def _password(desk: Desk, doors: Doors, visit: Visit, request: Request, sent: Form) -> AccountPage:
    new = sent.get("new", "")
    if new != sent.get("again", ""):
        raise Invalid("the two new passwords are not the same", "type the same one twice")
    invitations.change_password(desk, doors.passwords, visit.actor, sent.get("old", ""), new, session.came(request))
    sessions.end_all(desk, visit.actor, but=visit.session.hash)
    return page(desk, doors, visit, done="The password is changed, and you are signed out everywhere else.")


def _end(desk: Desk, visit: Visit, _: Request, sent: Form) -> RedirectResponse:
    sessions.end_one(desk, visit.actor, sent.get("id", ""))
    return RedirectResponse("/account", 303)


def _end_all(desk: Desk, doors: Doors, visit: Visit, request: Request, _: Form) -> Response:
    sessions.end_all(desk, visit.actor)
    return session.signed_out(request, doors)


def _token(desk: Desk, doors: Doors, visit: Visit, _: Request, sent: Form) -> AccountPage:
    me = visit.actor
    wish = access.Wish(words_of(sent.get("scopes", "")), sent.get("label", ""), days_of(sent.get("days", "")))
    text = access.issue_token(desk, me, me.id, wish)
    hint = "Copy it now; the desk cannot show it again. In a terminal: export CUELIGHT_TOKEN=…"
    return page(desk, doors, visit, shown=Shown("Your new token", text, hint))
