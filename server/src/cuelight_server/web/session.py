"""Who is looking: a cookie that holds the secret of a session, and the proof that a form is one of ours."""

import hmac
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cuelight_server.access.model import Came
from cuelight_server.control import sessions
from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.web.doors import Doors

COOKIE = "cuelight_session"


def visitor(desk: Desk, request: Request, doors: Doors) -> Visit | None:
    """The person behind this request, or None for somebody who has to sign in."""
    return sessions.visit(desk, secret_of(request, doors), doors.rules)


def secret_of(request: Request, doors: Doors) -> str | None:
    """What the session's cookie holds; under https only the cookie that was set under https counts."""
    return request.cookies.get(_name(request, doors))


def came(request: Request) -> Came:
    """From where a request comes, as the throttle and the list of sessions know it."""
    source = request.client.host if request.client else "unknown"
    return Came(source=source, browser=request.headers.get("user-agent", ""))


def from_here(request: Request) -> bool:
    """Whether a form was sent by one of our own pages (or by no browser): another site does nothing here."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def csrf_of(secret: str | None) -> str:
    """What every form of a signed-in person carries: it follows from the cookie, which no other site can read."""
    return hmac.digest((secret or "").encode(), b"form", sha256).hex() if secret else ""


def is_ours(request: Request, doors: Doors, sent: str) -> bool:
    """Whether a form comes from a page that we gave to this session."""
    wanted = csrf_of(secret_of(request, doors))
    return from_here(request) and wanted != "" and hmac.compare_digest(wanted, sent if sent.isascii() else "")


def signed_in(request: Request, doors: Doors, secret: str) -> Response:
    """Home, with the session's cookie."""
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        _name(request, doors),
        secret,
        max_age=doors.rules.most_minutes * 60,
        httponly=True,
        samesite="lax",  # a link to the desk in a chat finds one signed in; forms carry a proof of their own
        path="/",
        secure=https(request, doors),
    )
    return answer


def signed_out(request: Request, doors: Doors) -> Response:
    """The sign-in page, with the cookie gone."""
    answer = RedirectResponse("/signin", 303)
    name, secure = _name(request, doors), https(request, doors)
    answer.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


def https(request: Request, doors: Doors) -> bool:
    """Whether people reach us by https, so that cookies travel by nothing else."""
    return request.url.scheme == "https" or doors.public_url.startswith("https://")


def cookie_name(plain: str, request: Request, doors: Doors) -> str:
    """Under https a name that only this very host can set."""
    return f"__Host-{plain}" if https(request, doors) else plain


def _name(request: Request, doors: Doors) -> str:
    return cookie_name(COOKIE, request, doors)
