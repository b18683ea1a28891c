"""Time: the one place that asks the machine what time it is, and the one way that times are written."""

from collections.abc import Callable
from datetime import UTC, datetime

from cuelight_server.kernel.errors import Invalid

Clock = Callable[[], datetime]  # gives an aware time in UTC


def system_clock() -> datetime:
    """The machine's time, aware, in UTC."""
    return datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """`2026-01-05T09:00:00.000000Z`: always UTC and microseconds, so that text order is time order.

    Invalid when the time has no zone.
    """
    if at.tzinfo is None:
        raise Invalid(f"the time {at} has no zone", "give times in UTC")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware UTC time that `rfc3339` wrote, or any RFC 3339 text with a zone; Invalid otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as bad:
        raise Invalid(f"{text!r} is no time", "write it like 2026-01-05T09:00:00Z") from bad
    if at.tzinfo is None:
        raise Invalid(f"the time {text!r} has no zone", "add Z, or an offset such as +01:00")
    try:
        return at.astimezone(UTC)
    except OverflowError as bad:
        raise Invalid(f"{text!r} is no time in UTC", "write it like 2026-01-05T09:00:00Z") from bad
