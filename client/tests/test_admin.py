"""Admin: what is sent, and what becomes of an answer that is no answer."""

import httpx2
import pytest

from cuelight.admin import Admin
from cuelight.contract.errors import Blocked, Denied, Invalid, NotFound, Unavailable

SECRET = "cue_all_SECRETSECRET"


def desk(answer, **who):
    return Admin("http://desk.example", transport=httpx2.MockTransport(answer), **who)


def says(status, body=None, text=None):
    return lambda _: httpx2.Response(status, json=body) if text is None else httpx2.Response(status, text=text)


def test_the_token_and_the_person_go_in_headers_and_nowhere_else():
    asked = []

    def answer(request):
        asked.append(request)
        return httpx2.Response(200, json={"id": "x"})

    admin = desk(answer, token=SECRET, as_="mei.tanaka")
    assert admin.me() == {"id": "x"}
    assert asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert asked[0].headers["cuelight-as"] == "mei.tanaka"
    assert str(asked[0].url) == "http://desk.example/api/v1/me"
    assert "SECRET" not in repr(admin)


def test_names_in_paths_cannot_leave_their_place():
    asked = []

    def answer(request):
        asked.append(request.url.raw_path.decode())
        return httpx2.Response(200, json={})

    admin = desk(answer)
    admin.why("../../me?x=1")
    admin.export("")
    assert asked == ["/api/v1/calls/..%2F..%2Fme%3Fx%3D1/why", "/api/v1/export/-"]


def test_an_error_of_the_desk_comes_out_as_the_same_error():
    body = {"error": {"kind": "blocked", "message": "no", "hint": "ask", "details": {"checklist": {"ok": False}}}}
    with pytest.raises(Blocked, match="no") as refused:
        desk(says(423, body)).release("sales.x", "v1", "production")
    assert (refused.value.hint, refused.value.details) == ("ask", {"checklist": {"ok": False}})


def test_who_is_not_known_is_told_how_to_say_who_they_are():
    body = {"error": {"kind": "denied", "message": "a token is needed", "hint": "x", "details": {}}}
    with pytest.raises(Denied) as refused:
        desk(says(401, body)).status()
    assert "CUELIGHT_TOKEN" in refused.value.hint


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(says(200, text="<html>"), Unavailable, id="a page that is no API"),
        pytest.param(says(200, [1]), Unavailable, id="a list"),
        pytest.param(says(404, text="no"), NotFound, id="a proxy's 404"),
        pytest.param(says(413, text="too large"), Invalid, id="a proxy's limit"),
        pytest.param(says(502, text="bad gateway"), Unavailable, id="a proxy without a server"),
        pytest.param(says(500, {"error": {"kind": "strange"}}), Unavailable, id="a kind that is none"),
        pytest.param(says(302, text=""), Unavailable, id="a redirect is not followed with a token"),
    ],
)
def test_an_answer_that_is_none_is_said_to_be_none(answer, kind):
    with pytest.raises(kind) as refused:
        desk(answer, token=SECRET).status()
    assert refused.value.hint
    assert "SECRET" not in str(refused.value) + refused.value.hint


@pytest.mark.parametrize(
    "trouble", [httpx2.ConnectError("x"), httpx2.ReadTimeout("x"), httpx2.RemoteProtocolError("x")]
)
def test_a_server_that_cannot_be_had_is_unavailable(trouble):
    def answer(_):
        raise trouble

    with pytest.raises(Unavailable) as refused:
        desk(answer, token=SECRET).status()
    assert "http://desk.example" in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("url", ["desk.example", "ftp://desk.example", "", "http://[::1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(Invalid, match="is no address"):
        Admin(url)


@pytest.mark.parametrize("token", ["a b\n", "tökén", " x", "x\r\nCuelight-As: admin"])
def test_a_token_that_cannot_be_a_header_is_refused_without_being_shown(token):
    with pytest.raises(Invalid) as refused:
        Admin("http://desk.example", token)
    assert token not in str(refused.value)


def test_what_must_not_happen_twice_is_asked_again_under_the_same_key_when_the_connection_broke():
    keys = []

    def answer(request):
        keys.append(request.headers.get("Idempotency-Key"))
        if len(keys) == 1:
            raise httpx2.RemoteProtocolError("the server went away")
        return httpx2.Response(200, json={"id": "rel_1"})

    admin = desk(answer, once="abc")
    assert admin.release("a.b", "v1", "staging") == {"id": "rel_1"}
    admin.roll_back("a.b", "staging", "x")
    assert keys == ["abc-1", "abc-1", "abc-2"]


@pytest.mark.parametrize("once", ["abc", None])
def test_a_connection_that_breaks_again_is_said_to_be_lost_with_what_to_look_at(once):
    asked = []

    def answer(request):
        asked.append(request)
        raise httpx2.ReadError("gone")

    with pytest.raises(Unavailable, match="was lost before the answer came") as refused:
        desk(answer, once=once).release("a.b", "v1", "staging")
    assert "cuelight status" in refused.value.hint
    assert len(asked) == (2 if once else 1)
