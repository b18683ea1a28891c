"""The light path: a low-risk prompt from nothing to production, by one person, in five commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuelight_server.demo.stage import running_server
from walks.conftest import ROOT

FIRST, WARMER = "notes.meeting_summary@v1", "notes.meeting_summary@v2"
SECONDS = 60


class Alone:
    """One person at one terminal; `commands` are all that they typed."""

    def __init__(self, data: Path) -> None:
        self.data, self.commands, self.url, self.token = data, [], "", ""

    def init(self, who: str) -> None:
        """`cuelight-server init --demo`: a new desk; the shell keeps the token that it prints."""
        self.token = self._run(
            "cuelight_server.cli", "init", "--demo", "--admin", who, "--data", str(self.data)
        ).strip()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """`cuelight-server serve &`, until the walk ends."""
        self.commands.append("serve")
        with running_server(self.data) as self.url:
            yield

    def cuelight(self, *words: str, code: int = 0) -> str:
        """One command as this person."""
        return self._run("cuelight.cli", *words, code=code)

    def look(self, *words: str) -> dict:
        """A look that the walk takes to see whether it is true; the person did not type it."""
        said = json.loads(self.cuelight(*words, "--json"))
        self.commands.pop()
        return said

    def _run(self, module: str, *words: str, code: int = 0) -> str:
        self.commands.append(words[0])
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CUELIGHT")}
        known = {"CUELIGHT_URL": self.url, "CUELIGHT_TOKEN": self.token, "NO_COLOR": "1", "COLUMNS": "110"}
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env={**plain, **known},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout


def served(nora: Alone) -> list[tuple[str, str]]:
    """(prompt, version) of what production serves."""
    rows = [one for one in nora.look("status")["rows"] if one["environment"] == "production"]
    return [(one["prompt"], label) for one in rows for label, _ in one["serves"]]


def test_from_nothing_to_production_in_five_commands_by_one_person(tmp_path: Path):
    nora = Alone(tmp_path / "data")
    nora.init("nora.blum:Nora Blum")
    with nora.serving():
        nora.cuelight("push", "examples/notes")
        nora.cuelight("eval", FIRST)
        nora.cuelight("release", FIRST, "--to", "production")
        assert served(nora) == [("notes.meeting_summary", "v1")]
        assert nora.commands == ["init", "serve", "push", "eval", "release"]

        change = nora.look("diff", FIRST, WARMER)
        assert change["change_class"] == "wording"
        nora.cuelight(
            "release", WARMER, "--to", "production", code=24
        )  # the light path waives the yes, never the suite
        nora.commands.clear()
        nora.cuelight("eval", WARMER)
        nora.cuelight("release", WARMER, "--to", "production")
        assert served(nora) == [("notes.meeting_summary", "v2")]
        assert nora.commands == ["eval", "release"]

        nora.commands.clear()
        nora.cuelight("rollback", "notes.meeting_summary", "--why", "too chatty")
        assert served(nora) == [("notes.meeting_summary", "v1")]
        assert nora.commands == ["rollback"]
