"""How often noise blocks an unchanged version, and how often a real loss is found; the peer counts each case that fails now."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import figure
from cuelight_server.evaluation.model import Finding
from cuelight_server.evaluation.statistics import Pair, compare
from cuelight_server.evaluation.statistics.breaks import broken
from cuelight_server.evaluation.statistics.settings import Settings

SIZES, SAMPLES = (30, 100, 300), (1, 3, 5)
HOW = Settings()
Runs = list[list[Pair]]


def figures(times: int = 1000) -> Iterator[dict[str, Any]]:
    """Each sample passes nine times of ten; the loss is of ten points."""
    for cases in SIZES:
        for samples in SAMPLES:
            for name, now in (("blocked_unchanged", 0.9), ("found_10_points", 0.8)):
                runs = list(_runs(cases, samples, now, times))
                ours, naive = _share(runs, _blocked), _share(runs, _naive)
                yield figure(f"noise.{name}_pct.{cases}x{samples}", ours, "%", max(naive, 100 / times))


def _runs(cases: int, samples: int, now: float, times: int) -> Iterator[list[Pair]]:
    draw = random.Random(f"{cases} {samples} {now}")

    def passes(share: float) -> int:
        return sum(draw.random() < share for _ in range(samples))

    for _ in range(times):
        yield [Pair(str(at), "", passes(now), passes(0.9), samples) for at in range(cases)]


def _share(runs: Runs, blocks: Callable[[list[Pair]], bool]) -> float:
    return 100 * sum(map(blocks, runs)) / len(runs)


def _blocked(found: list[Pair]) -> bool:
    return compare(found, HOW).finding is Finding.HARM or bool(broken(found, HOW.alpha / 2))


def _naive(found: list[Pair]) -> bool:
    """A case passes where most of its samples do, and none may pass in production and fail here."""
    return any(2 * one.passed < one.of <= 2 * one.before for one in found)
