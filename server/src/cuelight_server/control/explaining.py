"""Why somebody may do something, or not: the same questions that the door asks, each with its answer; reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from cuelight_server.access import store as access
from cuelight_server.audit.permissions import KINDS, Step, may, words
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.belonging import held_in, roles_in, sees
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import prompt_of, workflow_of
from cuelight_server.control.evidence import gather
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import CuelightError, Invalid, NotFound
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.sight import unseen
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.kernel.tiers import tier_of
from cuelight_server.prompts import store as prompts
from cuelight_server.releases import rules

_MOST = 200
_FIRST: str | None = ""  # before every id


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The answer, each question on the way to it, and everyone who could (`who`, ids; `roles`, in words)."""

    who: str
    verb: str
    subject: str
    allowed: bool
    why: str
    steps: tuple[Step, ...]
    could: tuple[str, ...]
    roles: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return asdict(self)


def explain(desk: Desk, asking: Actor, who: str, verb: str, subject: str) -> Explained:
    """Whether `who` may do `verb` on `subject`, and why. NotFound where the place is not there for whoever asks.

    `may` answers, as it does in the door. For an approval of a version the people rules answer too: tier, who made the
    change, who said yes before.
    """
    if verb not in list(Verb):
        raise Invalid(f"there is no verb {verb[:40]}", "see docs/reference/verbs.md")
    asked = Verb(verb)
    with reading(desk.registry) as sql:
        place = workflow_of(subject) if asked.rule.place else ""
        if place and (prompts.workflow(sql, place) is None or not sees(desk, sql, asking, place)):
            raise unseen(subject)
        account = access.account(sql, who)
        if account is None or not _is_known_to(desk, sql, asking, who, place):
            raise NotFound(f"there is no {who} here", "see who owns what: cuelight owners")
        steps = tuple(_steps(desk, sql, account.actor(), asked, subject, place, disabled=account.disabled_at))
        tells = bool(place) or asking.admin or governance.is_auditor(sql, asking.id)
        could = tuple(_could(desk, sql, asked, subject, place)) if tells else ()
    last = steps[-1]
    decision = may(asked, account.actor(), ())
    return Explained(
        who=who,
        verb=asked.value,
        subject=subject,
        allowed=all(one.ok for one in steps),
        why=last.words,
        steps=steps,
        could=could,
        roles=decision.who,
    )


def _is_known_to(desk: Desk, sql: Connection, asking: Actor, who: str, place: str) -> bool:
    """About themselves everyone may ask; about others in a place that both of them see, or whoever sees all."""
    if who == asking.id or asking.admin or desk.local or governance.is_auditor(sql, asking.id):
        return True
    account = access.account(sql, who)
    return bool(place) and account is not None and sees(desk, sql, account.actor(), place)


def _steps(
    desk: Desk, sql: Connection, actor: Actor, verb: Verb, subject: str, place: str, *, disabled: str | None
) -> Iterator[Step]:
    if disabled is not None:
        yield Step("account", ok=False, words=f"{actor.id} is disabled since {disabled}")
        return
    yield Step("account", ok=True, words=f"{actor.id} is a {KINDS[actor.kind]} of this desk")
    owners = prompts.owners_of(sql, place, prompt_of(subject)) if place else {}
    held = held_in(desk, sql, actor, place, owners)
    if place and actor.kind is not ActorKind.APP:
        there = bool(held) or sees(desk, sql, actor, place)
        yield Step("sight", ok=there, words=f"{place} is {'' if there else 'not '}there for them")
        if not there:
            return
    for step in may(verb, actor, held).steps:
        how = _how(owners, actor.id, step) if step.name == "role" else ""
        yield replace(step, words=f"{step.words}{how}")
        if not step.ok:
            return
    if verb is Verb.RELEASE_APPROVE and "@" in subject:
        yield from _people(desk, sql, actor, subject)


def _how(owners: Mapping[str, Mapping[str, Any]], account: str, step: Step) -> str:
    """Whether the role is held as the first or as the backup."""
    for role in roles_in(owners, account):
        if words(role) == step.words:
            return ", as the backup" if owners[role.value].get("person") != account else ", as the first"
    return ""


def _people(desk: Desk, sql: Connection, actor: Actor, subject: str) -> Iterator[Step]:
    """The rules about people that approving asks beyond the catalogue: tier, separation of duty, one person one role."""
    prompt, _, label = subject.rpartition("@")
    facts = gather(desk, sql, prompt, label, Environment.PRODUCTION)
    workflow = prompts.workflow(sql, workflow_of(prompt))
    tier = tier_of(workflow.document if workflow else {}).value
    asked = ", ".join(words(role) for role in facts.required) or "nobody"
    yield Step("tier", ok=True, words=f"tier {tier} asks for the yes of: {asked}")
    if actor.id in facts.authors:
        yield Step("separation", ok=False, words=f"{actor.id} {facts.authors[actor.id]}, and no author approves")
        return
    yield Step("separation", ok=True, words="not an author of any part of it, through any account")
    try:
        role = rules.role_for(facts, actor.id, None)
    except CuelightError as refused:
        yield Step("process", ok=False, words=refused.message)
    else:
        yield Step("process", ok=True, words=f"would say yes as {words(role)}")


def _could(desk: Desk, sql: Connection, verb: Verb, subject: str, place: str) -> Iterator[str]:
    """Everyone here for whom every question is answered with yes, by id."""
    found, cursor = 0, _FIRST
    while cursor is not None and found < _MOST:
        page = access.accounts(sql, cursor, MAX_SIZE)
        for one in page.items:
            if one.disabled_at is None and _passes(desk, sql, one.actor(), verb, subject, place):
                found += 1
                yield one.id
        cursor = page.next


def _passes(desk: Desk, sql: Connection, actor: Actor, verb: Verb, subject: str, place: str) -> bool:
    owners = prompts.owners_of(sql, place, prompt_of(subject)) if place else {}
    if place and not sees(desk, sql, actor, place):
        return False
    if not may(verb, actor, held_in(desk, sql, actor, place, owners)).allowed:
        return False
    if verb is Verb.RELEASE_APPROVE and "@" in subject:
        return all(one.ok for one in _people(desk, sql, actor, subject))
    return True
