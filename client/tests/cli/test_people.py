"""People and keys at the command line, on a real desk: who is here, a link, a key that is shown once, and their end."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVER = [sys.executable, "-c", "from cuelight_server.cli import main; main()"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A real desk of its own process: (address, the owner's token)."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    env = {**os.environ, "PYTHONPATH": f"{ROOT}/client/src{os.pathsep}{ROOT}/server/src"}
    init = [*SERVER, "init", "--admin", "mei.tanaka:Mei Tanaka", "--data", str(folder)]
    token = subprocess.run(init, capture_output=True, text=True, check=True, env=env, timeout=60).stdout.strip()
    serve = [*SERVER, "serve", "--data", str(folder), "--port", "0"]
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=env)
    yield re.search(r"http://\S+?(?=,|\s|$)", process.stdout.readline()).group(), token
    process.terminate()
    process.wait(20)


@pytest.fixture
def ask(run, desk, monkeypatch):
    """Run a command on the desk, as its owner or with another token."""

    def one(*args, token=None):
        monkeypatch.setenv("CUELIGHT_URL", desk[0])
        monkeypatch.setenv("CUELIGHT_TOKEN", token or desk[1])
        return run(*args)

    return one


def test_a_person_is_invited_listed_and_disabled(ask):
    assert ask("people", "invite", "ana.author").code == 21
    link = ask("people", "invite", "ana.author", "Ana Author")
    assert re.search(r"^http://127\.0\.0\.1:\d+/invitation/[0-9a-f]{16}\.[0-9a-f]{64}$", link.out, re.MULTILINE)
    assert set(ask("people", "invite", "ana.author", "--json").json) == {"link", "purpose", "expires_at"}
    assert ask("people", "invite", "ana.author", "Ana Author").code == 22
    assert ask("people", "invite", "ana.author", "--admin").code == 20
    assert re.search(r"ana\.author +Ana Author +person +● Active", ask("people", "list").out)
    assert ask("people", "disable", "ana.author").code == 0
    assert ask("people", "disable", "ana.author").code == 22
    (one,) = [one for one in ask("people", "list", "--json").json["items"] if one["id"] == "ana.author"]
    assert one["disabled_at"]
    assert "Disabled" in ask("people", "list").out


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(ask):
    made = ask("keys", "issue", "ci", "--kind", "service", "--scope", "read", "--scope", "push", "--days", "7")
    key = made.out.strip()
    assert re.fullmatch(r"cue_all_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}", key)
    assert ask("status", token=key).code == 0
    listed = ask("keys", "list")
    assert re.search(r"service:ci +push, read +● Good", listed.out)
    assert key.split("_")[3] not in listed.out
    assert ask("keys", "revoke", key).code == 0  # the whole key does as well as its id
    assert ask("keys", "revoke", key.split("_")[2]).code == 22
    refused = ask("status", token=key)
    assert (refused.code, "revoked" in refused.err) == (23, True)
    for words in (("keys", "list"), ("keys", "list", "--all")):  # it stays in the list for a day
        assert re.search(r"service:ci +push, read +· Revoked", ask(*words).out)


def test_a_key_with_a_typing_error_is_told_so(ask):
    key = ask("keys", "issue", "crm", "--environment", "staging", "--json").json["key"]
    refused = ask("status", token=key[:-1] + ("0" if key[-1] != "0" else "1"))
    assert (refused.code, "no key" in refused.err) == (23, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("keys", "issue", "crm"), 20),
        (("keys", "issue", "crm", "--environment", "moon"), 20),
        (("keys", "issue", "ci", "--kind", "service", "--scope", "moon"), 20),
        (("keys", "issue", "nobody.here", "--kind", "person"), 21),
        (("keys", "revoke", "nonsense"), 20),
        (("keys", "revoke", "0" * 16), 21),
        (("people", "disable", "no.one"), 21),
        (("people", "invite", "A B"), 20),
        (("people",), 20),
    ],
)
def test_what_cannot_be_has_a_message_and_its_exit_code(ask, words, code):
    done = ask(*words)
    assert done.code == code, done
    assert "Traceback" not in done.err


def test_who_is_no_administrator_is_told_whom_to_ask(ask):
    ask("people", "invite", "ben.okoro", "Ben Okoro")
    token = ask("keys", "issue", "ben.okoro", "--kind", "person").out.strip()
    for words in (
        ("people", "disable", "mei.tanaka"),
        ("people", "invite", "mei.tanaka"),
        ("keys", "issue", "x", "--environment", "staging"),
    ):
        refused = ask(*words, token=token)
        assert (refused.code, "administrator" in refused.err) == (23, True), refused
    assert {one["holder"] for one in ask("keys", "list", "--json", token=token).json["items"]} == {"ben.okoro"}


def test_the_shell_completes_names_and_keys(shell, desk, ask):
    ask("keys", "issue", "shop", "--environment", "staging")
    known = {"CUELIGHT_URL": desk[0], "CUELIGHT_TOKEN": desk[1], "_CUELIGHT_COMPLETE": "bash_complete"}
    done = shell(env={**known, "COMP_WORDS": "cuelight people invite me", "COMP_CWORD": "3"})
    assert "mei.tanaka" in done.out
    done = shell(env={**known, "COMP_WORDS": "cuelight keys revoke ", "COMP_CWORD": "3"})
    assert re.search("[0-9a-f]{16}", done.out)
    gone = shell(
        env={
            **known,
            "CUELIGHT_URL": "http://127.0.0.1:9",
            "COMP_WORDS": "cuelight people invite me",
            "COMP_CWORD": "3",
        }
    )
    assert (gone.out.strip(), "Traceback" in gone.err) == ("", False)


ADD = ("trusts", "add", "ci", "--issuer", "https://token.actions.githubusercontent.com", "--scope", "push")
WHOSE = ("--claim", "repository=acme/prompts", "--audience", "https://desk.example.org")


def test_a_trust_is_added_listed_and_ended_by_an_administrator_alone(ask):
    assert ask(*ADD, "--claim", "repository").code == 20
    assert ask(*ADD, "--claim", "ref=a", "--claim", "ref=b").code == 20
    assert ask(*ADD, "--claim", "repository=acme/prompts").code == 20  # the desk has no address of its own yet
    assert ask(*ADD[:-1], "release.approve", *WHOSE).code == 20
    added = ask(*ADD, *WHOSE, "--environment", "staging", "--minutes", "5")
    id = added.out.strip()
    assert (added.code, "cuelight access admit" in added.err) == (0, True), added
    (one,) = ask("trusts", "list", "--json").json["items"]
    assert (one["id"], one["actor"], one["environment"], one["minutes"]) == (id, "service:ci", "staging", 5)
    assert (one["conditions"], one["workflows"], one["last_used_at"]) == ({"repository": "acme/prompts"}, [], None)
    told = ask("trusts", "list").out
    assert "repository=acme/prompts" in told
    assert "never used" in told
    ask("people", "invite", "tia.moss", "Tia Moss")
    token = ask("keys", "issue", "tia.moss", "--kind", "person").out.strip()
    for words in (("trusts", "list"), (*ADD, *WHOSE), ("trusts", "end", id)):
        refused = ask(*words, token=token)
        assert (refused.code, "administrator" in refused.err) == (23, True), refused
    assert [ask("trusts", "end", id, "--yes").code for _ in range(2)] == [0, 22]
    assert ask("trusts", "end", "0" * 16, "--yes").code == 21
    assert "Ended" in ask("trusts", "list").out


def test_the_shell_completes_trusts_that_can_be_ended(shell, desk, ask):
    kept, ended = (ask(*ADD, *WHOSE).out.strip() for _ in range(2))
    ask("trusts", "end", ended, "--yes")
    known = {"CUELIGHT_URL": desk[0], "CUELIGHT_TOKEN": desk[1], "_CUELIGHT_COMPLETE": "bash_complete"}
    done = shell(env={**known, "COMP_WORDS": "cuelight trusts end ", "COMP_CWORD": "3"})
    assert (kept in done.out, ended in done.out) == (True, False)
