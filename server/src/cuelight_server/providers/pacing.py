"""How fast a provider may be asked: so many requests and tokens a minute, so many at once, and a pause when it says so."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MINUTE = 60.0
_HAIR = 1e-6  # seconds: sums of shares never come out even


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Limits of one provider; None is no limit."""

    requests_a_minute: int | None = None
    tokens_a_minute: int | None = None
    at_once: int = 8


class Pace:
    """One provider's pace, shared by every run of this process.

    Requests and tokens are buckets that fill up evenly. A request that is larger than the whole bucket of tokens waits
    until the bucket is full, and then leaves it in debt.
    """

    def __init__(
        self,
        rates: Rates,
        *,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with full buckets of a tenth of a minute: no burst of a whole minute at the start."""
        self.at_once = rates.at_once
        self._rates, self._seconds, self._sleep = rates, seconds, sleep
        self._turns = threading.BoundedSemaphore(rates.at_once)
        self._lock = threading.Lock()
        self._at = seconds()
        self._requests = max(1.0, (rates.requests_a_minute or 0) / 10)
        self._tokens = (rates.tokens_a_minute or 0) / 10
        self._paused_until = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One of the calls at once."""
        with self._turns:
            yield

    def wait(self, tokens: int) -> None:
        """Until one more request with about so many tokens is within the limits, and no pause is on."""
        while (pause := self._take(tokens)) > 0:
            self._sleep(pause)

    def settle(self, guessed: int, used: int) -> None:
        """How many tokens it really was."""
        with self._lock:
            self._tokens += guessed - used

    def pause(self, seconds: float) -> None:
        """The provider asked for a pause: it holds for everybody."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._seconds() + seconds)

    def _take(self, tokens: int) -> float:
        """Seconds to wait; 0 where the request was taken."""
        with self._lock:
            now = self._seconds()
            self._fill(now)
            pause = max(self._paused_until - now, self._short(tokens))
            if pause <= _HAIR:
                self._requests -= 1
                self._tokens -= tokens
            return pause if pause > _HAIR else 0.0

    def _fill(self, now: float) -> None:
        passed, self._at = now - self._at, now
        if (rate := self._rates.requests_a_minute) is not None:
            self._requests = min(max(1.0, rate / 10), self._requests + passed * rate / _MINUTE)
        if (rate := self._rates.tokens_a_minute) is not None:
            self._tokens = min(rate / 10, self._tokens + passed * rate / _MINUTE)

    def _short(self, tokens: int) -> float:
        waits = [0.0]
        if (rate := self._rates.requests_a_minute) is not None:
            waits.append((1 - self._requests) * _MINUTE / rate)
        if (rate := self._rates.tokens_a_minute) is not None:
            waits.append((min(tokens, rate / 10) - self._tokens) * _MINUTE / rate)
        return max(waits)
