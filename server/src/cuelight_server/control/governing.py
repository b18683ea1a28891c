"""Changing what governs a workflow, in acts of their own: proposed, agreed to under the old rules, put into force."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cuelight.contract import format as file_format
from cuelight.contract.canonical import digest
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.proposals import gather, person_of, place_of_proposal, stored, workflow_now
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import rules, store
from cuelight_server.governance.model import Consent, Kind, Proposal, State
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, Invalid
from cuelight_server.kernel.terms import Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.bundle import Bundle, workflow_digest
from cuelight_server.prompts.governed import changes, governance_digest, governed, held_back, is_gated, merged
from cuelight_server.prompts.model import Workflow
from cuelight_server.releases import store as releases

_NAMED = 50  # approvals that an audit line names one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What of a push, a handover or an undo governs, and so waits: the rules as they would be, in whole.

    `known` is the open proposal of the workflow, None where there is none; `lines` say in words what differs.
    """

    workflow: str
    kind: Kind
    base: str
    base_revision: int
    document: Mapping[str, Any]
    lines: tuple[str, ...]
    known: Proposal | None
    receiver: str | None = None

    @property
    def binding(self) -> str:
        """What each yes is bound to: the rules before and after, and who receives what is handed over."""
        return digest(
            {"workflow": self.workflow, "base": self.base, "after": dict(self.document), "receiver": self.receiver}
        )

    @property
    def waits_already(self) -> bool:
        """Whether exactly this was proposed and is open."""
        return self.known is not None and self.known.binding == self.binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What is in force now: the revision, and the open approvals that it made void."""

    id: str
    workflow: str
    revision: int
    changes: tuple[str, ...]
    voided: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "revision": self.revision,
            "changes": list(self.changes),
            "voided": list(self.voided),
        }


def hold_back(desk: Desk, sql: Connection, folder: Bundle) -> tuple[Bundle, Change | None]:
    """The folder as a push may store it, and what of it waits for people.

    Conflict where somebody else's proposal is open: one change of the rules at a time.
    """
    old = prompts.workflow(sql, folder.name)
    if old is None or desk.local or not is_gated(old.document, old.authority, folder.workflow, folder.authority):
        return folder, None
    change = _change(sql, old, Kind.CHANGE, folder.workflow, folder.authority)
    stored = replace(folder, workflow=held_back(folder.workflow, old.document), authority=dict(old.authority))
    return stored, change


def propose(desk: Desk, work: Work, change: Change, note: str = "") -> tuple[Proposal, dict[str, Any]]:
    """Store the proposal in the act that is under way; the facts for its audit line. Conflict as in `hold_back`."""
    _refuse_beside(work.sql, change, work.actor)
    made = Proposal(
        id=desk.new_id("gov"),
        workflow=change.workflow,
        kind=change.kind,
        base=change.base,
        base_revision=change.base_revision,
        binding=change.binding,
        document=change.document,
        author=work.actor.id,
        note=note,
        created_at=work.at_text,
        receiver=change.receiver,
    )
    told: dict[str, Any] = {"proposal": made.id, "kind": made.kind.value, "base": made.base, "binding": made.binding}
    told |= {"base_revision": made.base_revision, "sealed": digest(dict(made.document)), "note": note}
    told |= {"receiver": made.receiver, "changes": list(change.lines)}
    if change.known is not None:
        why = f"replaced by {made.id}"
        store.end_proposal(work.sql, change.known.id, State.REPLACED, at=work.at_text, by=work.actor.id, why=why)
        told |= {"replaces": change.known.id}
    store.save_proposal(work.sql, made)
    return made, told


def approve(desk: Desk, actor: Actor, id: str, role: str | None = None, note: str = "") -> Consent:
    """A person's yes to exactly this change. NotFound; Denied, Conflict and Invalid as in `governance.rules.seat`."""
    place = place_of_proposal(desk, actor, id)
    if role is not None and role not in [*Role, "administrator"]:
        raise Invalid(f"there is no role {role}", f"one of {', '.join(Role)}, administrator")
    with act(desk, actor, Verb.GOVERNANCE_APPROVE, place) as work:
        facts = gather(work.sql, stored(work.sql, id))
        seat = rules.seat(facts, work.actor.id, role, admin=work.actor.admin)
        return _consent(desk, work, facts.proposal, seat, note)


