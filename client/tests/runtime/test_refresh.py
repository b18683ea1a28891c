"""How memory is kept fresh over a real socket: polls, bad answers, restored backups, leases, disk and bundle."""

import json
import os
import stat
import threading
import time
from dataclasses import dataclass

import pytest

from cuelight import Client, Denied, Invalid, NotFound, Unavailable
from cuelight.cache import DiskCopy, default_folder
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.refresh import Memory, Refresher
from cuelight.transport import HttpTransport, MemoryTransport

LEAD = {"lead": "Acme"}


def text_of(client, tools):
    return client.prompt(tools.PROMPT).render(**LEAD).messages[0]["content"]


def settle(server):
    """Let the client poll three more times."""
    seen, end = len(server.seen), time.monotonic() + 8
    while len(server.seen) < seen + 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(server.seen) >= seen + 3


def test_a_poll_names_what_it_has_and_gets_304(server, open_client, tools):
    client = open_client()
    text_of(client, tools)
    settle(server)
    assert server.seen[0] == (f"Bearer {tools.KEY}", "")
    assert {asked for _, asked in server.seen[1:]} == {server.digest}
    assert client.status()["source"] == "live"


def test_a_new_snapshot_is_served_without_a_restart(server, open_client, tools):
    client = open_client()
    old = client.prompt(tools.PROMPT)
    server.publish(tools.document(2, "v2: {{lead}}"))
    tools.until(lambda: text_of(client, tools) == "v2: Acme")
    assert old.render(**LEAD).messages[0]["content"] == "v1: Acme"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param({"body": b"<html>hello</html>"}, "invalid", id="garbage"),
        pytest.param({"etag": "sha256:" + "0" * 64}, "invalid", id="a wrong digest"),
        pytest.param({"body": b""}, "invalid", id="an empty body"),
        pytest.param({"status": 500}, "unavailable", id="500"),
        pytest.param({"status": 503}, "unavailable", id="503"),
        pytest.param({"status": 404}, "unavailable", id="404"),
        pytest.param({"status": 302}, "unavailable", id="a redirect"),
        pytest.param({"status": 204}, "invalid", id="no content"),
    ],
)
def test_a_bad_answer_never_replaces_a_good_snapshot(server, open_client, tools, fault, kind):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    server.publish(tools.document(2, "v2: {{lead}}"))
    for name, value in fault.items():
        setattr(server, name, value)
    if "status" not in fault:
        tools.until(lambda: client.status()["error"] or text_of(client, tools) == "v2: Acme")
        server.publish(tools.document(3, "v3: {{lead}}"))
    tools.until(lambda: client.status()["error"])
    assert client.status()["error"]["kind"] == kind
    tools.until(lambda: client.status()["source"] == "stale")
    assert text_of(client, tools) in ("v1: Acme", "v2: Acme")
    server.status = server.body = server.etag = None
    tools.until(lambda: client.status()["source"] == "live" and client.status()["version"] > 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not json", id="no JSON"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[]", id="no snapshot"),
        pytest.param(b'{"format":"cuelight/snapshot@1"}', id="half a snapshot"),
        pytest.param(b'{"format":"cuelight/snapshot@9"}', id="a format of the future"),
    ],
)
def test_well_digested_garbage_is_refused_too(server, open_client, tools, body):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    server.body, server.etag = body, digest_bytes(body)
    tools.until(lambda: client.status()["error"])
    assert client.status()["error"]["kind"] == "invalid"
    assert text_of(client, tools) == "v1: Acme"


def test_a_slow_server_holds_up_nobody(server, open_client, tools):
    client = open_client()
    text_of(client, tools)
    server.delay = 1.0
    settled = len(server.seen)
    tools.until(lambda: len(server.seen) > settled)
    begun = time.perf_counter()
    for _ in range(200):
        client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 1}')
    assert time.perf_counter() - begun < 0.8


