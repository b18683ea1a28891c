"""The server's command line, as its own process where that matters: what it prints, and how it ends."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from cuelight_server import cli
from cuelight_server.control.access import authenticate
from cuelight_server.control.push import push
from cuelight_server.control.releases import release
from cuelight_server.demo.stage import own_files
from server.tests import folders
from server.tests.releasing import ENGINEER, PROMPT, evaluate, live, prepare, who
from server.tests.tampering import behind_our_back

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch, databases):
    made, where = tmp_path / "desk", databases("desk")
    monkeypatch.setenv("CUELIGHT_DATA", str(made))
    monkeypatch.setenv("CUELIGHT_DATABASE_URL", where.registry or "")
    monkeypatch.setenv("CUELIGHT_CALLS_URL", where.calls or "")
    return made


@pytest.fixture
def released(folder, make_desk):
    """A desk with v1 and v2 released to staging, closed."""
    desk = make_desk("desk")
    prepare(desk)
    for label in ("v1", "v2"):
        evaluate(desk, label)
        release(desk, who(desk, ENGINEER), PROMPT, label, "staging")
    desk.close()


def start(*words, stdin=subprocess.DEVNULL):
    paths = f"{ROOT / 'client/src'}:{ROOT / 'server/src'}"
    return subprocess.Popen(
        [sys.executable, "-m", "cuelight_server.cli", *words],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_init_makes_a_desk_and_prints_the_administrators_token_once(folder, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka:Mei Tanaka"]) == 0
    assert capsys.readouterr().out.startswith("cue_all_")
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 22
    assert "is a desk already" in capsys.readouterr().err


@pytest.mark.parametrize("id", ["Bad Id", "", "system", "ada/moss"])
def test_init_with_an_id_that_nobody_can_have_writes_nothing(folder, capsys, id):
    assert cli.run(["init", "--admin", id]) == 20
    assert not folder.exists()
    assert capsys.readouterr().out == ""
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0


def test_the_bare_command_is_its_help_and_names_itself_once(capsys):
    assert cli.run([]) == 20
    assert capsys.readouterr().err.startswith("Usage: cuelight-server")


def test_a_desk_that_nobody_owns_prints_a_link_that_makes_an_owner(folder):
    process = start("serve", "--port", "0")
    try:
        url = process.stdout.readline().split()[3].rstrip(",")
        assert "nobody owns this desk yet" in process.stdout.readline()
        link = process.stdout.readline().strip()
        assert re.fullmatch(re.escape(url) + r"/invitation/[0-9a-f]{16}\.[0-9a-f]{64}", link)
        with urllib.request.urlopen(link) as page:
            assert "Become the owner" in page.read().decode()
    finally:
        process.terminate()
        process.wait(10)


def test_init_without_an_owner_prints_the_link_that_makes_one(folder, capsys, monkeypatch):
    monkeypatch.setenv("CUELIGHT_PUBLIC_URL", "https://desk.example.org/")
    assert cli.run(["init"]) == 0
    assert capsys.readouterr().out.startswith("https://desk.example.org/invitation/")


def test_a_desk_is_not_served_to_other_machines_as_it_comes_and_every_reason_is_said(folder, capsys, monkeypatch):
    assert cli.run(["serve", "--host", "0.0.0.0", "--port", "0"]) == 24
    told = capsys.readouterr().err
    assert "CUELIGHT_PUBLIC_URL" in told
    assert "user add ID NAME --admin" in told
    monkeypatch.setenv("CUELIGHT_PUBLIC_URL", "http://desk.example.org")
    assert cli.run(["user", "add", "mei.tanaka", "Mei", "--admin"]) == 0
    assert cli.run(["serve", "--host", "::", "--port", "0"]) == 24
    told = capsys.readouterr().err
    assert "https" in told
    assert "owns" not in told


def test_a_demo_desk_is_not_served_to_other_machines(folder, capsys, monkeypatch):
    monkeypatch.setenv("CUELIGHT_PUBLIC_URL", "https://desk.example.org")
    assert cli.run(["init", "--demo", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["serve", "--host", "desk.example.org", "--port", "0"]) == 24
    assert "by name" in capsys.readouterr().err


def test_two_accounts_of_one_person_are_linked_at_the_shell(folder, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["user", "add", "mei.second", "Mei Tanaka, on call"]) == 0
    assert cli.run(["user", "link", "mei.second", "--same-as", "mei.tanaka"]) == 0
    assert cli.run(["user", "link", "mei.second", "--same-as", "mei.tanaka"]) == 22
    assert cli.run(["user", "email", "mei.tanaka", "mei@example.org"]) == 0
    assert cli.run(["user", "email", "mei.tanaka", "no address"]) == 20
    assert cli.run(["verify"]) == 0


def test_a_person_is_invited_and_again_when_they_forgot(folder, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["invite", "ana.author"]) == 21
    assert cli.run(["invite", "ana.author", "Ana"]) == 0
    first = capsys.readouterr().out.splitlines()[-1]
    assert "/invitation/" in first
    assert cli.run(["invite", "ana.author", "Ana"]) == 22
    assert cli.run(["invite", "ana.author"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] != first
    assert cli.run(["verify"]) == 0


def test_keys_of_services_and_agents_have_scopes_and_an_end(folder, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["key", "add", "crm"]) == 20
    assert cli.run(["key", "add", "ci", "--kind", "service", "--scope", "push", "--days", "30"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("cue_all_")
    assert cli.run(["key", "add", "ci", "--kind", "service", "--scope", "moon"]) == 20
    assert cli.run(["token", "list"]) == 0
    assert re.search(r"service:ci .*ends 20", capsys.readouterr().out)


def test_people_keys_and_tokens(folder, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["user", "add", "ana.author", "Ana"]) == 0
    assert cli.run(["key", "add", "crm", "--environment", "staging"]) == 0
    key = capsys.readouterr().out.splitlines()[-1]
    assert key.startswith("cue_staging_")
    assert cli.run(["token", "revoke", key.split("_")[2]]) == 0
    assert cli.run(["token", "revoke", "nothing"]) == 21
    assert cli.run(["user", "add", "ana.author", "Ana"]) == 22


def test_a_person_whom_a_push_brought_is_adopted_listed_and_disabled(folder, open_again, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    token = capsys.readouterr().out.strip()
    desk = open_again()
    push(desk, authenticate(desk, token), folders.folder())
    assert cli.run(["user", "list"]) == 0
    assert re.search(r"dee\.lund .*no token", capsys.readouterr().out)
    assert cli.run(["user", "add", "dee.lund", "Dee", "--admin"]) == 22  # a push makes no administrators
    assert cli.run(["user", "add", "dee.lund", "Dee"]) == 0
    told = capsys.readouterr()
    assert "brought by a push" in told.err
    assert told.out.startswith("cue_all_")
    assert cli.run(["user", "add", "dee.lund", "Dee"]) == 22
    assert cli.run(["token", "add", "dee.lund"]) == 0
    second = capsys.readouterr().out.strip()
    assert cli.run(["token", "add", "nobody"]) == 21
    assert cli.run(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert second.split("_")[2] in listed
    assert second.split("_")[3] not in listed
    assert cli.run(["user", "disable", "dee.lund"]) == 0
    assert cli.run(["token", "add", "dee.lund"]) == 24
    assert cli.run(["verify"]) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status"], 21),
        (["rollback", "a.b", "--why", "x"], 21),
        (["rollback", "a.b"], 20),
        (["nonsense"], 20),
        (["key", "add", "crm", "--environment", "moon"], 20),
        (["--help"], 0),
        (["--version"], 0),
    ],
)
def test_errors_have_a_message_a_hint_and_their_exit_code_and_no_traceback(folder, capsys, words, code):
    assert cli.run(words) == code
    if code:
        told = capsys.readouterr().err
        assert told.startswith("cuelight-server: ")
        assert "Traceback" not in told
        assert len(told.splitlines()) >= 2


def test_a_rollback_on_the_data_folder_works_with_no_server_at_all(released, open_again, capsys):
    assert cli.run(["rollback", PROMPT, "--environment", "staging", "--why", "fences"]) == 0
    assert f"{PROMPT} in staging: v2 -> v1" in capsys.readouterr().out
    assert cli.run(["rollback", PROMPT, "--environment", "staging", "--why", "x", "--from", "v2"]) == 0
    assert "already rolled back from v2 to v1" in capsys.readouterr().out
    assert live(open_again(), "staging") == 1


def test_status_says_what_serves_where(released, capsys):
    assert cli.run(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["Off", PROMPT, "production", "-"],
        ["Go", PROMPT, "staging", "v2"],
        ["Standby", "log", "of", lines[2].split()[3]],
    ]
    assert "No checkpoint was signed yet" in lines[2]
    assert cli.run(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][1]["rollback_target"] == "v1"
    assert found["log"]["state"] == "standby"


def test_verify_finds_nothing_on_a_sound_desk_and_names_what_was_changed(folder, open_again, capsys):
    assert cli.run(["init", "--admin", "mei.tanaka"]) == 0
    assert cli.run(["checkpoint"]) == 0
    kept = folder.parent / "kept"
    kept.write_text(capsys.readouterr().out.partition("\n")[2])  # init printed a token first
    assert cli.run(["verify", "--checkpoint", str(kept)]) == 0
    assert "everything fits" in capsys.readouterr().out
    behind_our_back(open_again(), "UPDATE audit_event SET body = replace(body, 'mei', 'eve')")
    assert cli.run(["verify", "--checkpoint", str(kept)]) == 24
    assert "log:" in capsys.readouterr().err


def test_verify_names_a_snapshot_and_a_pointer_that_were_changed(released, open_again, database, capsys):
    body = (
        "replace(body, 'version 2', 'version x')"
        if database == "sqlite"
        else "convert_to(replace(convert_from(body, 'UTF8'), 'version 2', 'version x'), 'UTF8')"
    )
    behind_our_back(
        open_again(),
        f"UPDATE snapshot SET body = {body} WHERE version = 2",
        "UPDATE deployment SET weights = '[[1, 100000]]'",
    )
    assert cli.run(["verify"]) == 24
    told = capsys.readouterr().err
    assert "snapshot staging 2: its content is" in told
    assert f"what serves: {PROMPT} staging: what it serves is [[1, 100000]], the log tells [[2, 100000]]" in told


def test_a_real_desk_never_becomes_a_demo(folder, make_desk, capsys):
    make_desk("desk").close()
    assert cli.run(["serve", "--demo", "--port", "0"]) == 20
    assert "never becomes a demo" in capsys.readouterr().err


@pytest.mark.database("postgresql")
def test_the_demo_keeps_to_its_own_folder_whatever_database_the_shell_names(folder):
    assert "CUELIGHT_DATABASE_URL" in os.environ
    assert {"CUELIGHT_DATABASE_URL", "CUELIGHT_CALLS_URL"} & set(own_files()) == set()


def test_a_port_that_is_taken_is_said_so(folder, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert cli.run(["serve", "--port", str(taken.getsockname()[1])]) == 25
    assert "--port" in capsys.readouterr().err


def test_serve_prints_its_address_answers_and_ends_on_sigterm(folder):
    process = start("serve", "--port", "0")
    try:
        line = process.stdout.readline()
        url = line.split()[3].rstrip(",")
        with urllib.request.urlopen(f"{url}/healthz") as answer:
            assert json.load(answer)["ok"] is True
    finally:
        process.terminate()
    assert process.wait(10) in (0, -15)
    assert process.stderr.read() == ""


def test_a_temporary_desk_prints_one_json_line_and_is_gone_when_stdin_closes(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start("serve", "--temporary", stdin=subprocess.PIPE)
    where = json.loads(process.stdout.readline())
    asked = urllib.request.Request(f"{where['url']}/api/v1/me", headers={"Authorization": f"Bearer {where['token']}"})
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer)["local"] is True
    assert list(tmp_path.iterdir())
    process.stdin.close()
    began = time.monotonic()
    assert process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []
    assert process.stdout.read() == ""