def accept(desk: Desk, actor: Actor, id: str, note: str = "") -> Consent:
    """The receiver takes on what is handed over to them. NotFound; Denied for anyone else, Conflict when it is done."""
    place = place_of_proposal(desk, actor, id)
    with act(desk, actor, Verb.HANDOVER_ACCEPT, place) as work:
        facts = gather(work.sql, stored(work.sql, id))
        rules.refuse_receiving(facts, work.actor.id)
        return _consent(desk, work, facts.proposal, "receiver", note)


def refuse(desk: Desk, actor: Actor, id: str, why: str) -> None:
    """The receiver does not take on what is handed over to them; the proposal ends."""
    place = place_of_proposal(desk, actor, id)
    with act(desk, actor, Verb.HANDOVER_DECLINE, place) as work:
        facts = gather(work.sql, stored(work.sql, id))
        rules.refuse_receiving(facts, work.actor.id)
        _end(work, facts.proposal, State.DECLINED, why)


def decline(desk: Desk, actor: Actor, id: str, why: str) -> None:
    """Whoever is asked says no, with a reason; the proposal ends."""
    place = place_of_proposal(desk, actor, id)
    with act(desk, actor, Verb.GOVERNANCE_DECLINE, place) as work:
        facts = gather(work.sql, stored(work.sql, id))
        rules.refuse_decline(facts, work.actor.id, admin=work.actor.admin)
        _end(work, facts.proposal, State.DECLINED, why)


def withdraw(desk: Desk, actor: Actor, id: str, why: str) -> None:
    """Its author takes it back, with a reason; the proposal ends."""
    place = place_of_proposal(desk, actor, id)
    with act(desk, actor, Verb.GOVERNANCE_WITHDRAW, place) as work:
        facts = gather(work.sql, stored(work.sql, id))
        rules.refuse_withdrawal(facts, work.actor.id)
        _end(work, facts.proposal, State.WITHDRAWN, why)


def put_into_force(desk: Desk, actor: Actor, id: str) -> Applied:
    """The change becomes a revision of the workflow; every open approval for its prompts is void from then on.

    Everything is looked at again inside: who holds the roles now, and that nothing else governs by now. Blocked while a
    yes is missing, Conflict where it cannot be put into force any more.
    """
    place = place_of_proposal(desk, actor, id)
    with act(desk, actor, Verb.GOVERNANCE_APPLY, place) as work:
        one = stored(work.sql, id)
        facts = gather(work.sql, one)
        rules.refuse_force(facts)
        old = workflow_now(work.sql, one.workflow)
        done = _apply(
            work,
            old,
            {**one.document["governed"], "people": one.document["people"]},
            one.document["authority"],
            author=one.author,
            id=one.id,
        )
        given = {need.role: need.given_by for need in rules.needs(facts)}
        store.end_proposal(
            work.sql, one.id, State.IN_FORCE, at=work.at_text, by=work.actor.id, why=f"revision {done.revision}"
        )
        work.note(proposal=one.id, given=given)
    return done


