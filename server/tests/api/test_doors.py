"""Every route of the app: it declares its verb, asks for a person, and answers errors in our words."""

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from cuelight_server.access.oidc import Provider
from cuelight_server.api.auth import VERB, caller
from cuelight_server.app import PUBLIC, Front, build
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import issue_key, issue_token, revoke
from cuelight_server.control.members import appoint_auditor
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from server.tests.releasing import ENGINEER, PROMPT, prepare

PAGES = {  # these look at the visitor's cookie; their own tests hold them to it
    "/",
    "/owners",
    "/access",
    "/signin",
    "/signin/oidc",
    "/signin/oidc/callback",
    "/signin/oidc/out",
    "/account/connect",
    "/signout",
    "/static",
    "/evaluations",
    "/evaluations/{id}",
    "/evaluations/{id}/report.html",
    "/evaluations/{id}/cases/{case}",
    "/audit",
    "/audit/{seq:int}",
    "/audit/verify",
    "/invitation/{code}",
    "/reviews",
    "/reviews/{id}",
    "/reviews/{id}/sign",
    "/reviews/{id}/{number:int}",
    "/people",
    "/people/add",
    "/people/invite",
    "/people/disable",
    "/keys/issue",
    "/keys/revoke",
    "/trusts/end",
    "/account",
    "/account/password",
    "/account/sessions/end",
    "/account/sessions/end-all",
    "/account/token",
}
RUNTIME = {"/runtime/v1/snapshot", "/runtime/v1/acks", "/runtime/v1/calls"}


@pytest.fixture
def client(desk):
    with TestClient(build(desk, worker=False), raise_server_exceptions=False) as made:
        yield made


def all_routes(app):
    """Every route with its path; FastAPI may keep included routers as they are."""
    found = []
    stack = list(app.routes)
    while stack:
        route = stack.pop()
        inner = getattr(route, "original_router", None)
        stack.extend(inner.routes if inner is not None else [])
        if inner is None:
            found.append(route)
    return found


def test_every_route_declares_a_verb_and_asks_for_a_person_or_is_on_the_public_list(desk):
    provider = Provider(issuer="https://login.example.org", client_id="desk")
    routes = all_routes(
        build(desk, worker=False, front=Front(public_url="https://desk.example.org", provider=provider))
    )
    declared = [route for route in routes if isinstance(route, APIRoute)]
    assert len(declared) > 15
    for route in declared:
        assert route.openapi_extra, f"{route.path} declares no verb"
        assert Verb(route.openapi_extra[VERB]), route.path
        if route.path in PUBLIC:
            continue  # its own tests hold it to asking for something else
        assert caller in {one.call for one in route.dependant.dependencies}, f"{route.path} asks nobody"
    others = {route.path for route in routes if isinstance(route, Route | Mount) and not isinstance(route, APIRoute)}
    assert others <= PUBLIC | PAGES | RUNTIME, "a plain route needs a place on a list, and a reason"


def test_no_api_route_answers_without_a_token(client, desk):
    for route in all_routes(client.app):
        if isinstance(route, APIRoute) and route.path not in PUBLIC:
            for method in route.methods:
                path = route.path.replace("{", "").replace("}", "")
                answer = client.request(method, path, json={} if method != "GET" else None)
                assert answer.status_code == 401, (method, path, answer.status_code)
                assert answer.headers["www-authenticate"] == "Bearer"


