"""What the clients tell about themselves: which snapshot they serve."""

from collections.abc import Sequence
from dataclasses import dataclass

from cuelight_server.control.desk import Desk
from cuelight_server.db.operational import operational
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.routing import store
from cuelight_server.routing.model import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One client serves this snapshot version of this epoch in this environment."""

    client: str
    app: str
    environment: str
    epoch: str
    version: int


def acknowledge(desk: Desk, acks: Sequence[Ack]) -> None:
    """Renew the leases of these clients; several acknowledgements of one client count as the last one."""
    newest = {(ack.client, ack.environment): ack for ack in acks}
    at = rfc3339(desk.clock())
    with operational(desk.registry) as sql:
        for ack in newest.values():
            store.see(sql, _seen(ack, at))


def _seen(ack: Ack, at: str) -> Seen:
    return Seen(
        client=ack.client, app=ack.app, environment=ack.environment, epoch=ack.epoch, version=ack.version, at=at
    )
