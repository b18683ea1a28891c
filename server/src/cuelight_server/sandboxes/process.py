"""Python as a process of its own: a text in, a text out, an empty environment, an empty folder, and limits on all it takes.

A limit is not a sandbox: a program may read what the desk's own user may read. It runs only what an operator allowed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuelight_server.kernel.errors import Invalid, Unavailable

_SHOWN = 500
OUT_OF_MEMORY = 77  # how our own runner ends then

# Runs in the child before anything else: no rights of an administrator, no network, limits that nothing can lift.
LIMITER = """
import os, resource, sys
def limit(what, most):
    resource.setrlimit(what, (most, most))
def apart(flags):
    try:
        import ctypes
        return ctypes.CDLL(None).unshare(flags) == 0
    except (ImportError, AttributeError, OSError):
        return False
cpu, memory, file, processes, strange = map(int, sys.argv[1:6])
if strange:
    alone = apart(0x40000000)
    if os.geteuid() == 0:
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    alone or apart(0x10000000 | 0x40000000)
limit(resource.RLIMIT_CPU, cpu); limit(resource.RLIMIT_FSIZE, file); limit(resource.RLIMIT_CORE, 0)
limit(resource.RLIMIT_NOFILE, 64); limit(resource.RLIMIT_AS, memory)
if processes >= 0:
    limit(resource.RLIMIT_NPROC, processes)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a process may take: seconds on the clock and on the CPU, bytes of memory and of what it writes.

    `processes` is how many it may start, -1 for no limit. `strange`: nobody of this desk wrote it, so it runs without an
    administrator's rights, and without a network where the system can do that.
    """

    seconds: float = 10.0
    cpu_seconds: int = 5
    memory: int = 1 << 30
    output: int = 1_000_000
    processes: int = -1
    strange: bool = False

    def arguments(self) -> list[str]:
        """For the limiter."""
        return [str(int(one)) for one in (self.cpu_seconds, self.memory, self.output, self.processes, self.strange)]


def limited(arguments: Sequence[str], text: str, bounds: Bounds) -> str:
    """Start Python itself with these arguments, give it a text, and read what it prints. Unavailable names what went wrong."""
    with tempfile.TemporaryDirectory(prefix="cuelight-") as folder:
        place = Path(folder)
        place.chmod(0o777)  # the process may be of another user; the folder above is private
        (place / "out").touch()
        with (place / "out").open("w+b") as out, (place / "err").open("w+b") as err:
            ended = _run(arguments, text, bounds, place, (out, err))
            out.seek(0)
            err.seek(0)
            printed, complained = out.read(bounds.output + 1), err.read(_SHOWN * 4)
    if ended == 0 and len(printed) <= bounds.output:
        return printed.decode("utf-8", "replace")
    raise Unavailable(_why(ended, complained, bounds), "see what it does with this output, or give it less to do")


def _run(arguments: Sequence[str], text: str, bounds: Bounds, place: Path, outs: tuple[Any, Any]) -> int | None:
    """How it ended; None where it ran too long. Everything that it started ends with it."""
    process = subprocess.Popen(  # noqa: S603  this interpreter, with our own limiter first
        [sys.executable, "-I", "-S", *arguments],
        stdin=subprocess.PIPE,
        stdout=outs[0],
        stderr=outs[1],
        cwd=place,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(place), "TMPDIR": str(place)},
        start_new_session=True,
        close_fds=True,
    )
    try:
        process.communicate(text.encode("utf-8", "surrogatepass"), timeout=bounds.seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _why(ended: int | None, complained: bytes, bounds: Bounds) -> str:
    if ended is None:
        return f"it ran longer than {bounds.seconds:g} s"
    if ended in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"it used more than {bounds.cpu_seconds} s of CPU, or was killed"
    if ended == OUT_OF_MEMORY:
        return f"it took more than {bounds.memory >> 20} MB"
    if ended in (0, -signal.SIGXFSZ):
        return f"it printed more than {bounds.output} bytes"
    last = complained.decode("utf-8", "replace").strip().splitlines()[-1:] or ["without a word"]
    return f"it ended with {ended}: {last[0][:_SHOWN]}"


def read_json(text: str, who: str) -> Any:
    """The JSON value that a program printed; no NaN. Invalid where it is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as bad:
        raise Invalid(
            f"{who} printed no JSON: {text[:80]!r}", "it has to print one JSON value and nothing else"
        ) from bad


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
