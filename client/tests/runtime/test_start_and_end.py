"""How a client starts beside a disk copy that lies, and how it ends: with a goodbye."""

import json

import pytest

from cuelight.contract.canonical import canonical, digest_bytes

LEAD = {"lead": "Acme"}


def text_of(client, tools):
    return client.prompt(tools.PROMPT).render(**LEAD).messages[0]["content"]


def _left_on_disk(open_client, tools, tmp_path):
    first = open_client()
    text_of(first, tools)
    tools.until(lambda: list((tmp_path / "cache").rglob("snapshot.json")))
    first.close()


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({"version": 99}, id="a version of the future"),
        pytest.param({"environment": "staging"}, id="another environment"),
        pytest.param({"epoch": "epoch-0", "version": 99}, id="another epoch"),
    ],
)
def test_promise_7_a_live_answer_beats_a_disk_copy_whatever_that_says(
    server, open_client, tools, tmp_path, written, caplog
):
    _left_on_disk(open_client, tools, tmp_path)
    (kept,) = (tmp_path / "cache").rglob("snapshot.json")
    forged = canonical({**tools.document(1, "forged: {{lead}}"), **written})
    kept.write_text(
        json.dumps({**json.loads(kept.read_text()), "body": forged.decode(), "digest": digest_bytes(forged)})
    )
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    assert client.status()["error"] is None
    assert any("disk copy" in one.message for one in caplog.records)


def test_a_client_that_is_closed_says_goodbye_and_one_that_never_reached_the_desk_says_nothing(
    server, open_client, tools
):
    client = open_client()
    text_of(client, tools)
    tools.until(lambda: server.acks)
    client.close()
    assert server.acks[-1] == {**server.acks[0], "bye": True}
    server.acks.clear()
    server.status = 503
    open_client(cache_dir="").close()
    assert server.acks == []
