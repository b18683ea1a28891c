"""Recording calls: what the apps tell, checked and kept, once each."""

import json
from dataclasses import dataclass

from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied
from cuelight_server.routing import store as routing
from cuelight_server.routing.publish import workflow_of
from cuelight_server.telemetry import store
from cuelight_server.telemetry.rules import keep
from cuelight_server.telemetry.wire import read_calls

_HASH_ONLY = "hash_only"


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many calls were new, and how many were known already."""

    new: int
    known: int


def record_calls(desk: Desk, app: Actor, body: bytes) -> Recorded:
    """Keep the calls of a request body; their environment is the key's, whatever they say.

    What the workflow's trace policy does not allow is not kept. A call whose id is known stays as it is, so sending
    again is safe. Invalid when one does not fit: then none is kept.
    """
    if app.environment is None:
        raise Denied(f"{app.id} has no environment", "calls are recorded with an app's key")
    calls = read_calls(body, app.environment.value)
    if not calls:
        return Recorded(0, 0)
    policies = _policies(desk, app.environment.value)
    calls = [keep(one, policies.get(workflow_of(one.prompt), _HASH_ONLY)) for one in calls]
    with operational(desk.calls) as sql:
        new = store.insert_new(sql, calls)
    return Recorded(new, len(calls) - new)


def _policies(desk: Desk, environment: str) -> dict[str, str]:
    """Workflow -> what may be kept of its calls, as the newest snapshot of the environment tells its clients."""
    with reading(desk.registry) as sql:
        newest = routing.snapshot(sql, environment, routing.version(sql, environment))
    if newest is None:
        return {}
    return {name: trace["content"] for name, trace in json.loads(newest.body)["trace"].items()}
