"""People and keys over HTTP: who may do what, what a key is for, and what bad input gets."""

import socket
import threading

import pytest
import uvicorn
from starlette.testclient import TestClient

from cuelight_server.api.headers import MOST, BoundedHeaders
from cuelight_server.app import build
from cuelight_server.control.access import Wish, issue, issue_key, issue_token
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import ActorKind, Environment
from server.tests.signing_in import FRONT

API = "/api/v1"


@pytest.fixture
def client(desk):
    with TestClient(build(desk, worker=False, front=FRONT), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def ada(desk, person):
    person("ada.admin", admin=True)
    return bearer(issue_token(desk, SYSTEM, "ada.admin"))


@pytest.fixture
def mei(desk, person):
    person("mei.tanaka")
    return bearer(issue_token(desk, SYSTEM, "mei.tanaka"))


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_an_administrator_adds_invites_and_disables_and_others_do_not(client, ada, mei):
    cleo = {"id": "cleo.ray", "name": "Cleo Ray"}
    assert client.post(f"{API}/people", json=cleo, headers=mei).status_code == 403
    assert client.post(f"{API}/people", json=cleo, headers=ada).json()["person"] == "cleo.ray"
    assert client.post(f"{API}/people", json=cleo, headers=ada).status_code == 409
    for step in ("invitation", "disable"):
        assert client.post(f"{API}/people/cleo.ray/{step}", headers=mei).status_code == 403
    made = client.post(f"{API}/people/cleo.ray/invitation", headers=ada).json()
    assert made["link"].startswith("http://testserver/invitation/")
    assert client.get(made["link"]).status_code == 200
    assert client.post(f"{API}/people/cleo.ray/disable", headers=ada).json()["disabled_at"]
    assert client.get(made["link"]).status_code == 403


def test_lists_have_pages_and_who_owns_nothing_sees_only_themselves_and_their_keys(client, desk, ada, mei, person):
    for name in ("ben", "cleo"):
        person(name)
    first = client.get(f"{API}/people?limit=2", headers=ada).json()
    rest = client.get(f"{API}/people", params={"limit": 2, "after": first["next"]}, headers=ada).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ["ada.admin", "ben", "cleo", "mei.tanaka"]
    assert [one["id"] for one in client.get(f"{API}/people", headers=mei).json()["items"]] == ["mei.tanaka"]
    issue_key(desk, SYSTEM, "crm", Environment.STAGING)
    assert {one["holder"] for one in client.get(f"{API}/keys", headers=ada).json()["items"]} == {
        "ada.admin",
        "mei.tanaka",
        "app:crm",
    }
    (own,) = client.get(f"{API}/keys", headers=mei).json()["items"]
    assert own["holder"] == "mei.tanaka"
    assert "secret" not in str(own)


def test_a_key_is_given_once_and_dies_at_once(client, ada):
    asked = {"holder": "ci", "kind": "service", "scopes": ["read"], "days": 30, "label": "pipeline"}
    made = client.post(f"{API}/keys", json=asked, headers=ada).json()
    assert client.get(f"{API}/me", headers=bearer(made["key"])).json()["kind"] == "service"
    assert made["key"] not in client.get(f"{API}/keys", headers=ada).text
    assert client.post(f"{API}/keys/{made['id']}/revoke", headers=ada).json()["state"] == "revoked"
    answer = client.get(f"{API}/me", headers=bearer(made["key"]))
    assert (answer.status_code, answer.json()["error"]["details"]["credentials"]) == (401, "revoked")


def test_a_key_opens_only_the_addresses_that_it_is_for(client, desk, ada):
    reads = bearer(issue_token(desk, SYSTEM, "ada.admin", Wish(scopes=("read",))))
    adds = bearer(issue_token(desk, SYSTEM, "ada.admin", Wish(scopes=("actor.add",))))
    assert client.get(f"{API}/people", headers=reads).status_code == 200
    assert client.get(f"{API}/people", headers=adds).status_code == 403
    cleo = {"id": "cleo.ray", "name": "Cleo Ray"}
    assert client.post(f"{API}/people", json=cleo, headers=reads).json()["error"]["details"]["verb"] == "actor.add"
    assert client.post(f"{API}/people", json=cleo, headers=adds).status_code == 200


def test_a_token_that_was_stolen_makes_no_other_token(client, mei, ada):
    own = {"holder": "mei.tanaka", "kind": "person"}
    assert client.post(f"{API}/keys", json=own, headers=mei).status_code == 403
    assert client.post(f"{API}/keys", json=own, headers=ada).status_code == 200


def test_a_service_and_an_agent_look_and_change_nothing(client, desk):
    for kind in (ActorKind.SERVICE, ActorKind.AGENT):
        head = bearer(issue(desk, SYSTEM, "bot", kind, None, Wish()))
        assert client.get(f"{API}/status", headers=head).status_code == 200
        assert client.post(f"{API}/people", json={"id": "x", "name": "X"}, headers=head).status_code == 403
        assert (
            client.post(f"{API}/keys", json={"holder": "x", "environment": "staging"}, headers=head).status_code == 403
        )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/people", {"id": "Ж", "name": "X"}),
        ("/people", {"id": "eve", "name": "\u202eX"}),
        ("/people", {"id": "eve", "name": "X\x00"}),
        ("/people", {"id": "eve", "name": "x" * 201}),
        ("/people", {"id": "eve'; DROP TABLE actor;--", "name": "X"}),
        ("/people", {"id": "eve", "name": "X", "kind": "system"}),
        ("/people", {"id": "eve", "name": "X", "kind": "service", "admin": True}),
        ("/people", {"id": "eve", "name": "X", "extra": 1}),
        ("/keys", {"holder": "crm"}),
        ("/keys", {"holder": "crm", "environment": "moon"}),
        ("/keys", {"holder": "crm", "environment": "staging", "scopes": ["read"]}),
        ("/keys", {"holder": "ci", "kind": "service", "scopes": ["moon"]}),
        ("/keys", {"holder": "ci", "kind": "service", "scopes": ["read"] * 100}),
        ("/keys", {"holder": "ci", "kind": "service", "days": 0}),
        ("/keys", {"holder": "ci", "kind": "service", "days": 10**30}),
        ("/people/mei%00tanaka/disable", None),
        ("/people/%F0%9F%98%80/invitation", None),
        ("/keys/..%2F..%2Fx/revoke", None),
        ("/keys/xyz/revoke", None),
        ("/people/ada.admin/email", {"address": "x" * 300}),
        ("/people/ada.admin/person", {"same_as": "{{7*7}}"}),
    ],
)
def test_what_cannot_be_is_refused_in_our_words(client, ada, path, body):
    answer = client.post(API + path, json=body, headers=ada)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]["kind"] in ("invalid", "not_found")


