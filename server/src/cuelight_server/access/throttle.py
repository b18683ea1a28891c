"""How long somebody waits who failed to sign in: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures are free; each one more doubles the wait, from a second up to `most`; a quiet time forgives all."""

    free: int
    most: timedelta
    forgiven: timedelta


# One account may be locked out by a stranger, so its wait is short; a source waits long, but many may share one.
ACCOUNT = Limit(free=5, most=timedelta(minutes=1), forgiven=timedelta(hours=12))
SOURCE = Limit(free=20, most=timedelta(minutes=15), forgiven=timedelta(hours=12))
MOST_ROWS = 10_000  # what is kept of strangers has an end: the oldest go first


def wait(limit: Limit, failures: int) -> timedelta:
    """How long after the last of so many failures the next attempt is looked at."""
    over = failures - limit.free
    if over <= 0:
        return timedelta(0)
    return min(limit.most, timedelta(seconds=2 ** min(over - 1, 20)))


def counted(limit: Limit, failures: int, last: datetime | None, now: datetime) -> int:
    """The failures together with one now."""
    old = last is None or now - last > limit.forgiven
    return 1 if old else failures + 1


def key_of(what: str, value: str) -> str:
    """The name under which tries are kept: a hash, for a person may type anything into a field."""
    return sha256(f"{what}:{value}".encode(errors="replace")).hexdigest()
