"""The one door for governed changes: may they, the change and its audit line, all in one transaction or not at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cuelight_server.access import store as access
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event
from cuelight_server.audit.permissions import Decision, may, words
from cuelight_server.audit.verbs import REFUSED, Verb
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection
from cuelight_server.db.writing import governed
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Blocked, Denied
from cuelight_server.kernel.terms import ActorKind, Role
from cuelight_server.prompts import store as prompts_store

Owners = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A change under way: write through `sql`, and everything you note stands in the audit line.

    `at` is when the change happens (aware, UTC) and `at_text` the same as it is stored; `roles` are those that the
    actor holds in `workflow` at this moment.
    """

    sql: Connection
    at: datetime
    actor: Actor
    workflow: str
    roles: frozenset[Role]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def at_text(self) -> str:
        """`at` in RFC 3339 with microseconds."""
        return rfc3339(self.at)

    def note(self, **facts: Any) -> None:
        """Add JSON facts to the audit line."""
        self.facts.update(facts)


@contextmanager
def act(desk: Desk, actor: Actor, verb: Verb, subject: str, *, workflow: str | None = None) -> Iterator[Work]:
    """Make one governed change, together with its audit line: `with` it, write through `work.sql`.

    The subject is a prompt (`sales.x`, `sales.x@v2`) or a workflow (`sales`); for any other subject name the workflow
    whose roles count. On leaving, the audit line is written and all is committed; any exception undoes all of it.
    Denied when the actor may not; a Denied or Blocked raised here or inside leaves an audit line `refused` of its own.
    """
    place = workflow_of(subject) if workflow is None else workflow
    try:
        with governed(desk.registry) as sql:
            work = _begin(desk, sql, actor, verb, subject, place)
            yield work
            audit.append(sql, _line(work, verb.value, subject, work.facts))
    except (Denied, Blocked) as refusal:
        _remember(desk, actor, verb, subject, refusal)
        raise


def workflow_of(subject: str) -> str:
    """`sales` for `sales`, `sales.lead_qualification` and `sales.lead_qualification@v2`."""
    return subject.partition("@")[0].partition(".")[0]


def roles_in(owners: Owners, person: str) -> frozenset[Role]:
    """The roles that a person holds, as the first or as the backup."""
    known = {role.value for role in Role}
    return frozenset(
        Role(role) for role, who in owners.items() if role in known and person in (who.get("person"), who.get("backup"))
    )


def _begin(desk: Desk, sql: Connection, actor: Actor, verb: Verb, subject: str, workflow: str) -> Work:
    now = _as_of_now(sql, actor)
    owners = prompts_store.owners_of(sql, workflow)
    roles = roles_in(owners, now.id) if now.kind is ActorKind.PERSON else frozenset()
    decision = may(verb, now, roles)
    if not decision.allowed:
        raise _denied(now, verb, subject, decision, owners)
    return Work(sql=sql, at=desk.clock(), actor=now, workflow=workflow, roles=roles)


def _as_of_now(sql: Connection, actor: Actor) -> Actor:
    """The actor as the desk knows it inside this transaction: whoever was disabled a moment ago is out."""
    if actor.kind is ActorKind.SYSTEM:
        return actor
    account = access.account(sql, actor.id)
    if account is None or account.disabled_at is not None:
        raise Denied(f"{actor.id} is not, or no longer, someone here", "ask an administrator")
    return account.actor(actor.environment)


def _denied(actor: Actor, verb: Verb, subject: str, decision: Decision, owners: Owners) -> Denied:
    holders = {role: owners.get(role, {}).get("person") for role in verb.rule.roles}
    people = [f"{holders[role]} ({words(role)})" for role in Role if holders.get(role)]
    return Denied(
        f"{actor.id} may not {verb.value} on {subject}: {decision.why}",
        f"ask {' or '.join(people or decision.who)}",
        verb=verb.value,
        subject=subject,
        who=list(decision.who),
    )


def _remember(desk: Desk, actor: Actor, verb: Verb, subject: str, refusal: Denied | Blocked) -> None:
    facts = {"verb": verb.value, "kind": refusal.kind, "message": refusal.message, "hint": refusal.hint}
    with governed(desk.registry) as sql:
        at = rfc3339(desk.clock())
        audit.append(sql, Event(at=at, actor=actor.id, verb=REFUSED, subject=subject, facts=facts))


def _line(work: Work, verb: str, subject: str, facts: Mapping[str, Any]) -> Event:
    return Event(at=work.at_text, actor=work.actor.id, verb=verb, subject=subject, facts=facts)