def test_a_first_call_waits_for_a_slow_server_only_so_long(server, open_client, tools):
    server.delay = 0.3
    assert text_of(open_client(cache_dir=""), tools) == "v1: Acme"
    server.delay = 3.0
    client, begun = open_client(ready_timeout=0.2, cache_dir=""), time.perf_counter()
    with pytest.raises(Unavailable):
        client.prompt(tools.PROMPT)
    with pytest.raises(Unavailable):
        client.prompt(tools.PROMPT)
    assert time.perf_counter() - begun < 1.0


def test_an_older_snapshot_of_the_same_epoch_is_refused(server, open_client, tools):
    server.publish(tools.document(7, "v7: {{lead}}"))
    client = open_client()
    assert text_of(client, tools) == "v7: Acme"
    server.publish(tools.document(6, "v6: {{lead}}"))
    tools.until(lambda: client.status()["error"])
    assert client.status()["error"]["kind"] == "conflict"
    assert text_of(client, tools) == "v7: Acme"


def test_a_restored_backup_is_followed_and_logged(server, open_client, tools, caplog):
    server.publish(tools.document(7, "v7: {{lead}}"))
    client = open_client()
    assert text_of(client, tools) == "v7: Acme"
    server.publish(tools.document(3, "v3: {{lead}}", epoch="epoch-2"))
    tools.until(lambda: text_of(client, tools) == "v3: Acme")
    assert any("restored" in one.message for one in caplog.records)
    tools.until(lambda: server.acks[-1]["epoch"] == "epoch-2" and server.acks[-1]["version"] == 3)


def test_another_environment_is_refused(server, open_client, tools):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    server.publish(tools.document(2, "staging: {{lead}}", environment="staging"))
    tools.until(lambda: client.status()["error"])
    assert client.status()["error"]["kind"] == "conflict"
    assert (text_of(client, tools), client.status()["environment"]) == ("v1: Acme", "production")


def test_every_change_is_acknowledged(server, open_client, tools):
    client = open_client()
    text_of(client, tools)
    tools.until(lambda: server.acks)
    server.publish(tools.document(2))
    tools.until(lambda: server.acks[-1]["version"] == 2)
    assert server.acks[-1] == {"client": client.status()["client"], "app": "test", "epoch": "epoch-1", "version": 2}
    assert [one["version"] for one in server.acks] == [1, 2]


@dataclass
class Desk:
    """A refresher without a thread, a clock that is turned by hand, and a die that always shows the same."""

    transport: MemoryTransport
    now: float = 0.0
    drawn: float = 1.0

    def __post_init__(self):
        self.memory = Memory()
        who = {"client": "c", "app": "a"}
        clock, draw = (lambda: self.now), (lambda: self.drawn)
        self.refresher = Refresher(self.memory, self.transport, None, who, 2.0, clock, draw)

    def tick(self, now):
        self.now = now
        return self.refresher.tick()


def test_an_acknowledgement_is_a_lease_that_is_renewed_every_five_seconds_or_so(tools):
    desk = Desk(MemoryTransport(tools.document()))
    given = []
    for now in range(0, 20, 2):
        desk.tick(now)
        given.append(len(desk.transport.acks))
    assert given == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_failures_are_retried_with_full_jitter_and_never_later_than_ten_seconds(tools):
    desk = Desk(MemoryTransport(tools.document()))
    assert desk.tick(0) == 2.0
    desk.transport.down = True
    assert [desk.tick(at) for at in range(6)] == [4.0, 8.0, 10.0, 10.0, 10.0, 10.0]
    desk.drawn = 0.0
    assert desk.tick(7) == 0.5
    desk.transport.down = False
    assert desk.tick(8) == 1.5


def test_age_counts_from_the_last_confirmation(tools):
    desk = Desk(MemoryTransport(tools.document()))
    desk.tick(10)
    desk.tick(12)
    desk.transport.down = True
    desk.tick(14)
    assert (desk.memory.held.confirmed, desk.memory.held.source) == (12, "stale")


