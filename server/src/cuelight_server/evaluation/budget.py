"""The purse of one run: what is kept back before a call, and what was spent after it; no limit is crossed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cuelight_server.evaluation.plan import Plan

_HAIR = 1e-12


@dataclass(slots=True)
class Spend:
    """What a run has cost so far. `usd` is what is known of it, `unpriced` how many calls have no known cost."""

    calls: int = 0  # put to the provider and ended, in an answer or not
    cached: dict[str, int] = field(default_factory=dict)  # arm -> answers that stood in from the cache
    retried: int = 0
    errors: int = 0
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "calls": self.calls,
            "cached": dict(sorted(self.cached.items())),
            "retried": self.retried,
            "errors": self.errors,
            "usd": round(self.usd, 10),
            "unpriced": self.unpriced,
            "seconds": round(self.seconds, 1),
        }


class Budget:
    """Asked from several threads. `seconds` tells how long the run has gone on, starts before this one included."""

    def __init__(self, plan: Plan, spend: Spend, seconds: Callable[[], float]) -> None:
        """`spend` is what earlier starts of the run have spent; it is written on."""
        self.plan, self.spend = plan, spend
        self.seconds = seconds
        self._held_usd, self._held_calls = 0.0, 0
        self._lock = threading.Lock()

    def reserve(self, most_usd: float | None) -> str:
        """Keep back what one call can cost at most; where that could cross a limit, which one, and nothing is kept back."""
        with self._lock:
            why = self._crossed(most_usd)
            if not why:
                self._held_usd += most_usd or 0.0
                self._held_calls += 1
            return why

    def settle(self, most_usd: float | None, usd: float | None, *, error: bool = False) -> None:
        """A call has ended: what it really was."""
        with self._lock:
            self._held_usd -= most_usd or 0.0
            self._held_calls -= 1
            self.spend.calls += 1
            self.spend.errors += error
            self.spend.usd += usd or 0.0
            self.spend.unpriced += usd is None and not error

    def cached(self, arm: str) -> None:
        """An answer stood in."""
        with self._lock:
            self.spend.cached[arm] = self.spend.cached.get(arm, 0) + 1

    def again(self) -> bool:
        """Whether a call may be tried once more; counted as one that was retried."""
        with self._lock:
            if self._calls_left() < 1 or self._late():
                return False
            self.spend.retried += 1
            return True

    def left_s(self) -> float | None:
        """Seconds until the limit of time; None without one."""
        return None if self.plan.max_seconds is None else max(0.0, self.plan.max_seconds - self.seconds())

    def late(self) -> str:
        """The limit of time, where it is over."""
        return f"stopped at the limit of {self.plan.max_seconds:g} s" if self._late() else ""

    def _late(self) -> bool:
        return self.plan.max_seconds is not None and self.seconds() >= self.plan.max_seconds

    def _calls_left(self) -> float:
        if self.plan.max_calls is None:
            return float("inf")
        return self.plan.max_calls - self.spend.calls - self.spend.retried - self._held_calls

    def _crossed(self, most_usd: float | None) -> str:
        if self._calls_left() < 1:
            return f"the limit of {self.plan.max_calls} calls"
        limit = self.plan.max_usd
        if limit is None:
            return ""
        if most_usd is None:
            return f"the limit of ${limit:g}, since nobody knows what a call may cost,"
        if self.spend.usd + self._held_usd + most_usd > limit + _HAIR:
            return f"the limit of ${limit:g} (${self.spend.usd:.5f} spent, the next call may cost ${most_usd:.5f})"
        return ""
