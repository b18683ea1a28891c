"""The first ten minutes, as docs/start.md tells them: every command in it is run, in order, and must answer as printed."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
START = ROOT / "docs/start.md"
EVALUATION = ROOT / "docs/guides/evaluation.md"
PROGRAMS = {"cuelight": "cuelight.cli.main", "cuelight-server": "cuelight_server.cli"}
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\(exit code (\d+)\)")
AWAY = "make "  # these two set the repository up; walks/test_demo.py plays what they start
SECONDS = 180


@dataclass(frozen=True)
class Step:
    """One block of commands, the lines that the page shows as the answer, and the exit code that it promises."""

    commands: str
    shown: tuple[str, ...]
    code: int


@dataclass(frozen=True)
class Answer:
    """What really came: the lines, and the exit code of the last command."""

    lines: tuple[str, ...]
    code: int


def steps(page: str) -> list[Step]:
    """The blocks of a page in order; a text block belongs to the commands before it."""
    found: list[Step] = []
    for kind, body in BLOCK.findall(page):
        if kind == "sh":
            found.append(Step(body, (), 0))
        else:
            ends = EXIT.search(body)
            lines = tuple(line for line in body.splitlines() if line.strip(" …") and not EXIT.fullmatch(line))
            found[-1] = Step(found[-1].commands, lines, int(ends[1]) if ends else 0)
    return found


def by_hand(page: str) -> list[Step]:
    """The steps that are typed into a shell; those of `make` are walked elsewhere."""
    return [one for one in steps(page) if not one.commands.startswith(AWAY)]


def play(parts: list[Step], folder: Path, port: int) -> list[Answer]:
    """Run the steps in one shell, as a person would in one terminal."""
    shell = subprocess.Popen(
        ["bash", "--norc"],
        cwd=ROOT,
        env=_environment(folder, port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(_script(parts, port), timeout=SECONDS)
    finally:
        _end(shell)
    return [_answer(one) for one in said.split("<<<step>>>\n")[1:]]


def _script(parts: list[Step], port: int) -> str:
    ready = f"until (: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done\n"
    pieces = ["exec 2>&1\n"]
    for one in parts:
        wait = ready if one.commands.rstrip().endswith("&") else ""
        pieces.append(f"echo '<<<step>>>'\n{one.commands}ended=$?\n{wait}echo \"<<<ended $ended>>>\"\n")
    return "".join(pieces)


def _answer(said: str) -> Answer:
    body, _, rest = said.partition("<<<ended ")
    return Answer(tuple(body.splitlines()), int(rest.partition(">>>")[0] or 99))


def _environment(folder: Path, port: int) -> dict[str, str]:
    """A shell in which both programs are this source, whether it is installed or not."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    paths = f"{ROOT / 'client/src'}:{ROOT / 'server/src'}"
    for name, module in PROGRAMS.items():
        start = f"from {module} import main; main()"
        (programs / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{start}' \"$@\"\n")
        (programs / name).chmod(0o755)
    # No link: an interpreter that is started through one does not find the packages of its virtual environment.
    (programs / "python").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (programs / "python").chmod(0o755)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CUELIGHT")}
    return {
        **plain,
        "PATH": f"{programs}:{plain['PATH']}",
        "PYTHONPATH": paths,
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CUELIGHT_PORT": str(port),
        "CUELIGHT_URL": f"http://127.0.0.1:{port}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }


def _end(shell: subprocess.Popen[str]) -> None:
    """The server that the page starts ends with the page, also where a step failed."""
    try:
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def missing(shown: tuple[str, ...], lines: tuple[str, ...], port: int) -> list[str]:
    """The shown lines that did not come, in this order; `…` stands for anything, spaces count as one."""
    rest = iter(_plain(line.replace(str(port), "7080")) for line in lines)
    absent = []
    for line in shown:
        pattern = ".*".join(re.escape(piece) for piece in _plain(line).split("…"))
        if not any(re.fullmatch(pattern, real) for real in rest):
            absent.append(line)
            break
    return absent


def _plain(line: str) -> str:
    return " ".join(line.split())


def answer_as_shown(parts: list[Step], folder: Path) -> None:
    """Play the steps and compare each with what the page shows."""
    port = free_port()
    answers = play(parts, folder, port)
    assert len(answers) == len(parts), answers[-1]
    for one, answer in zip(parts, answers, strict=True):
        said = "\n".join(answer.lines)
        assert answer.code == one.code, f"{one.commands}\nended with {answer.code}:\n{said}"
        assert missing(one.shown, answer.lines, port) == [], f"{one.commands}\nsaid:\n{said}"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def test_every_command_of_the_first_ten_minutes_answers_as_the_page_shows(tmp_path: Path):
    answer_as_shown(by_hand(START.read_text("utf-8")), tmp_path)


def test_the_report_in_the_guide_is_what_the_example_gives(tmp_path: Path):
    shown = [one for one in steps(EVALUATION.read_text("utf-8")) if one.shown]
    assert len(shown) == 1
    answer_as_shown(shown, tmp_path)


def test_the_page_shows_answers_and_starts_with_what_make_does():
    every = steps(START.read_text("utf-8"))
    assert {one.commands.strip() for one in every if one.commands.startswith(AWAY)} == {"make demo", "make serve"}
    assert sum(bool(one.shown) for one in every) > 10


@pytest.mark.parametrize(
    ("shown", "lines", "absent"),
    [
        pytest.param(("● PASS … 10 cases",), ("x", "● PASS  a v1, 10 cases"), [], id="a shortened line"),
        pytest.param(("one", "two"), ("two", "one"), ["two"], id="the wrong order"),
        pytest.param(("at 7080",), ("at 7391",), [], id="another port"),
        pytest.param(("released",), ("not released",), ["released"], id="half a line"),
    ],
)
def test_an_answer_that_the_page_does_not_show_is_found(shown, lines, absent):
    assert missing(shown, lines, 7391) == absent