def test_a_missing_token_is_401_with_a_hint(client):
    answer = client.get("/api/v1/status")
    assert answer.status_code == 401
    assert answer.json()["error"]["kind"] == "denied"
    assert "Bearer" in answer.json()["error"]["hint"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_persons_token_opens_the_api_and_not_the_runtime(client, desk):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    assert client.get("/api/v1/me", headers=head).json()["roles"] == {"sales": ["engineering_owner"]}
    for path in RUNTIME:
        method = "GET" if path.endswith("snapshot") else "POST"
        assert client.request(method, path, headers=head).status_code == 403


def test_an_apps_key_opens_the_runtime_and_nothing_else(client, desk):
    prepare(desk)
    head = bearer(issue_key(desk, SYSTEM, "crm", Environment.STAGING))
    assert client.get("/runtime/v1/snapshot", headers=head).json()["environment"] == "staging"
    for route in all_routes(client.app):
        if isinstance(route, APIRoute) and route.path not in PUBLIC:
            for method in route.methods:
                answer = client.request(method, route.path, headers=head, json={} if method != "GET" else None)
                assert answer.status_code == 403, (route.path, answer.status_code)
                assert answer.json()["error"]["kind"] == "denied"


def test_cuelight_as_works_on_a_demo_desk_only(desk, demo_desk):
    for one, status in ((desk, 401), (demo_desk, 200)):
        prepare(one)
        with TestClient(build(one, worker=False), base_url="http://localhost") as client:
            assert client.get("/api/v1/me", headers={"Cuelight-As": ENGINEER}).status_code == status
    with TestClient(build(demo_desk, worker=False), base_url="http://localhost") as client:
        assert client.get("/api/v1/me", headers={"Cuelight-As": "nobody"}).status_code == 401


def test_a_revoked_token_is_401(client, desk):
    prepare(desk)
    token = issue_token(desk, SYSTEM, ENGINEER)
    revoke(desk, SYSTEM, token.split("_")[2])
    answer = client.get("/api/v1/me", headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]["details"]) == (401, {"credentials": "revoked"})


def test_a_refused_release_is_423_with_the_checklist(client, desk):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    answer = client.post("/api/v1/releases", headers=head, json={"prompt": PROMPT, "label": "v1"})
    assert answer.status_code == 423
    missing = [one["id"] for one in answer.json()["error"]["details"]["checklist"]["items"] if not one["ok"]]
    assert missing == ["report", "approval:workflow_owner", "approval:engineering_owner"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not_found"),
        ("GET", "/api/v1/releases/check?prompt=sales.x&label=v1", None, 404, "not_found"),
        ("GET", "/api/v1/calls/out_1/why", None, 404, "not_found"),
        ("POST", "/api/v1/releases", {"prompt": PROMPT}, 422, "invalid"),
        ("POST", "/api/v1/releases", {"prompt": PROMPT, "label": "v1", "environment": "moon"}, 422, "invalid"),
        ("POST", "/api/v1/releases", {"prompt": PROMPT, "label": "v1", "extra": 1}, 422, "invalid"),
        ("POST", "/api/v1/rollbacks", {"prompt": PROMPT, "why": ""}, 422, "invalid"),
        ("PUT", "/api/v1/releases", {}, 405, "invalid"),
        ("GET", "/api/v1/audit?limit=100000", None, 422, "invalid"),
    ],
)
def test_errors_have_one_shape(client, desk, method, path, body, status, kind):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    answer = client.request(method, path, headers=head, json=body)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
    assert set(answer.json()["error"]) == {"kind", "message", "hint", "details"}


def test_the_unexpected_is_500_with_an_id_and_tells_nothing(desk, tmp_path):
    app = build(desk, worker=False)

    @app.get("/broken")
    def broken():
        raise RuntimeError("secret sauce")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["error"]["details"]["id"].startswith("err_")
    assert "sauce" not in answer.text


def test_a_body_that_is_too_large_is_refused(client, desk):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    answer = client.post("/api/v1/releases", headers=head, content=b" " * (5 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    key = bearer(issue_key(desk, SYSTEM, "crm", Environment.PRODUCTION))
    assert client.post("/runtime/v1/calls", headers=key, content=b" " * (5 * 1024 * 1024 + 1)).status_code == 413


def test_answers_carry_safe_headers(client):
    answer = client.get("/healthz")
    assert answer.json()["ok"] is True
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_nothing_lists_the_api_to_strangers(client):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_the_log_and_the_status_are_read_over_http(client, desk):
    prepare(desk)
    appoint_auditor(desk, SYSTEM, ENGINEER)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    lines = client.get("/api/v1/audit?after=1&limit=2", headers=head).json()
    assert [one["seq"] for one in lines["items"]] == [2, 3]
    assert lines["next"] == "3"
    rows = client.get("/api/v1/status", headers=head).json()["rows"]
    assert [(row["prompt"], row["state"]) for row in rows] == [(PROMPT, "off")]
