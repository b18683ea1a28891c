"""Keys of providers go in, count at once, and come out nowhere: no page, no answer, no log line, no file, no backup."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from cuelight.contract.errors import Denied, Invalid, NotFound, Unavailable
from cuelight_server.app import Keyring, build
from cuelight_server.control.access import add_actor, issue_token
from cuelight_server.control.providers import Connected, remove_provider, reseal, set_provider
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.providers import Echo
from cuelight_server.providers.port import CompletionRequest
from cuelight_server.vault.sealing import key_text, read_keys
from cuelight_server.views.providers import providers
from server.tests.pushing import log, size
from server.tests.releasing import who
from server.tests.tampering import behind_our_back

KEYS = read_keys(key_text(bytes(range(32))))
NEWER = read_keys(f"{key_text(bytes(range(1, 33)))} {key_text(bytes(range(32)))}")
SECRET = "sk-veryverysecret0123456789"
URL = "https://api.example.com/v1"


@pytest.fixture
def admin(desk):
    add_actor(desk, SYSTEM, "ada.admin", "Ada", admin=True)
    add_actor(desk, SYSTEM, "bob", "Bob")
    return who(desk, "ada.admin")


class Model(BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_POST(self):
        self.seen.append(self.headers.get("authorization", ""))
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"choices": [{"message": {"content": "hello"}}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def model():
    """A model on this machine, and the keys that it was asked with."""
    Model.seen = []
    server = HTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


ASK = CompletionRequest(
    content_digest="d", case="c", sample=1, messages=({"role": "user", "content": "x"},), settings={"model": "m"}
)


def test_a_key_that_is_set_counts_from_the_next_use_on_and_when_removed_the_settings_count(desk, admin, model):
    known = Connected(desk, KEYS, {"openai": Echo(), "echo": Echo()})
    assert known["openai"].name == "echo"
    set_provider(desk, KEYS, admin, "openai", model, SECRET)
    assert known["openai"].complete(ASK).text == "hello"
    set_provider(desk, KEYS, admin, "openai", model, "sk-2")
    known["openai"].complete(ASK)
    set_provider(desk, KEYS, admin, "openai", model, None)
    known["openai"].complete(ASK)
    assert Model.seen == [f"Bearer {SECRET}", "Bearer sk-2", ""]
    assert list(known) == ["echo", "openai"]
    remove_provider(desk, admin, "openai")
    assert known["openai"].name == "echo"


def test_only_an_administrator_sets_and_removes(desk, admin):
    with pytest.raises(Denied):
        set_provider(desk, KEYS, who(desk, "bob"), "openai", URL, SECRET)
    with pytest.raises(NotFound):
        remove_provider(desk, admin, "openai")
    set_provider(desk, KEYS, admin, "openai", URL, SECRET)
    with pytest.raises(Denied):
        remove_provider(desk, who(desk, "bob"), "openai")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "ftp://api.example.com",
        "https://user:pw@api.example.com",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/v1",
        "https://0.0.0.0/",
        "https://api.example.com/v1?key=1",
        "https://",
        "https://[",
        "https://x" + "y" * 600,
    ],
)
def test_an_address_that_no_key_should_go_to_is_refused(desk, admin, url):
    before = size(desk)
    with pytest.raises(Invalid):
        set_provider(desk, KEYS, admin, "openai", url, SECRET)
    assert size(desk) == before


@pytest.mark.parametrize("key", ["", "  ", "sk\nX", "sk-ä", "x" * 5000])
def test_what_is_no_key_is_refused_and_not_shown(desk, admin, key):
    with pytest.raises(Invalid) as refused:
        set_provider(desk, KEYS, admin, "openai", URL, key)
    assert len(key.strip()) < 2 or key not in str(refused.value)


def test_the_secret_is_in_no_row_no_line_no_answer_and_no_log(desk, admin, caplog):
    caplog.set_level(logging.DEBUG)
    token = issue_token(desk, SYSTEM, "ada.admin")
    with TestClient(build(desk, worker=False, keyring=Keyring(sealing=KEYS)), raise_server_exceptions=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        done = client.put("/api/v1/providers/openai", json={"base_url": URL, "key": SECRET}, headers=headers)
        assert (done.status_code, done.json()["key"]) == (200, True)
        listed = client.get("/api/v1/providers", headers=headers)
        wrong = client.put(
            "/api/v1/providers/openai", json={"base_url": 7, "key": SECRET, "x": SECRET}, headers=headers
        )
        assert wrong.status_code == 422
        texts = [done.text, listed.text, wrong.text, caplog.text, repr(providers(desk)), repr(log(desk))]
        gone = client.delete("/api/v1/providers/openai", headers=headers)
        assert gone.json() == {"provider": "openai"}
    with reading(desk.registry) as sql:
        tables = sorted(schema.registry.tables)
        texts += [str(sql.execute(text(f"SELECT * FROM {one}")).all()) for one in tables]
    assert [one for one in texts if SECRET in one] == []
    assert desk.registry.dialect.name == "postgresql" or SECRET.encode() not in everything(desk)


def everything(desk):
    folder = Path(desk.registry.url.database).parent
    return b"".join(one.read_bytes() for one in folder.iterdir() if one.is_file())


def test_without_a_sealing_key_none_is_taken_and_none_is_used(desk, admin):
    set_provider(desk, KEYS, admin, "openai", URL, SECRET)
    with pytest.raises(Unavailable, match="no sealing key"):
        Connected(desk, None, {})["openai"]
    token = issue_token(desk, SYSTEM, "ada.admin")
    with TestClient(build(desk, worker=False), raise_server_exceptions=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        done = client.put("/api/v1/providers/openai", json={"base_url": URL, "key": "x"}, headers=headers)
    assert done.status_code == 503
    with pytest.raises(KeyError):
        Connected(desk, KEYS, {})["nobody"]


def test_after_a_change_of_the_sealing_key_everything_is_sealed_anew_once(desk, admin):
    set_provider(desk, KEYS, admin, "openai", URL, SECRET)
    assert reseal(desk, NEWER) == ("openai",)
    before = size(desk)
    assert reseal(desk, NEWER) == ()
    assert size(desk) == before
    with pytest.raises(Unavailable, match="a sealing key that is not here"):
        Connected(desk, KEYS, {})["openai"]
    assert Connected(desk, NEWER, {})["openai"].name == "openai"
    assert verify_desk(desk).problems == ()


def test_promise_9_a_provider_that_was_changed_by_sql_is_named(desk, admin):
    set_provider(desk, KEYS, admin, "openai", URL, SECRET)
    assert verify_desk(desk).problems == ()
    behind_our_back(desk, "UPDATE provider_connection SET base_url = 'https://evil.example'")
    assert any("provider openai" in one for one in verify_desk(desk).problems)
    behind_our_back(desk, f"UPDATE provider_connection SET base_url = '{URL}', sealed = NULL")
    assert any("sealed" in one for one in verify_desk(desk).problems)


RATES = {"requests_a_minute": 60, "tokens_a_minute": 1000, "at_once": 3}
SHAPE = {"template": {"q": "{{prompt}}"}, "answer": "choices.0.message.content"}


def test_every_kind_is_set_with_its_pace_and_its_shape_and_each_keeps_its_own_connection(desk, admin, model):
    known = Connected(desk, KEYS, {})
    for name in ("openai", "responses", "anthropic"):
        set_provider(desk, KEYS, admin, name, URL, SECRET, RATES)
        assert (known[name].name, known[name].concurrency) == (name, 3)
    set_provider(desk, KEYS, admin, "http", model, SECRET, SHAPE)
    assert known["http"].complete(ASK).text == "hello"
    assert known["http"] is known["http"]
    assert known["openai"] is known["openai"]
    assert {one.provider: one.options for one in providers(desk)}["http"] == SHAPE
    assert verify_desk(desk).problems == ()
    behind_our_back(desk, "UPDATE provider_connection SET options = NULL")
    assert any("options" in one for one in verify_desk(desk).problems)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("openai", {"requests_a_minute": 0}),
        ("openai", {"at_once": True}),
        ("openai", {"at_once": 1000}),
        ("openai", {"template": {}}),
        ("openai", {"speed": 1}),
        ("http", {}),
        ("http", {"template": {}}),
        ("http", {**SHAPE, "template": "{{secret}}"}),
        ("command", {}),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_kept(desk, admin, name, options):
    before = size(desk)
    with pytest.raises(Invalid):
        set_provider(desk, KEYS, admin, name, URL, SECRET, options)
    assert size(desk) == before
