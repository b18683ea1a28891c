"""A lost data folder: backup, more releases, restore; a running app follows the restored desk and says that it noticed."""

import logging
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from cuelight.client import Client
from cuelight_server.control.access import issue_key
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.releases import release
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from cuelight_server.views.runtime import observed
from server.tests.releasing import ENGINEER, PROMPT, evaluate, prepare, who


def server(*words):
    return subprocess.run(
        [sys.executable, "-m", "cuelight_server.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def serving(folder, port):
    process = subprocess.Popen(
        [sys.executable, "-m", "cuelight_server.cli", "serve", "--data", str(folder), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline().startswith("Cuelight is at ")
        yield
    finally:
        process.terminate()
        process.wait(20)


def put_out(folder, label):
    desk = open_desk(folder)
    evaluate(desk, label)
    release(desk, who(desk, ENGINEER), PROMPT, label, "staging")
    desk.close()


def until(holds, seconds=15):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "desk"
    desk = create_desk(made)
    prepare(desk, versions=3)
    (tmp_path / "key").write_text(issue_key(desk, SYSTEM, "crm", Environment.STAGING))
    desk.close()
    put_out(made, "v1")
    return made


@pytest.fixture
def app(tmp_path, port, folder):
    with Client(
        f"http://127.0.0.1:{port}",
        (tmp_path / "key").read_text(),
        cache_dir=tmp_path / "cache",
        refresh_seconds=0.1,
    ) as client:
        yield client


def serves(app, label):
    return lambda: app.status()["version"] is not None and app.prompt(PROMPT).version == label


def test_backup_more_releases_restore_and_a_running_app_follows(folder, tmp_path, port, app, caplog):
    caplog.set_level(logging.WARNING, "cuelight")
    with serving(folder, port):
        until(serves(app, "v1"))
        done = server("backup", "--data", folder, "--to", tmp_path / "one.tar.gz")
        assert done.returncode == 0, done.stderr
        for label in ("v2", "v3"):
            put_out(folder, label)
        until(serves(app, "v3"))
        epoch = app.status()["epoch"]
    assert serves(app, "v3")(), "while no server answers, the app goes on"
    done = server("restore", tmp_path / "one.tar.gz", "--data", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "staging serves snapshot 2" in done.stdout
    with serving(tmp_path / "again", port):
        until(serves(app, "v1"))
        assert app.status()["epoch"] != epoch
        assert "the desk was restored or replaced: snapshot 2, was 3" in caplog.text
        desk = open_desk(tmp_path / "again")
        until(lambda: observed(desk, "staging").following == 1)
        desk.close()
        put_out(tmp_path / "again", "v2")
        until(serves(app, "v2"))
    assert server("verify", "--data", tmp_path / "again").returncode == 0


def test_old_files_that_were_put_back_by_hand_are_noticed_and_not_followed(folder, tmp_path, port, app, caplog):
    """The same epoch with an older snapshot is no restored desk: it is a stale copy, and the app keeps what it has."""
    caplog.set_level(logging.WARNING, "cuelight")
    server("backup", "--data", folder, "--to", tmp_path / "one.tar.gz")
    with serving(folder, port):
        put_out(folder, "v2")
        until(serves(app, "v2"))
    (tmp_path / "by hand").mkdir()
    subprocess.run(["tar", "-xzf", str(tmp_path / "one.tar.gz"), "-C", str(tmp_path / "by hand")], check=True)
    with serving(tmp_path / "by hand", port):
        until(lambda: "older than 2" in caplog.text)
        assert app.prompt(PROMPT).version == "v2"
        assert app.status()["source"] == "stale"
