"""Recording calls: what the apps tell, checked and kept, once each."""

import json
from dataclasses import dataclass

from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied, Invalid
from cuelight_server.routing import store as routing
from cuelight_server.telemetry import store
from cuelight_server.telemetry.rules import keep, unserved
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
    again is safe. Invalid when one does not fit, or is of a prompt that was never served there: then none is kept.
    """
    if app.environment is None:
        raise Denied(f"{app.id} has no environment", "calls are recorded with an app's key")
    calls = read_calls(body, app.environment.value)
    if not calls:
        return Recorded(0, 0)
    with reading(desk.registry) as sql:
        odd = unserved(calls, routing.ever_served(sql, app.environment.value))
    if odd is not None:
        raise Invalid(f"{odd.prompt} was never served in {odd.environment}", f"the call {odd.id} cannot be of this app")
    policies = _policies(desk, app.environment.value)
    calls = [keep(one, policies.get(one.prompt, _HASH_ONLY)) for one in calls]
    with operational(desk.calls) as sql:
        new = store.insert_new(sql, calls)
    return Recorded(new, len(calls) - new)


def _policies(desk: Desk, environment: str) -> dict[str, str]:
    """Prompt -> what may be kept of its calls, as the newest snapshot of the environment tells its clients.

    Where the deployments of one prompt differ, as little as can be.
    """
    with reading(desk.registry) as sql:
        newest = routing.snapshot(sql, environment, routing.version(sql, environment))
    if newest is None:
        return {}
    listed = json.loads(newest.body)["deployments"].items()
    said = {name: {one["trace"]["content"] for one in deployments.values()} for name, deployments in listed}
    return {name: next(iter(found)) if len(found) == 1 else _HASH_ONLY for name, found in said.items()}
