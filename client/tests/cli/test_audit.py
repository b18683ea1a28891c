"""The log at the command line, on a real desk: looked through, proved here, exported, and verified with no server."""

import json
import subprocess

import pytest

from client.tests.cli.test_desk import desk  # noqa: F401  the same desk of a process of its own

LEDGER = "sales.lead_qualification"


@pytest.fixture
def ask(run, desk, monkeypatch):  # noqa: F811  the fixture above
    """Run a command on the desk as its administrator."""

    def one(*args):
        monkeypatch.setenv("CUELIGHT_URL", desk.url)
        return run(*args, "--as", "mei.tanaka")

    return one


def seqs(done):
    return [one["seq"] for one in done.json["items"]]


def test_lines_are_found_by_what_was_asked_and_go_on_page_by_page(ask):
    everything = ask("audit", "--json")
    assert everything.json["items"][-1]["verb"] == "desk.create"
    found = ask("audit", "--json", "--verb", "actor.add", "--subject", "mei.tanaka")
    assert [one["subject"] for one in found.json["items"]] == ["mei.tanaka"]
    first = ask("audit", "--json", "--limit", "2")
    second = ask("audit", "--json", "--limit", "2", "--before", first.json["next"])
    assert seqs(first) + seqs(second) == seqs(everything)[:4]
    assert "there are more" in ask("audit", "--limit", "1").out
    assert "nothing like that" in ask("audit", "--actor", "no.body").out
    wrong = ask("audit", "--since", "yesterday")
    assert wrong.code == 20
    assert "write it like" in wrong.err


def test_a_line_is_proved_here_and_not_believed(ask):
    done = ask("audit", "proof", "1")
    assert done.code == 0
    assert "proved" in done.out
    assert json.loads(ask("audit", "proof", "1", "--json").out)["proof"]["start"] == 1
    assert ask("audit", "proof", "999").code == 21


def test_an_export_verifies_with_no_server_and_a_changed_one_names_its_first_bad_line(ask, run, desk, tmp_path):  # noqa: F811  the fixture above
    saved, log = tmp_path / "saved", tmp_path / "log.jsonl"
    done = ask("audit", "checkpoint")
    assert done.code == 0, done.err
    saved.write_text(done.out)
    assert ask("audit", "checkpoint", "--against", saved).code == 0
    assert ask("audit", "export", log).code == 0
    key = desk.server("keys", "show").splitlines()[-1]
    whole = run("verify", log, "--checkpoint", saved, "--key", key)
    assert whole.code == 0, whole.out + whole.err
    assert "everything fits" in whole.out
    (tmp_path / "key").write_text(key + "\n")
    assert run("verify", log, "--key", tmp_path / "key", "--json").json["ok"] is True
    log.write_text(log.read_text().replace("mei.tanaka", "eve.stone"))
    bad = run("verify", log, "--json")
    assert bad.code == 24
    assert bad.json["first_bad_line"] == 2
    assert "the first bad line is 2" in run("verify", log).out


def test_a_checkpoint_of_another_log_is_not_the_start_of_this_one(ask, tmp_path):
    (tmp_path / "other").write_text(f"2 {'ab' * 32}\n")
    refused = ask("audit", "checkpoint", "--against", tmp_path / "other")
    assert refused.code == 24
    assert "does not begin with" in refused.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"garbage", "is no JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"", "ends in the middle"),
        (b"[" * 90_000, "no JSON"),
    ],
)
def test_what_is_no_export_ends_with_20_and_words(run, tmp_path, content, words):
    (tmp_path / "x").write_bytes(content)
    done = run("verify", tmp_path / "x")
    assert done.code == 20
    assert words in done.err
    assert "Traceback" not in done.err


def test_what_is_not_there_or_no_checkpoint_or_no_key_says_so(run, tmp_path):
    assert run("verify", tmp_path / "nowhere").code == 21
    assert run("verify", tmp_path / "nowhere", "--checkpoint", tmp_path / "nowhere").code == 21
    (tmp_path / "x").write_text("hello")
    assert run("verify", tmp_path / "x", "--checkpoint", tmp_path / "x").code == 20
    assert run("verify", tmp_path / "x", "--key", "a+b+c").code == 20
    (tmp_path / "y").write_bytes(b"\xff\xfe")
    assert run("verify", tmp_path / "x", "--checkpoint", tmp_path / "y").code == 20


def test_the_server_exports_the_same_log_and_rotates_its_key_with_no_server_running(desk, run, tmp_path):  # noqa: F811  the fixture above
    desk.server("export-log", str(tmp_path / "log.jsonl"))
    assert run("verify", tmp_path / "log.jsonl").code == 0
    old = desk.server("keys", "show").splitlines()
    new = desk.server("keys", "rotate")
    assert desk.server("keys", "show").splitlines() == [*old, new]
    assert "PRIVATE" not in new
    desk.server("export-log", str(tmp_path / "log.jsonl"))
    assert run("verify", tmp_path / "log.jsonl", "--key", old[-1]).code == 0
    with pytest.raises(subprocess.CalledProcessError):
        desk.server("user", "erase", "mei.tanaka")
