"""The hot door: how many snapshots one server process hands out, beside a bare Starlette route with the same bytes."""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.bare import ETAG, PATH
from benchmarks.client import snapshot_document
from benchmarks.figures import figure
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight_server.app import serve
from cuelight_server.control.access import issue_key
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.terms import Environment
from cuelight_server.routing import store
from cuelight_server.routing.model import Published

CONNECTIONS, SECONDS, ROUNDS = 16, 3.0, 3
PLACE = "production"


def prepare(folder: Path, prompts: int = 20) -> str:
    """A desk whose production serves a snapshot of so many prompts; returns an app's key."""
    desk = create_desk(folder)
    with transaction(desk.registry, Intent.WRITE) as sql:  # a benchmark may walk past the door: its desk is thrown away
        body = canonical({**snapshot_document(prompts), "epoch": desk.epoch})
        published = Published(version=store.raise_version(sql, PLACE), digest=digest_bytes(body), body=body)
        store.save_snapshot(sql, PLACE, published, rfc3339(desk.clock()))
    key = issue_key(desk, SYSTEM, "bench", Environment.PRODUCTION)
    desk.close()
    return key


def serve_desk(folder: str) -> None:
    """The measured server."""
    serve(open_desk(Path(folder)), port=0, listening=lambda url: print(url, flush=True))


@contextmanager
def running(what: str, argument: str) -> Iterator[tuple[str, int]]:
    """One of the two servers in its own process: its URL and its process id. The bare one imports nothing of ours."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    module = {"desk": "benchmarks.snapshot", "bare": "benchmarks.bare"}[what]
    command = [sys.executable, "-m", module, argument]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait(10)


def load(url: str, head: str = "", seconds: float = SECONDS) -> tuple[float, float]:
    """(requests a second, 99th percentile in milliseconds) over CONNECTIONS kept open, each asking again at once."""
    place = urlsplit(url)
    request = f"GET {PATH} HTTP/1.1\r\nHost: bench\r\n{head}\r\n".encode()
    address = (str(place.hostname), int(place.port or 0))
    size = _answer_size(address, request)
    ready = selectors.DefaultSelector()
    waiting: dict[int, list[float]] = {}
    for _ in range(CONNECTIONS):
        one = socket.create_connection(address)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.register(one, selectors.EVENT_READ)
        waiting[one.fileno()] = [time.perf_counter(), 0]
        one.sendall(request)
    took: list[float] = []
    begun = now = time.perf_counter()
    while now - begun < seconds:
        for event, _ in ready.select():
            one = event.fileobj
            assert isinstance(one, socket.socket)
            state = waiting[event.fd]
            state[1] += len(one.recv(1 << 18))
            if state[1] < size:
                continue
            now = time.perf_counter()
            took.append(now - state[0])
            waiting[event.fd] = [now, 0]
            one.sendall(request)
    for key in list(ready.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # every one is a socket
    took.sort()
    return len(took) / (now - begun), took[int(len(took) * 0.99)] * 1000


def _answer_size(address: tuple[str, int], request: bytes) -> int:
    """Bytes of one whole answer; every later one has as many."""
    with socket.create_connection(address) as one:
        one.sendall(request)
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += one.recv(1 << 18)
        head, _, body = seen.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0] or b" 304 " in head.split(b"\r\n")[0], head
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        rest = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < rest:
            body += one.recv(1 << 18)
        return len(head) + 4 + rest


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(url: str, pid: int, head: str = "") -> tuple[float, float, float]:
    """(best requests a second, its p99 in ms, requests a second of processor time) of several rounds."""
    load(url, head, 0.5)
    rounds = []
    for _ in range(ROUNDS):
        before = cpu_seconds(pid)
        rate, p99 = load(url, head)
        rounds.append((rate, p99, rate * SECONDS / (cpu_seconds(pid) - before)))
    return max(rounds)


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part; the desk's server checks the key and looks for a newer snapshot, the peer does not."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "desk"
        head = f"Authorization: Bearer {prepare(folder)}\r\n"
        with running("desk", str(folder)) as (url, pid):
            rate, p99, per_core = measured(url, pid, head)
            etag = _etag(url, head)
            same, same_p99, _ = measured(url, pid, f"{head}If-None-Match: {etag}\r\n")
        body = Path(scratch) / "body"
        body.write_bytes(canonical(snapshot_document(20)))
        with running("bare", str(body)) as (url, pid):
            bare, bare_p99, bare_core = measured(url, pid)
            bare_same, bare_same_p99, _ = measured(url, pid, f"If-None-Match: {ETAG}\r\n")
    yield figure("snapshot.rps", rate, "1/s", bare)
    yield figure("snapshot.p99_ms", p99, "ms", bare_p99)
    yield figure("snapshot.rps_per_core", per_core, "1/s", bare_core)
    yield figure("snapshot.not_modified_rps", same, "1/s", bare_same)
    yield figure("snapshot.not_modified_p99_ms", same_p99, "ms", bare_same_p99)


def _etag(url: str, head: str) -> str:
    place = urlsplit(url)
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as one:
        one.sendall(f"GET {PATH} HTTP/1.1\r\nHost: bench\r\n{head}\r\n".encode())
        lines = one.recv(1 << 16).split(b"\r\n")
    return next(line.partition(b":")[2].strip().decode() for line in lines if line.lower().startswith(b"etag:"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve_desk(sys.argv[1])
    else:
        for one in figures():
            print(json.dumps(one))
