"""Every door says which verb stands behind it: routes of the API, of the runtime and of the pages, and every command."""

import click
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from cuelight.cli.main import COMMANDS, cli
from cuelight.cli.options import ASKS
from cuelight_server.access.oidc import Provider
from cuelight_server.api.auth import VERB
from cuelight_server.app import Front, build
from cuelight_server.audit.declared import declared, declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli import commands
from server.tests.api.test_doors import all_routes


def every_door(desk):
    """The app with all that it may have: also a provider at which people sign in."""
    provider = Provider(issuer="https://login.example.org", client_id="desk")
    return build(desk, worker=False, front=Front(public_url="https://desk.example.org", provider=provider))


def verbs_of(app):
    """Address -> the verb that it declares; None where it declares none."""
    found = {}
    for route in all_routes(app):
        if isinstance(route, APIRoute):
            name = (route.openapi_extra or {}).get(VERB)
            found[f"{min(route.methods)} {route.path}"] = Verb(name) if name else None
        elif isinstance(route, Route | Mount):
            methods = sorted(getattr(route, "methods", None) or ["GET"])
            found[f"{methods[0]} {route.path}"] = declared(getattr(route, "endpoint", None) or route.app)
    return found


def undeclared(app):
    return sorted(address for address, verb in verbs_of(app).items() if verb is None)


def leaves(group, name=""):
    for key, command in listed(group):
        if isinstance(command, click.Group):
            yield from leaves(command, f"{name} {key}".strip())
        else:
            yield f"{name} {key}".strip(), command


def listed(group):
    context = click.Context(group)
    return [(key, group.get_command(context, key)) for key in group.list_commands(context)]


def test_every_route_declares_a_verb(desk):
    app = every_door(desk)
    assert undeclared(app) == []
    assert len(verbs_of(app)) > 45


def test_a_route_that_nobody_protects_is_found(desk):
    app = every_door(desk)

    @app.get("/api/v1/everything")
    def everything():
        return {}

    app.router.routes.append(Route("/secret", lambda _request: None, methods=["GET"]))
    app.router.routes.append(Route("/known", declares(Verb.DESK_READ)(lambda _request: None), methods=["GET"]))
    assert undeclared(app) == ["GET /api/v1/everything", "GET /secret"]


def test_only_the_doors_that_ask_nobody_declare_that(desk):
    open_doors = {address for address, verb in verbs_of(every_door(desk)).items() if verb.rule.open}
    assert open_doors == {
        "GET /healthz",
        "GET /invitation/{code}",
        "GET /signin",
        "GET /signin/oidc",
        "GET /signin/oidc/callback",
        "GET /signin/oidc/out",
        "POST /signin",
        "POST /signout",
        "GET /static",
    }


def test_what_changes_something_declares_no_reading_verb(desk):
    reading = {Verb.DESK_READ, Verb.DESK_ENTER}
    asks_only = {"POST /api/v1/lint", "POST /api/v1/diff", "POST /signin", "POST /signout", "POST /audit/verify"}
    wrong = [
        address
        for address, verb in verbs_of(every_door(desk)).items()
        if not address.startswith(("GET", "HEAD")) and verb in reading and address not in asks_only
    ]
    assert wrong == []


def test_every_command_of_the_operator_declares_a_verb_that_the_shell_may():
    found = {name: declared(command.callback) for name, command in leaves(commands)}
    assert [name for name, verb in found.items() if verb is None] == []
    assert len(found) > 15
    assert [name for name, verb in found.items() if not (verb.rule.system or verb is Verb.DESK_READ)] == []


def test_every_command_of_people_declares_what_it_asks_for():
    found = {name: getattr(command.callback, ASKS, None) for name, command in leaves(cli)}
    assert len(found) >= len(COMMANDS)
    assert [name for name, verb in found.items() if verb is None] == []
    assert {verb for verb in found.values() if verb} <= set(Verb)


def test_a_command_that_says_nothing_is_found():
    group = click.Group("cuelight", commands={"oops": click.Command("oops", callback=lambda: None)})
    assert [name for name, command in leaves(group) if declared(command.callback) is None] == ["oops"]


@pytest.mark.parametrize("verb", ["", "release.everything"])
def test_a_word_that_is_no_verb_is_none(verb):
    assert declared(setattr(leaves, "__cuelight_verb__", verb) or leaves) is None
