"""The pages before one is in: sign in, and the one-time link with which a person sets their password."""

from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from cuelight_server.access.model import Purpose
from cuelight_server.control import invitations, sessions
from cuelight_server.control.desk import Desk
from cuelight_server.control.invitations import Asked
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import CuelightError, Denied, Invalid
from cuelight_server.kernel.terms import Role
from cuelight_server.views import desk as desk_view
from cuelight_server.views.sight import sight_of
from cuelight_server.views.teams import teams
from cuelight_server.web import session
from cuelight_server.web.doors import Doors, Other
from cuelight_server.web.forms import Form, posted
from cuelight_server.web.frame import STATUS, sentence
from cuelight_server.web.render import html

TOO_MANY = 429


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
    id: str
    people: tuple[Choices, ...]
    others: tuple[Other, ...]
    provider: str
    passwords: bool


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """What stands behind a one-time link; `asked` is None where the link is not good."""

    title: str
    problem: str
    code: str
    asked: Asked | None
    id: str = ""
    name: str = ""

    @property
    def owner(self) -> bool:
        """Whether the link makes the owner of a new desk, who chooses their own id and name."""
        return self.asked is not None and self.asked.purpose is Purpose.OWNER


def ask(desk: Desk, doors: Doors) -> Callable[[Request], Response]:
    """The sign-in page."""
    return lambda _: html("signin.html", _page(desk, doors))


def sign_in(desk: Desk, doors: Doors) -> Callable[[Request], Awaitable[Response]]:
    """The sign-in form: id and password, or on a demo desk the name of a person."""

    def answer(request: Request, form: Form) -> Response:
        if not session.from_here(request):
            return html("signin.html", _page(desk, doors, "That came from another site. Sign in here."), 403)
        try:
            secret = _by_name(desk, doors, request, form) or _by_password(desk, doors, request, form)
        except CuelightError as refused:
            return _refused(html("signin.html", _page(desk, doors, sentence(refused), form), _status(refused)), refused)
        return session.signed_in(request, doors, secret)

    return posted(answer)


def refusal(desk: Desk, doors: Doors) -> Callable[[CuelightError], Response]:
    """The sign-in page, with what went wrong on another way in."""
    return lambda bad: _refused(html("signin.html", _page(desk, doors, sentence(bad)), _status(bad)), bad)


def sign_out(desk: Desk, doors: Doors) -> Callable[[Request], Awaitable[Response]]:
    """The sign-out form: the session is over, not only the cookie gone."""

    def answer(request: Request, form: Form) -> Response:
        secret = session.secret_of(request, doors)
        known = sessions.visit(desk, secret, doors.rules) is not None
        if not session.from_here(request) or (known and not session.is_ours(request, doors, form.get("csrf", ""))):
            return html("signin.html", _page(desk, doors, "That came from another site. Nothing was changed."), 403)
        sessions.sign_out(desk, secret or "")
        return session.signed_out(request, doors)

    return posted(answer)


def open_link(desk: Desk) -> Callable[[Request], Response]:
    """What stands behind a one-time link; looking does not use it up."""

    def endpoint(request: Request) -> Response:
        code = request.path_params["code"]
        try:
            asked = invitations.look(desk, code, session.came(request))
        except CuelightError as refused:
            page = InvitationPage(_TITLES[None], sentence(refused), "", None)
            return _refused(html("invitation.html", page, _status(refused)), refused)
        return html("invitation.html", _link_page(asked, code))

    return endpoint


def use_link(desk: Desk, doors: Doors) -> Callable[[Request], Awaitable[Response]]:
    """Setting the password with a one-time link; whoever does is signed in."""

    def answer(request: Request, form: Form) -> Response:
        code, came = request.path_params["code"], session.came(request)
        asked = None
        try:
            if not session.from_here(request):
                raise Denied("that came from another site", "open the link again")
            asked = invitations.look(desk, code, came)
            password = _twice(form)
            owner = (form.get("id", "").strip(), form.get("name", ""))
            person = invitations.accept(desk, doors.passwords, code, password, came, owner=owner)
        except CuelightError as refused:
            page = InvitationPage(_TITLES[None], sentence(refused), "", None)
            if asked is not None:
                page = _link_page(asked, code, sentence(refused), form)
            return _refused(html("invitation.html", page, _status(refused)), refused)
        old = session.secret_of(request, doors)
        secret = sessions.open_session(desk, person, sessions.LINK, came, rules=doors.rules, old=old)
        return session.signed_in(request, doors, secret)

    return posted(answer)


_TITLES: Mapping[Purpose | None, str] = {
    None: "A link that is over",
    Purpose.OWNER: "Become the owner of this desk",
    Purpose.INVITE: "Welcome",
    Purpose.RESET: "A new password",
}


def _by_name(desk: Desk, doors: Doors, request: Request, form: Form) -> str | None:
    chosen = form.get("as", "")
    if not chosen:
        return None
    if not desk.demo or not at_home(request.headers.get("host", ""), doors.host):
        raise Denied("a name is enough on a demo desk, at its own address", "sign in with your password")
    person = desk_view.person(desk, chosen)
    if person is None:
        raise Denied("that is no person on this desk", "choose one of the names")
    return sessions.open_session(desk, person.id, sessions.DEMO, session.came(request), rules=doors.rules)


def _by_password(desk: Desk, doors: Doors, request: Request, form: Form) -> str:
    return sessions.sign_in(
        desk,
        doors.passwords,
        form.get("id", ""),
        form.get("password", ""),
        session.came(request),
        rules=doors.rules,
        old=session.secret_of(request, doors),
    )


def _twice(form: Form) -> str:
    password = form.get("password", "")
    if password != form.get("again", ""):
        raise Invalid("the two passwords are not the same", "type the same one twice")
    return password


def _status(refused: CuelightError) -> int:
    return TOO_MANY if "retry_after" in refused.details else STATUS[refused.kind]


def _refused(page: Response, refused: CuelightError) -> Response:
    if "retry_after" in refused.details:
        page.headers["Retry-After"] = str(refused.details["retry_after"])
    return page


def _link_page(asked: Asked, code: str, problem: str = "", form: Mapping[str, str] | None = None) -> InvitationPage:
    typed = form or {}
    return InvitationPage(
        _TITLES[asked.purpose], problem, code, asked, typed.get("id", "")[:80], typed.get("name", "")[:200]
    )


def _page(desk: Desk, doors: Doors, problem: str = "", form: Mapping[str, str] | None = None) -> SignInPage:
    return SignInPage(
        title="Sign in",
        problem=problem,
        id=(form or {}).get("id", "")[:80],
        people=_choices(desk) if desk.demo else (),
        others=doors.others,
        provider=doors.sso.provider.name if doors.sso else "",
        passwords=doors.rules.allows(sessions.PASSWORD),
    )


def _choices(desk: Desk) -> tuple[Choices, ...]:
    """Who may be chosen, by workflow; at the end those who see every workflow, and those who hold no role anywhere."""
    people = desk_view.people(desk)
    here = {one.id: one.name for one in people}
    every = teams(desk)
    found = [
        Choices(team.workflow, team.tier, _named(team.owners, here), _named(team.backups, here, team.owners))
        for team in every
    ]
    free = [one for one in people if not any(team.holds(one.id) for team in every)]
    over = {one.id: one for one in free if sight_of(desk, one).everything}
    if over:
        choices = tuple(Choice(id, one.name, "administrator" if one.admin else "auditor") for id, one in over.items())
        found.append(Choices("Every workflow", "", choices, ()))
    others = {one.id: () for one in free if one.id not in over}
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
