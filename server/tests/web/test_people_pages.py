"""The pages of people and keys: what each form does, who may send it, and that a forged or foreign one changes nothing."""

import re

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from cuelight_server import web
from cuelight_server.access import store
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.app import build
from cuelight_server.audit import store as audit
from cuelight_server.control.access import authenticate
from cuelight_server.control.invitations import issue_link, issue_owner_link
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.web.doors import Doors, Other
from server.tests.signing_in import FRONT, PASSWORD, browsing, give_password, proof, send, sign_in

OTHER = "five more words in a row"
NASTY = "<script>alert(1)</script>{{7919*7927}}'; DROP TABLE actor;--"


@pytest.fixture
def people(desk, person):
    person("ada.admin", admin=True)
    person("mei.tanaka")
    for id in ("ada.admin", "mei.tanaka"):
        give_password(desk, id)


@pytest.fixture
def ada(desk, people):
    with browsing(desk) as client:
        sign_in(client, "ada.admin")
        yield client


@pytest.fixture
def mei(desk, people):
    with browsing(desk) as client:
        sign_in(client, "mei.tanaka")
        yield client


def secret_in(text):
    return re.search(r'class="cmd secret">([^<]+)<', text)[1]


def lines(desk):
    with reading(desk.registry) as sql:
        return audit.checkpoint(sql).size


def test_a_person_signs_in_and_the_cookie_is_none_that_a_script_or_another_site_can_use(desk, people):
    with browsing(desk) as client:
        answer = client.post("/signin", data={"id": "mei.tanaka", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_a_wrong_pair_is_told_without_saying_which_half_and_the_password_is_not_shown_again(desk, people):
    with browsing(desk) as client:
        answers = [
            client.post("/signin", data={"id": id, "password": "not the right one"})
            for id in ("mei.tanaka", "mei.tanakb")
        ]
    assert [one.status_code for one in answers] == [403, 403]
    assert answers[0].text.replace("mei.tanaka", "") == answers[1].text.replace("mei.tanakb", "").replace(
        "mei.tanaka", ""
    )
    assert all("not the right one" not in one.text for one in answers)


def test_who_must_wait_is_told_how_long(desk, people):
    with browsing(desk) as client:
        for _ in range(14):
            answer = client.post("/signin", data={"id": "mei.tanaka", "password": "wrong"})
            if answer.status_code == 429:
                break
    assert int(answer.headers["retry-after"]) >= 1
    assert "Wait" in answer.text


def test_behind_https_only_the_cookie_that_was_set_under_https_counts(desk, people):
    with browsing(desk, public_url="https://desk.example.org") as client:
        secret = client.post("/signin", data={"id": "mei.tanaka", "password": PASSWORD}).headers["set-cookie"]
        assert secret.startswith("__Host-cuelight_session=")
        assert "Secure" in secret
        value = secret.partition("=")[2].partition(";")[0]
        client.cookies.clear()
        assert client.get("/", headers={"Cookie": f"cuelight_session={value}"}).status_code == 303
        assert client.get("/", headers={"Cookie": f"__Host-cuelight_session={value}"}).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "0" * 64, "'; DROP TABLE session;--", "%00", "a" * 9000, '"'])
def test_a_forged_cookie_is_nobody(desk, people, cookie):
    with browsing(desk) as client:
        for path in ("/", "/people", "/account"):
            answer = client.get(path, headers={"Cookie": f"cuelight_session={cookie}"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/signin")


def posts(client):
    return sorted(
        one.path
        for one in client.app.routes
        if isinstance(one, Route)
        and "POST" in one.methods
        and "{" not in one.path
        and not one.path.startswith("/runtime")
        and one.path != "/signin"
    )


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {}, "data": {}},
        {"headers": {}, "data": {"csrf": "0" * 64}},
        {"headers": {}, "data": {"csrf": "é"}},
        {"headers": {"Origin": "https://evil.example"}, "proof": True},
        {"headers": {"Origin": "null"}, "proof": True},
        {"headers": {"Sec-Fetch-Site": "cross-site"}, "proof": True},
        {"headers": {"Sec-Fetch-Site": "same-site"}, "proof": True},
    ],
    ids=["no proof", "a wrong proof", "an odd proof", "another origin", "no origin", "cross site", "same site"],
)
def test_no_form_of_a_signed_in_person_works_without_the_proof_that_it_is_ours(desk, ada, mei, how):
    fields = {"id": "mei.tanaka", "name": "Eve", "holder": "crm", "kind": "app", "environment": "staging"}
    sent = {**fields, **how.get("data", {"csrf": proof(ada)})}
    before, found = lines(desk), posts(ada)
    assert len(found) >= 10
    for path in found:
        assert ada.post(path, data=sent, headers=how["headers"]).status_code == 403, path
    assert lines(desk) == before
    assert ada.get("/account").status_code == 200  # and is still signed in


