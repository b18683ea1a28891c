"""What the clients tell about themselves: which snapshot they serve, and that they are gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection
from cuelight_server.db.operational import operational
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.routing import store
from cuelight_server.routing.model import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One client of an app serves this snapshot version of this epoch in this environment; `bye` = it ends now.

    `app` is whose key it was, not what the client calls itself: one app cannot speak for the clients of another.
    """

    client: str
    app: str
    environment: str
    epoch: str
    version: int
    bye: bool = False


def acknowledge(desk: Desk, acks: Sequence[Ack]) -> frozenset[Ack]:
    """Renew the leases of these clients; several acknowledgements of one client count as the last one.

    Returns those that cannot be true and were not kept: of another epoch, or of a snapshot that is not there yet.
    """
    last = {(ack.app, ack.client, ack.environment): ack for ack in acks}
    at = rfc3339(desk.clock())
    with operational(desk.registry) as sql:
        newest = {place: store.version(sql, place) for place in {ack.environment for ack in acks}}
        untrue = frozenset(ack for ack in acks if not _possible(desk, ack, newest[ack.environment]))
        for ack in last.values():
            if ack not in untrue:
                _keep(sql, ack, at)
    return untrue


def _possible(desk: Desk, ack: Ack, newest: int) -> bool:
    return ack.bye or (ack.epoch == desk.epoch and ack.version <= newest)


def _keep(sql: Connection, ack: Ack, at: str) -> None:
    if ack.bye:
        store.forget(sql, ack.app, ack.client, ack.environment)
        return
    seen = {"client": ack.client, "app": ack.app, "environment": ack.environment}
    store.see(sql, Seen(**seen, epoch=ack.epoch, version=ack.version, at=at))