@pytest.mark.parametrize("query", ["after=%00", "after=" + "x" * 81, "after=%27--", "limit=0", "limit=201"])
@pytest.mark.parametrize("path", ["/people", "/keys"])
def test_a_cursor_that_is_none_is_422(client, ada, path, query):
    assert client.get(f"{API}{path}?{query}", headers=ada).status_code == 422


def test_what_a_person_did_stays_on_record_when_they_are_disabled(client, desk, ada, mei):
    client.post(f"{API}/people/mei.tanaka/disable", headers=ada)
    (one,) = [one for one in client.get(f"{API}/people", headers=ada).json()["items"] if one["id"] == "mei.tanaka"]
    assert one["disabled_at"]
    lines = client.get(f"{API}/audit", headers=ada).json()["items"]
    assert [line["verb"] for line in lines if line["subject"] == "mei.tanaka"] == [
        "actor.add",
        "token.issue",
        "actor.disable",
    ]


@pytest.fixture
def address(desk):
    """A real server on a real socket."""
    config = uvicorn.Config(build(desk, worker=False, front=FRONT), port=0, log_level="critical", http=BoundedHeaders)
    server = uvicorn.Server(config)
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    running = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    running.start()
    while not server.started:
        pass
    yield door.getsockname()
    server.should_exit = True
    running.join(10)


def ask(address, *pieces):
    """The status of the answer to these bytes, sent one after the other; None where the line was cut before."""
    with socket.create_connection(address, timeout=10) as raw:
        try:
            for one in pieces:
                raw.sendall(one)
            return int(raw.recv(100).split()[1])
        except (ConnectionError, IndexError):
            return None


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("name", [b"Authorization", b"Cookie", b"X-Anything"])
@pytest.mark.parametrize("size", [MOST, 300_000])
def test_headers_that_are_far_too_large_are_refused_and_the_server_goes_on(address, name, size):
    assert ask(address, HEAD + name + b": " + b"a" * size + b"\r\n\r\n") in (431, None)
    assert ask(address, HEAD + b"\r\n") == 200


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("piece", [b"a" * 10_000, b"X-A: b\r\n" * 1000])
def test_a_head_that_never_ends_is_cut_off(address, piece):
    assert ask(address, HEAD + b"X-Long: ", *[piece] * 1000) in (431, None)
    assert ask(address, HEAD + b"\r\n") == 200


@pytest.mark.database("sqlite")
def test_many_requests_on_one_connection_and_large_bodies_are_no_large_head(address):
    head = b"POST /signin HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
    with socket.create_connection(address, timeout=10) as raw:
        stream = raw.makefile("rb")
        for _ in range(12):
            for part in (head, b"a" * 30_000, b"a" * 30_000):
                raw.sendall(part)
            lines = iter(stream.readline, b"\r\n")
            assert next(lines).split()[1] in (b"403", b"429")
            length = next(int(line.split()[1]) for line in lines if line.lower().startswith(b"content-length"))
            list(lines)
            stream.read(length)