def test_the_proof_of_one_session_is_none_for_another(desk, ada, mei):
    assert ada.post("/people/disable", data={"csrf": proof(mei), "id": "mei.tanaka"}).status_code == 403


def test_every_form_sends_who_is_not_signed_in_to_the_sign_in_page(desk, ada):
    for path in posts(ada):
        with browsing(desk) as nobody:
            assert nobody.post(path, data={"id": "mei.tanaka"}).headers["location"] == "/signin"


def test_every_form_of_an_administrator_is_refused_to_others_and_the_refusal_is_in_the_log(desk, mei):
    for path, fields in (
        ("/people/add", {"id": "eve", "name": "Eve"}),
        ("/people/invite", {"id": "ada.admin"}),
        ("/people/disable", {"id": "ada.admin"}),
        ("/keys/issue", {"holder": "crm", "kind": "app", "environment": "production"}),
    ):
        before = lines(desk)
        assert send(mei, path, **fields).status_code == 403, path
        with reading(desk.registry) as sql:
            assert audit.newest(sql, size=1).items[0].verb == "refused"
        assert lines(desk) == before + 1


def test_an_administrator_adds_a_person_who_comes_with_the_link_that_is_shown_once(desk, ada):
    shown = send(ada, "/people/add", id="ben.okoro", name="Ben Okoro")
    link = secret_in(shown.text)
    assert link.startswith("http://localhost/invitation/")
    assert link not in ada.get("/people").text
    with browsing(desk) as ben:
        path = link.removeprefix("http://localhost")
        assert "Ben Okoro" in ben.get(path).text
        assert ben.post(path, data={"password": OTHER, "again": PASSWORD}).status_code == 422
        assert ben.post(path, data={"password": OTHER, "again": OTHER}).headers["location"] == "/"
        assert ben.get("/").status_code == 200
        assert ben.get(path).status_code == 403
        assert "Issue a key" not in ben.get("/people").text


def test_another_site_uses_no_link_up(desk, people):
    path = f"/invitation/{issue_link(desk, SYSTEM, 'mei.tanaka').code}"
    fields = {"password": OTHER, "again": OTHER}
    with browsing(desk) as client:
        assert client.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert client.post(path, data=fields).status_code == 303


def test_the_first_owner_comes_by_the_printed_link(desk):
    path = f"/invitation/{issue_owner_link(desk).code}"
    fields = {"id": "mei.tanaka", "name": "Mei Tanaka", "password": OTHER, "again": OTHER}
    with browsing(desk) as client:
        assert client.post(path, data={**fields, "id": "Mei"}).status_code == 422
        assert client.post(path, data=fields).status_code == 303
        assert "Add a person" in client.get("/people").text


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(desk, ada):
    fields = {
        "holder": "ci",
        "kind": "service",
        "environment": "",
        "scopes": "read, push",
        "days": "30",
        "label": NASTY,
    }
    text = secret_in(send(ada, "/keys/issue", **fields).text)
    assert authenticate(desk, text).scopes == {"read", "push"}
    page = ada.get("/people").text
    assert text.split("_")[3] not in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7919*7927}}" in page
    assert send(ada, "/keys/revoke", id=text.split("_")[2]).headers["location"] == "/people"
    assert "Revoked" in ada.get("/people").text


@pytest.mark.parametrize(
    "fields",
    [
        {"holder": "crm", "kind": "app", "environment": ""},
        {"holder": "crm", "kind": "app", "environment": "moon"},
        {"holder": "crm", "kind": "system", "environment": "staging"},
        {"holder": "crm", "kind": "person", "environment": ""},
        {"holder": NASTY, "kind": "app", "environment": "staging"},
        {"holder": "crm", "kind": "app", "environment": "staging", "days": "-3"},
        {"holder": "crm", "kind": "app", "environment": "staging", "days": "9" * 40},
        {"holder": "crm", "kind": "app", "environment": "staging", "days": "\u0663"},
        {"holder": "crm", "kind": "service", "environment": "", "scopes": NASTY},
        {"holder": "crm", "kind": "service", "environment": "", "label": "\u202e"},
        {"holder": "a" * 3000, "kind": "app", "environment": "staging"},
        {},
    ],
)
def test_a_key_that_cannot_be_is_told_and_not_made(desk, ada, fields):
    answer = send(ada, "/keys/issue", **fields)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    with reading(desk.registry) as sql:
        assert sql.scalar(select(func.count()).select_from(schema.token)) == 0