def test_an_acknowledgement_is_not_given_for_what_is_not_confirmed(tools, tmp_path, server):
    server.stop()
    copy = DiskCopy(tmp_path, server.url, tools.KEY)
    body = canonical(tools.document())
    copy.save(body, digest_bytes(body))
    with Client(server.url, tools.KEY, cache_dir=tmp_path, refresh_seconds=0.05) as client:
        tools.until(lambda: client.status()["error"])
        assert client.prompt(tools.PROMPT).source == "disk"
    assert server.acks == []


def test_the_thread_outlives_an_error_that_nobody_foresaw(tools):
    class Odd(MemoryTransport):
        odd = 3

        def snapshot(self, digest):
            self.odd -= 1
            if self.odd > 0:
                raise ZeroDivisionError
            return super().snapshot(digest)

    seen, before = [], threading.excepthook
    threading.excepthook = seen.append
    try:
        with Client(transport=Odd(tools.document()), cache_dir="", refresh_seconds=0.05) as client:
            assert text_of(client, tools) == "v1: Acme"
    finally:
        threading.excepthook = before
    assert [one.exc_type for one in seen] == [ZeroDivisionError] * 2


def test_the_disk_copy_is_closed_to_others_and_checked_by_its_digest(server, open_client, tools, tmp_path):
    text_of(open_client(), tools)
    tools.until(lambda: list((tmp_path / "cache").rglob("snapshot.json")))
    (kept,) = (tmp_path / "cache").rglob("snapshot.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    saved = json.loads(kept.read_text())
    assert saved["digest"] == digest_bytes(saved["body"].encode()) == server.digest
    assert "0" * 64 not in str(kept) + kept.read_text()
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_text(path.read_text().replace("v1: ", "v9: ")), id="edited"),
        pytest.param(lambda path: path.write_text(path.read_text()[:-40]), id="cut off"),
        pytest.param(lambda path: path.write_text("[" * 100_000), id="too deep"),
        pytest.param(lambda path: path.write_bytes(b"\x80\x04\x95pickle"), id="a pickle"),
        pytest.param(lambda path: path.write_text("[]"), id="a list"),
        pytest.param(lambda path: path.write_text('{"format":"cuelight/disk@1"}'), id="no body"),
        pytest.param(lambda path: path.chmod(0o644), id="open to others"),
        pytest.param(lambda path: (path.rename(path.with_name("x")), path.symlink_to("x")), id="a link"),
        pytest.param(lambda path: (path.unlink(), os.mkfifo(path, 0o600)), id="a pipe that nobody writes"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    ],
)
def test_a_disk_copy_that_cannot_be_trusted_is_not_used(tools, tmp_path, spoil):
    copy = DiskCopy(tmp_path, "http://a", tools.KEY)
    body = canonical(tools.document())
    copy.save(body, digest_bytes(body))
    assert copy.load().body == body
    spoil(next(tmp_path.rglob("snapshot.json")))
    assert copy.load() is None


def test_servers_and_keys_have_disk_copies_of_their_own(tmp_path, tools):
    paths = {
        DiskCopy(tmp_path, url, key).path
        for url in ("http://a", "http://b")
        for key in (tools.KEY, "cue_production_x_y", "odd", "")
    }
    assert len(paths) == 8


