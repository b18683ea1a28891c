"""One program under limits: nothing of our environment, so much time, memory and output, and nothing left running."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from cuelight_server.kernel.errors import Invalid, Unavailable

# Set in the child before the program takes its place; -I -S: nothing of our own comes along.
_BEFORE = (
    "import os,resource,sys\n"
    "c,m,f,n=map(int,sys.argv[1:5])\n"
    "for what,most in ((resource.RLIMIT_CPU,c),(resource.RLIMIT_AS,m),(resource.RLIMIT_FSIZE,f),"
    "(resource.RLIMIT_NOFILE,n),(resource.RLIMIT_CORE,0)):\n"
    "    resource.setrlimit(what,(most,most))\n"
    "os.execv(sys.argv[5],sys.argv[5:])\n"
)
_HINT = "see CUELIGHT_GRADER_COMMANDS and what the program writes to its error output"
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds of time in all and of work, bytes of memory, input and output, and files that may be open at once."""

    seconds: float = 10.0
    memory: int = 1024 * 1024 * 1024
    input: int = 4 * 1024 * 1024
    output: int = 1024 * 1024
    files: int = 64


def run(argv: Sequence[str], given: bytes, limits: Limits, what: str) -> bytes:
    """What the program prints when it is given this on its standard input; `what` is its name in words.

    Invalid where the input is too big, Unavailable where it fails, lasts too long or prints too much. It stands in an
    empty folder of its own, with an empty environment, and whatever it started ends with it.
    """
    if len(given) > limits.input:
        raise Invalid(f"{what} would be given {len(given)} bytes, at most {limits.input} are", "shorten the output")
    with (
        tempfile.TemporaryDirectory(prefix="cuelight-") as folder,
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as errors,
    ):
        asked.write(given)
        asked.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  the words of an administrator, no shell
                _limited(argv, limits),
                stdin=asked,
                stdout=said,
                stderr=errors,
                env={},
                cwd=folder,
                start_new_session=True,
                close_fds=True,
            )
        except OSError as bad:
            raise Unavailable(f"{what} cannot be started: {bad.strerror}", _HINT) from bad
        ended = _ended(process, limits.seconds)
        if ended is None:
            raise Unavailable(f"{what} took longer than {limits.seconds:g} s", _HINT)
        if os.fstat(said.fileno()).st_size >= limits.output:
            raise Unavailable(f"{what} printed more than {limits.output} bytes", _HINT)
        if ended != 0:
            raise Unavailable(f"{what} failed ({_how(ended)}){_words(errors)}", _HINT)
        said.seek(0)
        return said.read(limits.output)


def _limited(argv: Sequence[str], limits: Limits) -> list[str]:
    numbers = (int(limits.seconds) + 1, limits.memory, limits.output, limits.files)
    return [sys.executable, "-I", "-S", "-c", _BEFORE, *map(str, numbers), *argv]


def _ended(process: subprocess.Popen[bytes], most_s: float) -> int | None:
    """Its exit code, None where its time was over; either way nothing of its group goes on."""
    try:
        return process.wait(most_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _how(ended: int) -> str:
    return f"signal {-ended}" if ended < 0 else f"exit {ended}"


def _words(errors: IO[bytes]) -> str:
    errors.seek(0)
    text = " ".join(errors.read(64 * 1024).decode("utf-8", "replace").split())
    return f": {text[-_SHOWN:]}" if text else ""