def test_markup_in_a_name_is_text(desk, ada):
    send(ada, "/people/add", id="bobby", name=NASTY)
    page = ada.get("/people").text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "62773913" not in page


def test_a_disabled_person_is_out_at_once_and_stays_on_the_page(desk, ada, mei):
    assert mei.get("/").status_code == 200
    assert send(ada, "/people/disable", id="mei.tanaka").status_code == 303
    assert mei.get("/").headers["location"] == "/signin"
    page = ada.get("/people").text
    assert "Disabled" in page
    assert "Mei Tanaka" in page


def test_a_new_password_signs_the_other_browsers_out(desk, people, mei):
    with browsing(desk) as other:
        sign_in(other, "mei.tanaka")
        done = send(mei, "/account/password", old=PASSWORD, new=OTHER, again=OTHER)
        assert 'role="status"' in done.text
        assert mei.get("/account").status_code == 200
        assert other.get("/account").status_code == 303
        assert other.post("/signin", data={"id": "mei.tanaka", "password": PASSWORD}).status_code == 403
        sign_in(other, "mei.tanaka", OTHER)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"old": "wrong", "new": OTHER, "again": OTHER}, 403),
        ({"old": PASSWORD, "new": OTHER, "again": PASSWORD}, 422),
        ({"old": PASSWORD, "new": "short", "again": "short"}, 422),
        ({"old": PASSWORD, "new": "y" * 2000 + "z9", "again": "y" * 2000 + "z9"}, 422),
        ({}, 403),
    ],
)
def test_a_password_that_is_not_changed_says_why_and_shows_none(desk, mei, fields, status):
    answer = send(mei, "/account/password", **fields)
    assert answer.status_code == status
    assert PASSWORD not in answer.text
    assert OTHER not in answer.text


def test_one_ends_another_session_of_ones_own_and_everywhere(desk, people, mei):
    with browsing(desk) as other, browsing(desk) as third:
        sign_in(other, "mei.tanaka")
        sign_in(third, "ada.admin")
        ids = re.findall(r'action="/account/sessions/end".*?name="id" value="([0-9a-f]{16})"', mei.get("/account").text)
        assert len(ids) == 1
        assert send(third, "/account/sessions/end", id=ids[0]).status_code == 404
        assert send(mei, "/account/sessions/end", id=ids[0]).status_code == 303
        assert other.get("/").status_code == 303
        sign_in(other, "mei.tanaka")
        assert send(mei, "/account/sessions/end-all").headers["location"] == "/signin"
        assert [one.get("/").status_code for one in (mei, other, third)] == [303, 303, 200]


def test_one_makes_and_revokes_a_token_of_ones_own(desk, mei):
    text = secret_in(send(mei, "/account/token", label="laptop", scopes="read", days="7").text)
    assert (authenticate(desk, text).id, authenticate(desk, text).scopes) == ("mei.tanaka", {"read"})
    assert send(mei, "/keys/revoke", id=text.split("_")[2], back="account").headers["location"] == "/account"
    with reading(desk.registry) as sql:
        assert store.token(sql, text.split("_")[2]).revoked_at is not None


def test_a_form_with_far_too_many_fields_or_bytes_is_no_form(desk, ada):
    for body in ("&".join(f"f{at}=1" for at in range(500)), "name=" + "x" * 20_000):
        sent = f"csrf={proof(ada)}&id=eve&{body}"
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        assert ada.post("/people/add", content=sent, headers=head).status_code == 403


def test_no_page_says_whether_somebody_is_here_to_who_is_not_signed_in(desk, people):
    with browsing(desk) as client:
        text = client.get("/signin").text
    assert "mei.tanaka" not in text.replace('placeholder="mei.tanaka"', "")
    assert "ada.admin" not in text


def test_the_sign_in_page_shows_other_ways_where_there_are_some(desk):
    doors = Doors(passwords=QuickPasswords(), others=(Other("Sign in with Example", "/oidc/example"),))
    with TestClient(Starlette(routes=web.routes(desk, doors))) as client:
        assert 'href="/oidc/example">Sign in with Example' in client.get("/signin").text


def test_an_error_behind_a_link_is_logged_without_the_link(desk, person, caplog, monkeypatch):
    person("ana.author")
    code = issue_link(desk, SYSTEM, "ana.author").code
    app = build(desk, worker=False, front=FRONT)
    monkeypatch.setattr(QuickPasswords, "hash", lambda *_: 1 / 0)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post(f"/invitation/{code}", data={"password": OTHER, "again": OTHER})
    assert answer.status_code == 500
    assert "ZeroDivisionError at POST /invitation/{code}" in caplog.text
    assert code not in caplog.text
