"""The form of a figure: one measured value beside its peer or physical limit, both measured in the same run."""

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

NAMES = ("name", "value", "unit", "peer", "ratio")


def figure(name: str, value: float, unit: str, peer: float) -> dict[str, Any]:
    """One figure; `ratio` is value / peer."""
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "peer": round(peer, 4),
        "ratio": round(value / peer, 2),
    }


def skipped(names: str, why: str) -> None:
    """Say on stderr which figures are not there, and what would bring them."""
    print(f"skipped {names}: {why}", file=sys.stderr, flush=True)


def best(work: Callable[[], object], loops: int, rounds: int) -> float:
    """Microseconds of one call, the best of several rounds: the others measure the neighbours."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(loops):
            work()
        found.append((time.perf_counter() - begun) / loops)
    return min(found) * 1e6


def in_turns(ours: Callable[[], object], peer: Callable[[], object], times: int) -> tuple[float, float]:
    """Median microseconds of both, measured in turns, so that a disk or a neighbour that has a slow second slows both."""
    for work in (ours, peer):
        work()
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for work, kept in ((ours, took[0]), (peer, took[1])):
            begun = time.perf_counter()
            work()
            kept.append(time.perf_counter() - begun)
    return median(took[0]) * 1e6, median(took[1]) * 1e6
