"""The one door for governed changes: may they, the change and its audit line, all in one transaction or not at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cuelight_server.access import store as access
from cuelight_server.access.model import Answered, Once, Token
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event, Personal
from cuelight_server.audit.permissions import Decision, may, phrase, words
from cuelight_server.audit.personal import in_line
from cuelight_server.audit.verbs import REFUSED, Verb
from cuelight_server.control.belonging import Owners, held_in, sees
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import BUSY_TIMEOUT_MS, Connection, reading
from cuelight_server.db.writing import governed
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import Clock, parse, rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied
from cuelight_server.kernel.sight import Unseen, place_of, unseen
from cuelight_server.kernel.terms import ActorKind, Held, Role
from cuelight_server.prompts import store as prompts_store

_PATIENCE_MS = {Verb.RELEASE_ROLL_BACK: 30_000}  # a rollback waits out whoever is writing
FIRST_CONTENT = frozenset(  # what whoever creates a workflow may put into it
    {
        Verb.PROMPT_MINT,
        Verb.DRAFT_SAVE,
        Verb.SUITE_PUSH,
        Verb.KNOWLEDGE_PUSH,
        Verb.PRICES_PUSH,
        Verb.RECORDING_PUSH,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A change under way: write through `sql`, and everything you note stands in the audit line.

    `at` is when the change happens (aware, UTC), never before an earlier one, and `at_text` the same as it is stored;
    `roles` are those that the actor holds in `workflow` at this moment.
    """

    sql: Connection
    at: datetime
    actor: Actor
    verb: Verb
    workflow: str
    roles: frozenset[Held]
    facts: dict[str, Any] = field(default_factory=dict)
    further: list[Event] = field(default_factory=list)
    once: Once | None = None
    told: list[Personal] = field(default_factory=list)

    @property
    def at_text(self) -> str:
        """`at` in RFC 3339 with microseconds."""
        return rfc3339(self.at)

    def note(self, **facts: Any) -> None:
        """Add JSON facts to the audit line."""
        self.facts.update(facts)

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Keep the JSON answer in this transaction, where the request must not be done twice."""
        if self.once is not None:
            access.save_answer(self.sql, Answered(actor=self.actor.id, once=self.once, answer=answer, at=self.at_text))

    def personal(self, person: str, **texts: str) -> None:
        """Add texts about a person (a name, an address): the line gets salted digests, the texts can be erased later."""
        for name, text in texts.items():
            one = Personal(field=name, person=person, salt=ids.salt(), value=text)
            self.told.append(one)
            self.facts[name] = in_line(one)

    def also(self, verb: Verb, subject: str, **facts: Any) -> None:
        """One more change in this transaction, with an audit line of its own. Denied when the actor may not.

        The roles are those held when the change began; whoever creates a workflow needs no role for FIRST_CONTENT.
        The subject lies in the same workflow, else it is a mistake in the program.
        """
        if workflow_of(subject) != self.workflow:
            raise ValueError(f"{subject} is not in {self.workflow}")
        _refuse_ungoverned(verb)
        decision = may(verb, self.actor, self.roles)
        first = self.verb is Verb.WORKFLOW_CREATE and verb in FIRST_CONTENT
        if not decision.allowed and not first:
            owners = prompts_store.owners_of(self.sql, self.workflow)
            raise _denied(self.actor, verb, subject, decision, owners)
        self.further.append(_line(self, verb.value, subject, facts))


class Again(Exception):
    """A request came again that was done already; `answer` is what it was answered then."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""
        super().__init__()
        self.answer = answer


@contextmanager
def act(
    desk: Desk, actor: Actor, verb: Verb, subject: str, *, workflow: str | None = None, once: Once | None = None
) -> Iterator[Work]:
    """Make one governed change, together with its audit line: `with` it, write through `work.sql`.

    The subject is a prompt (`sales.x`, `sales.x@v2`) or a workflow (`sales`); for any other subject name the workflow
    whose roles count. On leaving, the audit lines are written and all is committed; any exception undoes all of it.
    NotFound where the workflow is not there for the actor, Denied when the actor may not; that, and a Denied or Blocked
    raised inside, leaves an audit line `refused` of its own. With `once` a request that was answered already ends in
    Again and changes nothing; Conflict under the same key for another request.
    """
    place = workflow_of(subject) if workflow is None else workflow
    try:
        with governed(desk.registry, wait_ms=_PATIENCE_MS.get(verb, BUSY_TIMEOUT_MS)) as sql:
            work = replace(_begin(desk, sql, actor, verb, subject, place), once=once)
            _refuse_again(work)
            yield work
            audit.append(sql, _line(work, verb.value, subject, work.facts), work.told)
            for line in work.further:
                audit.append(sql, line)
    except (Denied, Blocked, Unseen) as refusal:
        _remember(desk, actor, verb, subject, refusal)
        raise


def enter(desk: Desk, actor: Actor, verb: Verb, subject: str) -> None:
    """Before anything is looked up for a change: NotFound, and a line `refused`, where the place is not there for them.

    What was never there is answered, and remembered, the same.
    """
    with reading(desk.registry) as sql:
        if sees(desk, sql, actor, workflow_of(subject)):
            return
    refusal = unseen(subject)
    _remember(desk, actor, verb, subject, refusal)
    raise refusal


def ask(desk: Desk, actor: Actor, verb: Verb, subject: str) -> frozenset[Held]:
    """Whether they may, before something that takes long or leaves no line: the roles that they hold.

    NotFound and Denied, and a line `refused`, as in `act`.
    """
    place = workflow_of(subject)
    try:
        with reading(desk.registry) as sql:
            return _judged(desk, sql, actor, verb, subject, place)[1]
    except (Denied, Unseen) as refusal:
        _remember(desk, actor, verb, subject, refusal)
        raise


