"""What a key costs at the door, beside the least that it could: one row read and one SHA-256."""

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.client import figure
from cuelight_server.control.access import authenticate, issue_key
from cuelight_server.control.opening import create_desk
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment

_KEYS, _TIMES, _ROUNDS = 1000, 500, 7


def microseconds(what: Callable[[], object]) -> float:
    """The median over rounds of the time that one call takes."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for _ in range(_TIMES):
            what()
        rounds.append((time.perf_counter() - began) / _TIMES * 1e6)
    return median(rounds)


def check() -> dict[str, Any]:
    """`authenticate` on a desk with a thousand keys; the peer reads one row of the same file over sqlite3 and hashes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "desk"
        desk = create_desk(folder)
        for at in range(_KEYS):
            text = issue_key(desk, SYSTEM, f"app{at % 50}", Environment.PRODUCTION)
        id, secret = text.split("_")[2:4]
        value = microseconds(lambda: authenticate(desk, text))
        raw = sqlite3.connect(folder / "registry.db")

        def bare() -> None:
            row = raw.execute("SELECT secret_hash FROM token WHERE id = ?", (id,)).fetchone()
            assert row[0] == sha256(secret.encode()).hexdigest()

        peer = microseconds(bare)
        raw.close()
        desk.close()
    return figure("key.check_us", value, "us", peer)


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part."""
    yield check()


if __name__ == "__main__":
    for one in figures():
        print(json.dumps(one))
