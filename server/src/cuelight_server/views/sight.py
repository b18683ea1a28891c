"""What is there for somebody: the workflows that they hold something in, or the whole desk."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import REFUSED, Verb
from cuelight_server.db import schema
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.governance import store as governance
from cuelight_server.governance.model import EVERYWHERE
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import ActorKind
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.governed import people_in

_MOST = 10_000


def sight_of(desk: Desk, actor: Actor) -> Sight:
    """The workflows that this account sees now: what it owns, is let into, or is being handed.

    Administrators and auditors see all.
    """
    if desk.local or actor.admin or actor.kind is ActorKind.SYSTEM:
        return EVERYTHING
    with reading(desk.registry) as sql:
        places = {one.workflow for one in governance.memberships(sql, actor.id)}
        if EVERYWHERE in places:
            return EVERYTHING
        owned = set(_owned(sql, actor.id)) if actor.kind is ActorKind.PERSON else set[str]()
        return Sight(frozenset(places | owned | set(governance.receiving(sql, actor.id))))


def is_seen(event: Event, sight: Sight, reader: str) -> bool:
    """Whether an audit line is there for the reader: their own, or one of a workflow that they see. Pure."""
    if sight.everything or event.actor == reader:
        return True
    name = str(event.facts.get("verb", "")) if event.verb == REFUSED else event.verb
    rule = Verb(name).rule if name in set(Verb) else None
    return rule is not None and rule.place and sight.sees(event.subject)


def _owned(sql: Connection, person: str) -> Iterator[str]:
    """Workflows whose newest revision names the person as an owner of it or of one of its prompts."""
    table = schema.workflow_revision
    newest = select(table.c.workflow, func.max(table.c.revision).label("revision")).group_by(table.c.workflow)
    last = newest.subquery()
    found = select(table.c.workflow, table.c.document).join(
        last, (last.c.workflow == table.c.workflow) & (last.c.revision == table.c.revision)
    )
    named = table.c.document.contains(json.dumps(person), autoescape=True)
    for row in sql.execute(found.where(named).limit(_MOST)):
        if person in people_in(json.loads(row.document)):
            yield row.workflow


def colleagues(desk: Desk, actor: Actor) -> frozenset[str] | None:
    """The accounts that are there for somebody: their own, and whoever holds something in a workflow that they see.

    None is everybody, for those who see the whole desk.
    """
    sight = sight_of(desk, actor)
    if sight.everything:
        return None
    found = {actor.id}
    with reading(desk.registry) as sql:
        for workflow in sorted(sight.workflows):
            known = prompts.workflow(sql, workflow)
            found |= people_in(known.document) if known else frozenset()
            found |= {one.account for one in governance.members(sql, workflow)}
    return frozenset(found)