def workflow_of(subject: str) -> str:
    """`sales` for `sales`, `sales.lead_qualification` and `sales.lead_qualification@v2`."""
    return place_of(subject)


def prompt_of(subject: str) -> str:
    """`lead_qualification` for `sales.lead_qualification@v2`; empty for a workflow."""
    return subject.partition("@")[0].partition(".")[2]


def tell(sql: Connection, clock: Clock, verb: Verb, subject: str, facts: Mapping[str, Any]) -> None:
    """A line of the desk itself in a transaction that is open already: that of a migration."""
    audit.append(sql, Event(at=rfc3339(_moment(clock, sql)), actor=SYSTEM.id, verb=verb, subject=subject, facts=facts))


def _begin(desk: Desk, sql: Connection, actor: Actor, verb: Verb, subject: str, workflow: str) -> Work:
    _refuse_ungoverned(verb)
    now, roles = _judged(desk, sql, actor, verb, subject, workflow)
    return Work(sql=sql, at=_moment(desk.clock, sql), actor=now, verb=verb, workflow=workflow, roles=roles)


def _judged(
    desk: Desk, sql: Connection, actor: Actor, verb: Verb, subject: str, workflow: str
) -> tuple[Actor, frozenset[Held]]:
    """The actor as of now and what they hold; NotFound where the place is not there for them, Denied where they may not."""
    now = _as_of_now(desk, sql, actor)
    owners = prompts_store.owners_of(sql, workflow, prompt_of(subject))
    roles = held_in(desk, sql, now, workflow, owners)
    if not roles and _hidden(desk, sql, now, verb, workflow):
        raise unseen(subject)
    decision = may(verb, now, roles)
    if not decision.allowed:
        raise _denied(now, verb, subject, decision, owners)
    return now, roles


def _refuse_ungoverned(verb: Verb) -> None:
    """A mistake in the program: such a verb passes no door."""
    if not verb.rule.governed:
        raise ValueError(f"{verb.value} changes nothing that is governed")


def _moment(clock: Clock, sql: Connection) -> datetime:
    """Now, and later than every line of the log: what is ordered by time stays so when a clock is set back."""
    last = audit.last_at(sql)
    return clock() if last is None else max(clock(), last + timedelta(microseconds=1))


def _refuse_again(work: Work) -> None:
    before = access.answered(work.sql, work.actor.id, work.once.key) if work.once else None
    if before is None or work.once is None:
        return
    if before.once.request != work.once.request:
        raise Conflict(
            f"the key {work.once.key} was used for another request at {before.at}",
            "take a new Idempotency-Key for each request",
        )
    raise Again(before.answer)


def _hidden(desk: Desk, sql: Connection, actor: Actor, verb: Verb, workflow: str) -> bool:
    """Whether the workflow is not there for them. Who creates one sees none yet; an app sees none at all."""
    if not workflow or not verb.rule.place or verb is Verb.WORKFLOW_CREATE or actor.kind is ActorKind.APP:
        return False
    return not sees(desk, sql, actor, workflow)


def _as_of_now(desk: Desk, sql: Connection, actor: Actor) -> Actor:
    """The actor as the desk knows it inside this transaction: whoever was disabled a moment ago is out.

    So is a token that was revoked since it opened the door. What the key is narrowed to stays.
    """
    if actor.kind is ActorKind.SYSTEM:
        return actor
    account = access.account(sql, actor.id)
    if account is None or account.disabled_at is not None:
        raise Denied(f"{actor.id} is not, or no longer, someone here", "ask an administrator")
    if actor.token:
        _refuse_token(access.token(sql, actor.token), desk.clock())
    return account.actor(actor.environment, actor.scopes, actor.token)


def _refuse_token(token: Token | None, now: datetime) -> None:
    """Denied where what opened the door is over since."""
    if token is None or token.revoked_at is not None:
        raise Denied("this token is revoked", "ask an administrator for a new one", credentials="revoked")
    if token.expires_at is not None and parse(token.expires_at) <= now:
        raise Denied("this token has run out", "make a new one", credentials="expired")


def _denied(actor: Actor, verb: Verb, subject: str, decision: Decision, owners: Owners) -> Denied:
    holders = {role: owners.get(role, {}).get("person") for role in verb.rule.roles}
    people = [f"{holders[role]} ({words(role)})" for role in Role if holders.get(role)]
    return Denied(
        f"{actor.id} may not {phrase(verb)} ({subject}): {decision.why}",
        f"ask {' or '.join(people or decision.who)}",
        verb=verb.value,
        subject=subject,
        who=list(decision.who),
    )


def _remember(desk: Desk, actor: Actor, verb: Verb, subject: str, refusal: Denied | Blocked | Unseen) -> None:
    with governed(desk.registry) as sql:
        told = {name: access.by_id(sql, text) for name, text in (("message", refusal.message), ("hint", refusal.hint))}
        facts = {"verb": verb.value, "kind": refusal.kind, **told}
        at = rfc3339(_moment(desk.clock, sql))
        audit.append(sql, Event(at=at, actor=actor.id, verb=REFUSED, subject=subject, facts=facts))


def _line(work: Work, verb: str, subject: str, facts: Mapping[str, Any]) -> Event:
    return Event(at=work.at_text, actor=work.actor.id, verb=verb, subject=subject, facts=facts)
