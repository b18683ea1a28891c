"""The lease of a running evaluation: one worker holds it and renews it; when that worker is gone, another takes over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.evaluation import store
from cuelight_server.evaluation.store import Stored
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Conflict, CuelightError

LEASE = timedelta(seconds=30)
MOST_STARTS = 2  # without an end: then it is not the process that is at fault
_BEATS = 3  # renewals within one lease


class Lost(Conflict):
    """Another worker has taken the evaluation over: whatever this one has is not to be written down."""


def claim(desk: Desk, id: str, worker: str) -> bool:
    """It is this worker's from now on; False where somebody else was first."""
    with operational(desk.registry) as sql:
        return store.claim(sql, id, worker, rfc3339(desk.clock()))


@contextmanager
def held(desk: Desk, id: str, worker: str) -> Iterator[None]:
    """Keep the lease alive while the block runs, however long one answer takes."""
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(desk, id, worker, done), name="cuelight-lease", daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join()


def expired(desk: Desk) -> list[Stored]:
    """Evaluations that say they are running and whose worker was not heard of for as long as a lease lasts."""
    with reading(desk.registry) as sql:
        left = [one for id in store.running(sql) if (one := store.load(sql, id)) is not None]
    before = _limit(desk) if left else ""
    return [one for one in left if (one.heartbeat_at or "") < before]


def take(desk: Desk, one: Stored, worker: str) -> bool:
    """Take an expired lease over; False where its worker was heard of in the meantime."""
    with operational(desk.registry) as sql:
        return store.take(sql, one.id, worker, _limit(desk), rfc3339(desk.clock()))


def _limit(desk: Desk) -> str:
    return rfc3339(desk.clock() - LEASE)


def _beat(desk: Desk, id: str, worker: str, done: threading.Event) -> None:
    while not done.wait(LEASE.total_seconds() / _BEATS):
        with suppress(CuelightError), operational(desk.registry) as sql:  # busy: the next beat is soon enough
            store.renew(sql, id, worker, rfc3339(desk.clock()))
