"""What strangers may not do: fill the memory, sign people in from another site, or come under a borrowed name."""

import threading

import pytest
from starlette.testclient import TestClient

from cuelight_server.api import limits
from cuelight_server.app import build
from cuelight_server.control.access import issue_token
from cuelight_server.control.members import appoint_auditor
from cuelight_server.kernel.actor import SYSTEM
from server.tests.releasing import ENGINEER, prepare
from server.tests.signing_in import FRONT, PASSWORD, browsing, give_password

LARGE = b'{"bundle":{"x":"' + b"a" * 70_000 + b'"}}'


@pytest.fixture
def client(desk):
    prepare(desk)
    with TestClient(build(desk, worker=False, front=FRONT), follow_redirects=False) as made:
        yield made


@pytest.fixture
def token(client, desk):
    return {"Authorization": f"Bearer {issue_token(desk, SYSTEM, ENGINEER)}"}


class Endless:
    """A body that counts how much of it was taken."""

    def __init__(self):
        self.taken = 0

    def __iter__(self):
        for _ in range(1000):
            self.taken += 1
            yield b" " * 10_000


def test_a_large_body_of_a_stranger_is_401_before_it_is_read(client, token):
    answer = client.post("/api/v1/push", content=LARGE)
    assert (answer.status_code, answer.json()["error"]["details"]) == (401, {"credentials": "missing"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.post("/api/v1/push", content=LARGE, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.post("/api/v1/push", content=LARGE, headers=token).status_code == 422


def test_a_body_that_does_not_say_its_size_needs_a_token_too(client):
    assert client.post("/api/v1/push", content=iter(Endless())).status_code == 401


def test_a_name_opens_a_large_body_on_a_demo_desk_only(client, demo_desk):
    head = {"Cuelight-As": ENGINEER}
    assert client.post("/api/v1/push", content=LARGE, headers=head).status_code == 401
    prepare(demo_desk)
    with TestClient(build(demo_desk, worker=False), base_url="http://localhost") as demo:
        assert demo.post("/api/v1/push", content=LARGE, headers=head).status_code == 422
        assert demo.post("/api/v1/push", content=LARGE, headers={"Cuelight-As": "nobody"}).status_code == 401


def test_no_more_than_four_large_bodies_are_worked_on_at_once(desk, monkeypatch):
    prepare(desk)
    head = {"Authorization": f"Bearer {issue_token(desk, SYSTEM, ENGINEER)}"}
    go, inside, most = threading.Event(), [], []
    app = build(desk, worker=False)

    @app.post("/slow")
    def slow():
        inside.append(1)
        most.append(len(inside))
        go.wait(5)
        inside.pop()
        return {}

    with TestClient(app) as client:
        answers = []
        asked = [
            threading.Thread(target=lambda: answers.append(client.post("/slow", content=LARGE, headers=head)))
            for _ in range(7)
        ]
        for one in asked:
            one.start()
        threading.Timer(0.5, go.set).start()
        for one in asked:
            one.join()
    assert [one.status_code for one in answers] == [200] * 7
    assert max(most) <= limits.AT_ONCE


@pytest.mark.parametrize("path", ["/signin", "/signout"])
@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, False),
    ],
)
def test_another_site_signs_nobody_in_or_out(client, desk, path, headers, welcome):
    give_password(desk, ENGINEER)
    answer = client.post(path, data={"id": ENGINEER, "password": PASSWORD}, headers=headers)
    assert answer.status_code == (303 if welcome else 403)
    assert ("set-cookie" in answer.headers) is welcome


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_cookie_that_came_by_https_goes_back_by_https_only(desk, scheme):
    prepare(desk)
    give_password(desk, ENGINEER)
    with browsing(desk, base_url=f"{scheme}://desk") as client:
        cookie = client.post("/signin", data={"id": ENGINEER, "password": PASSWORD}).headers["set-cookie"]
    assert ("Secure" in cookie) is (scheme == "https")
    assert cookie.startswith("__Host-cuelight_session=") is (scheme == "https")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("host", "opens"),
    [
        ("localhost:7080", True),
        ("127.0.0.1:7080", True),
        ("[::1]:7080", True),
        ("192.168.1.5", True),
        ("demo.internal", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("[", False),
    ],
)
def test_a_demo_desk_takes_a_name_only_at_its_own_address(demo_desk, host, opens):
    prepare(demo_desk)
    with TestClient(build(demo_desk, worker=False, host="demo.internal"), follow_redirects=False) as client:
        me = client.get("/api/v1/me", headers={"Host": host, "Cuelight-As": ENGINEER})
        signed = client.post("/signin", data={"as": ENGINEER}, headers={"Host": host})
    assert me.status_code == (200 if opens else 401)
    assert ("set-cookie" in signed.headers) is opens


@pytest.mark.parametrize(
    "path",
    [
        "/audit?after={}",
        "/audit?before={}",
        "/audit?limit={}",
        "/prompts?limit={}",
        "/prompts/sales.qualify?before={}",
        "/prompts/sales.qualify?limit={}",
        "/releases?prompt=sales.qualify&limit={}",
        "/evaluations?prompt=sales.qualify&limit={}",
        "/evaluations/eval_1/results?limit={}",
        "/runtime/observed?version={}",
    ],
)
@pytest.mark.parametrize("number", ["99999999999999999999999", "-1"])
def test_a_number_that_no_database_holds_is_422(client, token, path, number):
    assert client.get("/api/v1" + path.format(number), headers=token).status_code == 422


def test_the_log_is_read_from_either_end_and_the_two_are_not_mixed(client, token, desk):
    appoint_auditor(desk, SYSTEM, ENGINEER)

    def seqs(query):
        return [one["seq"] for one in client.get(f"/api/v1/audit?{query}", headers=token).json()["items"]]

    newest = seqs("order=newest&limit=200")
    assert newest == list(reversed(seqs("limit=200")))
    assert seqs("order=newest&limit=2") == newest[:2]
    assert seqs(f"before={newest[1]}&limit=2") == newest[2:4]
    assert client.get("/api/v1/audit?after=1&before=3", headers=token).status_code == 422
    assert client.get("/api/v1/audit?after=1&order=newest", headers=token).status_code == 422
