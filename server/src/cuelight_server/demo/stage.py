"""The stage of the demo: a server process, the command line as people type it, and a narrator who counts."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cuelight.contract.errors import Blocked, CuelightError, NotFound, Unavailable

_START_SECONDS = 20.0
_COMMAND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One finished command: its exit code, and what it printed."""

    code: int
    text: str

    @property
    def json(self) -> Any:
        """The output read as JSON; Unavailable, with the first line, where the command said something else."""
        try:
            return json.loads(self.text)
        except ValueError as no:
            said = self.text.strip().partition("\n")[0][:200]
            raise Unavailable(f"the command ended with {self.code} and said: {said}", "run it by hand") from no


@dataclass
class Narrator:
    """Tells the story and keeps count of what held and what did not."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    held: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def act(self, title: str, words: str) -> None:
        """A new act of the story."""
        self.console.print(f"\n[bold]{title}[/bold]\n{words}")

    def say(self, words: str) -> None:
        """One quiet line."""
        self.console.print(words, style="dim", markup=False)

    def show(self, words: str) -> None:
        """One line of output, as it is."""
        self.console.print(words, markup=False)

    @contextmanager
    def chapter(self, name: str) -> Iterator[None]:
        """A chapter that cannot go on is one more thing that did not hold; the next one is played all the same."""
        try:
            yield
        except (CuelightError, LookupError, subprocess.TimeoutExpired) as stuck:
            why = stuck.message if isinstance(stuck, CuelightError) else repr(stuck)
            self.check(f"{name}: the story goes on to its end ({why})", holds=False)

    def check(self, words: str, *, holds: bool) -> None:
        """One thing that must be true; what is not is remembered and ends the demo with an error."""
        (self.held if holds else self.broken).append(words)
        mark = "[green]✓[/green]" if holds else "[red]✗ NOT TRUE:[/red]"
        self.console.print(f"  {mark} {words}")


@dataclass
class Stage:
    """A running desk in `folder`, and the work folder that people push from."""

    folder: Path
    work: Path
    url: str
    narrator: Narrator

    def cuelight(self, person: str, *words: str, quiet: bool = False) -> Run:
        """Run `cuelight <words>` as a person; prints the command unless quiet."""
        if not quiet:
            self.narrator.console.print(
                f"  [cyan]$ cuelight {' '.join(map(_quoted, words))}[/cyan] [dim]as {person}[/dim]"
            )
        command = [sys.executable, "-m", "cuelight.cli", *words, "--as", person]
        environment = {**own_files(), "CUELIGHT_URL": self.url, "NO_COLOR": "1", "COLUMNS": "110"}
        done = subprocess.run(  # noqa: S603 - our own program, our own words
            command,
            env=environment,
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return Run(done.returncode, done.stdout if done.stdout.strip() else done.stderr)

    def as_json(self, person: str, *words: str, quiet: bool = False) -> Run:
        """The same with `--json`, which is not shown in the printed command."""
        if not quiet:
            self.narrator.console.print(
                f"  [cyan]$ cuelight {' '.join(map(_quoted, words))}[/cyan] [dim]as {person}[/dim]"
            )
        return self.cuelight(person, *words, "--json", quiet=True)

    def server(self, *words: str) -> Run:
        """Run `cuelight-server <words>` on the data folder."""
        self.narrator.console.print(f"  [cyan]$ cuelight-server {' '.join(words)}[/cyan]")
        command = [sys.executable, "-m", "cuelight_server.cli", *words, "--data", str(self.folder)]
        done = subprocess.run(  # noqa: S603 - our own program, our own words
            command, env=own_files(), capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
        )
        return Run(done.returncode, done.stdout or done.stderr)


def fresh_folder(folder: Path) -> None:
    """An empty place for the demo's data; only an earlier demo's folder is ever cleared."""
    if not folder.exists():
        return
    mark = folder / "demo"
    if not mark.exists():
        raise Blocked(f"{folder} exists and is no demo's", "choose another with --data, nothing was touched")
    shutil.rmtree(folder)


def own_files() -> dict[str, str]:
    """The environment of the demo's programs: its desk lives in its folder, whatever database the shell names."""
    return {
        name: value for name, value in os.environ.items() if name not in ("CUELIGHT_DATABASE_URL", "CUELIGHT_CALLS_URL")
    }


def find_example(name: str) -> Path:
    """The example workflow's folder: below the working directory, or beside the source checkout."""
    for root in (Path.cwd(), *Path(__file__).resolve().parents):
        if (root / "examples" / name / "workflow.yaml").exists():
            return root / "examples" / name
    raise NotFound(f"there is no examples/{name}", "run the demo from the project's folder")


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """`cuelight-server serve` on a free port as its own process; yields its URL and stops it in the end."""
    command = [sys.executable, "-m", "cuelight_server.cli", "serve", "--data", str(folder), "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program, our own words
        command, env=own_files(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _listening(process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _listening(process: "subprocess.Popen[str]") -> str:
    until = time.monotonic() + _START_SECONDS
    seen = ""
    while time.monotonic() < until and process.stdout is not None:
        line = process.stdout.readline()
        if not line:
            break
        seen += line
        if "http://" in line:
            return "http://" + line.split("http://", 1)[1].split()[0].rstrip("/.,")
    raise Unavailable("the server did not start", seen.strip()[-400:] or "try: cuelight-server serve")


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
