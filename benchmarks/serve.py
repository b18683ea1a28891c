"""The whole server at rest: how much memory it holds, beside a bare Starlette server."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import figure
from benchmarks.snapshot import prepare, running


def resident_mb(pid: int) -> float:
    """Megabytes of physical memory that a process holds (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def idle() -> dict[str, Any]:
    """Megabytes after start, first requests and a rest; worker and pages are in it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "desk"
        prepare(folder)
        command = [sys.executable, "-m", "cuelight_server.cli", "serve", "--data", str(folder), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[3].rstrip(",")
            for path in ("/healthz", "/signin", "/"):
                urllib.request.urlopen(url + path).read()
            time.sleep(2)
            value = resident_mb(process.pid)
        finally:
            process.terminate()
            process.wait(10)
        body = Path(scratch) / "body"
        body.write_bytes(b"{}")
        with running("bare", str(body)) as (url, pid):
            urllib.request.urlopen(f"{url}/runtime/v1/snapshot").read()
            time.sleep(1)
            peer = resident_mb(pid)
    return figure("serve.idle_mb", value, "MB", peer)


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part."""
    yield idle()


if __name__ == "__main__":
    for one in figures():
        print(json.dumps(one))
