"""Attempts to come in, counted before they are looked at: whoever fails often waits."""

from cuelight_server.access import store, throttle
from cuelight_server.access.model import Tries
from cuelight_server.access.throttle import ACCOUNT, SOURCE, Limit
from cuelight_server.control.desk import Desk
from cuelight_server.db.operational import operational
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Denied

Counted = tuple[tuple[str, Limit], ...]


def count(desk: Desk, who: str | None, source: str) -> Counted:
    """Count an attempt of this source, on this account if one was named; Denied (`retry_after` seconds) for who must wait.

    The attempt counts as failed until `forgive` says otherwise, so many at once are no way around. An account that
    there is not is counted like one that there is.
    """
    counted: Counted = ((throttle.key_of("source", source), SOURCE),)
    if who is not None:
        counted += ((throttle.key_of("account", who), ACCOUNT),)
    now = desk.clock()
    with operational(desk.registry) as sql:
        found = store.tries(sql, [key for key, _ in counted], rfc3339(now))
        wait = max((parse(one.until) - now).total_seconds() if one.until else 0.0 for one in found)
        if wait <= 0:
            for tries, (key, limit) in zip(found, counted, strict=True):
                failures = throttle.counted(limit, tries.failures, parse(tries.last_at), now)
                pause = throttle.wait(limit, failures)
                new = Tries(
                    key=key, failures=failures, last_at=rfc3339(now), until=rfc3339(now + pause) if pause else ""
                )
                store.save_tries(sql, new)
            store.drop_oldest_tries(sql, throttle.MOST_ROWS)
    if wait > 0:
        seconds = int(wait) + 1
        raise Denied("too many attempts", f"wait {seconds} s, then try again", retry_after=seconds)
    return counted


def forgive(desk: Desk, counted: Counted) -> None:
    """The attempt was none: forget those on the account, and one of the source's."""
    now = rfc3339(desk.clock())
    with operational(desk.registry) as sql:
        for tries, (key, limit) in zip(store.tries(sql, [key for key, _ in counted], now), counted, strict=True):
            if limit is ACCOUNT or tries.failures <= 1:
                store.forgive(sql, key)
            else:
                less = Tries(key=key, failures=tries.failures - 1, last_at=tries.last_at, until="")
                store.save_tries(sql, less)
