"""What an account holds in a workflow at this moment, and which workflows are there for it."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection
from cuelight_server.governance import store as governance
from cuelight_server.governance.model import EVERYWHERE
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.terms import ActorKind, Held, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.governed import people_in

Owners = Mapping[str, Mapping[str, Any]]
_MACHINES = (ActorKind.SERVICE, ActorKind.AGENT)


def roles_in(owners: Owners, person: str) -> frozenset[Role]:
    """The roles that a person holds, as the first or as the backup."""
    known = {role.value for role in Role}
    return frozenset(
        Role(role) for role, who in owners.items() if role in known and person in (who.get("person"), who.get("backup"))
    )


def held_in(desk: Desk, sql: Connection, actor: Actor, workflow: str, owners: Owners) -> frozenset[Held]:
    """Everything the account holds: a person by owning or being let in, a machine only by being let in.

    On a local desk its one person tries out anything: nothing there is ever served or opens a gate.
    """
    if actor.kind is ActorKind.PERSON and desk.local:
        return frozenset(Role)
    if actor.kind is not ActorKind.PERSON and actor.kind not in _MACHINES:
        return frozenset()
    given = [one.held for one in governance.memberships(sql, actor.id) if one.workflow == workflow]
    granted = frozenset(one for one in given if one is not None)
    return granted if actor.kind in _MACHINES else granted - frozenset(Role) | roles_in(owners, actor.id)


def sees(desk: Desk, sql: Connection, actor: Actor, workflow: str) -> bool:
    """Whether the workflow is there for this account: it holds something in it, is handed something, or sees all."""
    if desk.local or actor.admin or actor.kind is ActorKind.SYSTEM:
        return True
    places = governance.memberships(sql, actor.id)
    if any(one.workflow in (workflow, EVERYWHERE) for one in places):
        return True
    if workflow in governance.receiving(sql, actor.id):
        return True
    known = prompts.workflow(sql, workflow)
    return known is not None and actor.kind is ActorKind.PERSON and actor.id in people_in(known.document)
