"""The map of the pages."""

from importlib.resources import files

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from cuelight_server.control.desk import Desk
from cuelight_server.web import account, oidc, people, signin
from cuelight_server.web import desk as desk_page
from cuelight_server.web.doors import Doors
from cuelight_server.web.frame import signed_in


def routes(desk: Desk, doors: Doors) -> list[BaseRoute]:
    """Every page and the static files."""
    static = StaticFiles(directory=str(files("cuelight_server.web") / "static"))
    return [
        Route("/", signed_in(desk, doors, lambda visit, _: desk_page.page(desk, visit.actor)), methods=["GET"]),
        Route("/signin", signin.ask(desk, doors), methods=["GET"]),
        Route("/signin", signin.sign_in(desk, doors), methods=["POST"]),
        Route("/signout", signin.sign_out(desk, doors), methods=["POST"]),
        Route("/invitation/{code}", signin.open_link(desk), methods=["GET"]),
        Route("/invitation/{code}", signin.use_link(desk, doors), methods=["POST"]),
        *people.routes(desk, doors),
        *account.routes(desk, doors),
        *oidc.routes(desk, doors, signin.refusal(desk, doors), account.refusal(desk, doors)),
        Mount("/static", static, name="static"),
    ]
