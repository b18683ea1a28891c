"""Counts that wait in memory until they are written: by the minute, and bounded whatever comes in."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
MOST = 32  # different ones in a minute; what is above counts as `other`


class Tally(Generic[K]):
    """How often what happened in each minute; safe to share between threads."""

    def __init__(self, other: K, most: int = MOST) -> None:
        """`other` stands for all that is above `most` different keys in one minute."""
        self._other = other
        self._most = most
        self._lock = Lock()
        self._minutes: dict[datetime, dict[K, int]] = {}

    def add(self, key: K, at: datetime) -> None:
        """One more of this."""
        minute = at.replace(second=0, microsecond=0)
        with self._lock:
            counts = self._minutes.setdefault(minute, {})
            known = key in counts or len(counts) < self._most
            counts[key if known else self._other] = counts.get(key if known else self._other, 0) + 1

    def take(self, before: datetime) -> list[tuple[datetime, K, int]]:
        """What was counted in the minutes that ended by then, oldest first; it is forgotten here."""
        with self._lock:
            over = sorted(minute for minute in self._minutes if minute + timedelta(minutes=1) <= before)
            return [(minute, key, count) for minute in over for key, count in self._minutes.pop(minute).items()]

    def put_back(self, counted: list[tuple[datetime, K, int]]) -> None:
        """What could not be written waits again."""
        with self._lock:
            for minute, key, count in counted:
                counts = self._minutes.setdefault(minute, {})
                counts[key] = counts.get(key, 0) + count