def test_a_disk_that_takes_nothing_stops_nobody(server, tools, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with Client(server.url, tools.KEY, cache_dir=tmp_path / "file", refresh_seconds=0.05) as client:
        assert text_of(client, tools) == "v1: Acme"
        tools.until(lambda: any("disk copy" in one.message for one in caplog.records))


def _left_on_disk(open_client, tools, tmp_path):
    first = open_client()
    text_of(first, tools)
    tools.until(lambda: list((tmp_path / "cache").rglob("snapshot.json")))
    first.close()


def test_a_disk_start_becomes_live_when_the_server_confirms_it(server, open_client, tools, tmp_path):
    _left_on_disk(open_client, tools, tmp_path)
    second = open_client()
    assert second.prompt(tools.PROMPT).source == "live"
    assert server.seen[-1][1] == server.digest


def test_a_process_started_after_a_rollback_never_begins_with_what_was_taken_back(server, open_client, tools, tmp_path):
    _left_on_disk(open_client, tools, tmp_path)
    server.publish(tools.document(2, "v0, restored: {{lead}}"))
    assert text_of(open_client(), tools) == "v0, restored: Acme"


def test_a_desk_that_hangs_holds_up_a_disk_start_only_so_long(server, open_client, tools, tmp_path):
    _left_on_disk(open_client, tools, tmp_path)
    server.delay = 3.0
    begun = time.monotonic()
    assert open_client(fresh_timeout=0.2).prompt(tools.PROMPT).source == "disk"
    assert time.monotonic() - begun < 2.0


def test_a_bundled_snapshot_serves_until_the_server_answers(server, open_client, tools, tmp_path):
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(canonical(tools.document(99, "bundled: {{lead}}", epoch="epoch-1", environment="staging")))
    server.status = 503
    client = open_client(bundled=bundle)
    prompt = client.prompt(tools.PROMPT)
    assert (prompt.source, prompt.age_s) == ("bundled", None)
    assert text_of(client, tools) == "bundled: Acme"
    server.status = None
    tools.until(lambda: text_of(client, tools) == "v1: Acme")


def test_a_bundle_alone_works_without_key_or_server(tools, tmp_path, monkeypatch):
    monkeypatch.delenv("CUELIGHT_KEY", raising=False)
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(canonical(tools.document()))
    with Client(bundled=bundle) as client:
        assert text_of(client, tools) == "v1: Acme"
        assert client.prompt(tools.PROMPT).source == "bundled"
    with Client() as client, pytest.raises(Unavailable) as nothing:
        client.prompt(tools.PROMPT)
    assert "CUELIGHT_KEY" in nothing.value.hint


def test_a_broken_bundle_is_told_at_once(tmp_path):
    with pytest.raises(Invalid):
        Client(bundled=tmp_path / "gone.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(Invalid):
        Client(bundled=tmp_path / "bad.json")


def test_address_and_key_come_from_the_environment(server, tools, monkeypatch, tmp_path):
    monkeypatch.setenv("CUELIGHT_URL", server.url + "/")
    monkeypatch.setenv("CUELIGHT_KEY", tools.KEY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Client() as client:
        assert text_of(client, tools) == "v1: Acme"
        tools.until(lambda: list((tmp_path / "cuelight").rglob("snapshot.json")))
    assert default_folder() == str(tmp_path / "cuelight")


@pytest.mark.parametrize(
    ("url", "key"), [("ftp://x", "k"), ("127.0.0.1", "k"), ("http://x", "k\r\nX: y"), ("http://x", "schlüssel")]
)
def test_an_address_or_key_that_cannot_be_sent_is_refused(url, key):
    with pytest.raises(Invalid) as refused:
        HttpTransport(url, key)
    assert key not in refused.value.message or key == "k"


def test_nothing_live_for_a_prompt_is_no_outage(open_client, tools):
    client = open_client()
    with pytest.raises(NotFound) as missing:
        client.prompt("sales.other", fallback=tools.prompt_content().to_json())
    assert tools.PROMPT in missing.value.hint


def test_content_that_is_not_what_its_digest_says_is_refused(tools):
    document = tools.document()
    document["versions"][tools.PROMPT]["v1"]["digest"] = "sha256:" + "1" * 64
    with Client(transport=MemoryTransport(document), cache_dir="") as client, pytest.raises(Invalid):
        client.prompt(tools.PROMPT)


def test_the_fake_behaves_like_a_server(tools):
    fake = MemoryTransport()
    with Client(transport=fake, cache_dir="", refresh_seconds=0.05, ready_timeout=0.2) as client:
        with pytest.raises(Unavailable):
            client.prompt(tools.PROMPT)
        fake.publish(tools.document())
        tools.until(lambda: client.status()["source"] == "live")
        fake.down = True
        tools.until(lambda: client.status()["source"] == "stale")
        fake.denied = True
        tools.until(lambda: client.status()["revoked"])
        with pytest.raises(Denied):
            client.prompt(tools.PROMPT)
