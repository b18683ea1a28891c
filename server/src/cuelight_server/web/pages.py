"""The map of the pages."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import Actor
from cuelight_server.web import account, evaluation, oidc, people, reviews, signin
from cuelight_server.web import audit as audit_page
from cuelight_server.web import desk as desk_page
from cuelight_server.web import explaining as explaining_page
from cuelight_server.web import ownership as ownership_page
from cuelight_server.web.doors import Doors
from cuelight_server.web.frame import Endpoint, signed_in

Asked = dict[str, str]  # what stands behind the ? of the address


def routes(desk: Desk, doors: Doors, checkpoints: Checkpoints | None = None) -> list[BaseRoute]:
    """Every page and the static files, each with its verb."""
    look, enter, own = declares(Verb.DESK_READ), declares(Verb.DESK_ENTER), declares(Verb.INVITATION_ACCEPT)
    static = StaticFiles(directory=str(files("cuelight_server.web") / "static"))

    def shown(page: Callable[[Desk, Actor, Asked], Any]) -> Endpoint:
        return look(signed_in(desk, doors, lambda visit, request: page(desk, visit.actor, dict(request.query_params))))

    return [
        Route("/", shown(desk_page.page), methods=["GET"]),
        Route("/owners", shown(ownership_page.page), methods=["GET"]),
        Route("/access", shown(explaining_page.page), methods=["GET"]),
        Route("/signin", enter(signin.ask(desk, doors)), methods=["GET"]),
        Route("/signin", enter(signin.sign_in(desk, doors)), methods=["POST"]),
        Route("/signout", enter(signin.sign_out(desk, doors)), methods=["POST"]),
        Route("/invitation/{code}", enter(signin.open_link(desk)), methods=["GET"]),
        Route("/invitation/{code}", own(signin.use_link(desk, doors)), methods=["POST"]),
        *people.routes(desk, doors),
        *account.routes(desk, doors),
        *evaluation.routes(desk, doors),
        *reviews.routes(desk, doors),
        *oidc.routes(desk, doors, signin.refusal(desk, doors), account.refusal(desk, doors)),
        *audit_page.routes(desk, doors, checkpoints or Checkpoints()),
        Mount("/static", enter(static), name="static"),
    ]