def undo(desk: Desk, actor: Actor, id: str, note: str = "") -> Proposal | Applied:
    """Go back to what governed before a proposal was put into force: a proposal of its own, or in tier low at once.

    NotFound; Conflict where it never was in force, or where nothing would change.
    """
    place = place_of_proposal(desk, actor, id)
    with reading(desk.registry) as sql:
        one = stored(sql, id)
        before = prompts.workflow_at(sql, place, one.base_revision)
        now = workflow_now(sql, place)
    if one.state is not State.IN_FORCE or before is None:
        raise Conflict(
            f"{id} is {one.state.value.replace('_', ' ')}, so there is nothing to undo", "see `cuelight govern list`"
        )
    if governance_digest(before.document, before.authority) == governance_digest(now.document, now.authority):
        raise Conflict(f"what governed before {id} governs now", "nothing to do")
    gated = not desk.local and is_gated(now.document, now.authority, before.document, before.authority)
    verb = Verb.GOVERNANCE_PROPOSE if gated else Verb.WORKFLOW_GOVERN
    with act(desk, actor, verb, place) as work:
        old = workflow_now(work.sql, place)
        if gated:
            change = _change(work.sql, old, Kind.UNDO, before.document, before.authority)
            made, told = propose(desk, work, change, note or f"undo {id}")
            work.note(**told)
            return made
        return _apply(work, old, before.document, before.authority, author=work.actor.id, id=id)


def change_of(
    sql: Connection, old: Workflow, kind: Kind, document: Mapping[str, Any], receiver: str | None = None
) -> Change:
    """The change from what governs now to `document`, with the authority as it is."""
    return _change(sql, old, kind, document, old.authority, receiver)


def _change(
    sql: Connection,
    old: Workflow,
    kind: Kind,
    document: Mapping[str, Any],
    authority: Mapping[str, Any],
    receiver: str | None = None,
) -> Change:
    known = {one["id"] for one in old.document.get("people", ())}
    return Change(
        workflow=old.name,
        kind=kind,
        base=governance_digest(old.document, old.authority),
        base_revision=old.revision,
        document={
            "governed": governed(document),
            "people": [dict(one) for one in document.get("people", ()) if one["id"] not in known],
            "authority": dict(authority),
        },
        lines=changes(old.document, old.authority, document, authority),
        known=store.open_proposal(sql, old.name),
        receiver=receiver,
    )


def _refuse_beside(sql: Connection, change: Change, actor: Actor) -> None:
    """One change of the rules at a time: another's open proposal stays, while it is one from what governs now."""
    known = change.known
    if known is None or known.base != change.base or person_of(sql, known.author) == actor.who:
        return
    raise Conflict(
        f"{known.author} has proposed another change of what governs {change.workflow}: {known.id}",
        f"they can withdraw it, or an owner decline it: cuelight govern show {known.id}",
        proposal=known.id,
    )


def _consent(desk: Desk, work: Work, one: Proposal, role: str, note: str) -> Consent:
    made = Consent(
        id=desk.new_id("yes"), proposal=one.id, role=role, person=work.actor.id, note=note, created_at=work.at_text
    )
    store.save_consent(work.sql, made)
    work.note(id=made.id, proposal=one.id, role=role, binding=one.binding, note=note)
    return made


def _end(work: Work, one: Proposal, state: State, why: str) -> None:
    if not why.strip():
        raise Invalid("it needs a reason", 'give one: --why "..."')
    store.end_proposal(work.sql, one.id, state, at=work.at_text, by=work.actor.id, why=why)
    work.note(proposal=one.id, why=why)


def _apply(
    work: Work, old: Workflow, rules_now: Mapping[str, Any], authority: Mapping[str, Any], *, author: str, id: str
) -> Applied:
    document = merged(old.document, rules_now)
    problems = [one.message for one in file_format.check("workflow", document)]
    if problems:
        raise Conflict(f"it does not fit the workflow as it is now: {'; '.join(problems[:3])}", "push the folder again")
    new = Workflow(
        name=old.name,
        revision=old.revision + 1,
        digest=workflow_digest(document, authority),
        document=document,
        authority=authority,
        actor=author,
        created_at=work.at_text,
    )
    prompts.save_workflow(work.sql, new)
    voided = tuple(releases.open_approvals(work.sql, [one.name for one in prompts.prompts_of(work.sql, old.name)]))
    lines = changes(old.document, old.authority, document, authority)
    work.note(revision=new.revision, digest=new.digest, author=author, changes=list(lines))
    work.note(voided=list(voided[:_NAMED]), voided_count=len(voided))
    return Applied(id=id, workflow=old.name, revision=new.revision, changes=lines, voided=voided)
