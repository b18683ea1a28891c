"""The local desk: `cuelight-server` as a subprocess on a temporary store, for as long as one command runs."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from cuelight.admin import Admin
from cuelight.contract.errors import CuelightError, Unavailable

_START_S = 30.0
_STOP_S = 5.0
_INSTALL = "install it: pip install cuelight-server; or name a running desk with --server"


@contextmanager
def local_desk() -> Iterator[Admin]:
    """A desk of our own; Unavailable where cuelight-server is not installed or does not start."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(  # noqa: S603  our own server, no shell
            [*_command(), "serve", "--temporary"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            where = _first_line(process, log)
            with Admin(where["url"], where["token"]) as admin:
                yield admin
        except CuelightError as bad:
            if "answer" not in bad.details:
                raise
            words = f"the local desk failed: {_last(log)}"  # what the desk could not say, its last line may
            raise Unavailable(words, "to see more: cuelight-server serve --temporary") from bad
        finally:
            _end(process)


def _command() -> list[str]:
    """How to start the server: the one beside this client first, so that both are of one version.

    -P keeps the folder that we stand in out of the way: a file json.py there is not ours.
    """
    if importlib.util.find_spec("cuelight_server") is not None:
        return [sys.executable, "-P", "-c", "from cuelight_server.cli import main; main()"]
    found = shutil.which("cuelight-server")
    if found is None:
        raise Unavailable("this needs cuelight-server, which is not installed here", _INSTALL)
    return [found]


def _first_line(process: subprocess.Popen[str], log: IO[str]) -> dict[str, Any]:
    """The line in which the server says where it listens and the token that it takes."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(_out(process).readline()), daemon=True)
    reader.start()
    reader.join(_START_S)
    try:
        where = json.loads(lines[0]) if lines else None
    except ValueError:
        where = None
    if isinstance(where, dict) and {"url", "token"} <= set(where):
        return where
    raise Unavailable(f"the local desk did not start: {_last(log)}", "try: cuelight-server serve --temporary")


def _out(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdout is None:
        raise Unavailable("the local desk has no output", _INSTALL)
    return process.stdout


def _last(log: IO[str]) -> str:
    log.seek(0)
    rows = [row for row in log.read().splitlines() if row.strip()]
    return rows[-1] if rows else "it said nothing"


def _end(process: subprocess.Popen[str]) -> None:
    """Close its stdin, which ends it; kill it where that is not enough."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
