"""Handing a role over: offered by who holds it, accepted by who gets it, in force under the rules of the workflow."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from cuelight_server.access import store as access
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.belonging import roles_in
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act, enter, prompt_of, workflow_of
from cuelight_server.control.governing import change_of, propose
from cuelight_server.governance.model import Kind, Proposal
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Workflow

_NAMED_OWNERS = {Role.WORKFLOW_OWNER: "business_owner", Role.ENGINEERING_OWNER: "technical_owner"}
_GOVERNING = frozenset({Role.WORKFLOW_OWNER, Role.RISK_OWNER})


def offer(
    desk: Desk, actor: Actor, subject: str, role: str, to: str, *, from_: str | None = None, why: str = ""
) -> Proposal:
    """Offer `role` in a workflow (`sales`), or for one of its prompts (`sales.x`), to another person.

    `from_` is who holds it now, the first where nobody is named; a backup is handed over the same way. Who holds the
    role offers it, or who governs the workflow; an administrator only where nobody who holds it is here any more.
    NotFound, Invalid, Denied, Conflict where the role is theirs already, or another change waits.
    """
    enter(desk, actor, Verb.HANDOVER_OFFER, subject)
    if role not in list(Role):
        raise Invalid(f"there is no role {role[:40]}", f"one of {', '.join(Role)}")
    if not why.strip():
        raise Invalid("a handover needs a reason", 'give one: --why "..."')
    asked = Role(role)
    with act(desk, actor, Verb.HANDOVER_OFFER, workflow_of(subject)) as work:
        old = _workflow(work, workflow_of(subject))
        short = prompt_of(subject)
        owners = _owners(old, short)
        place, giving = _held(owners, asked, from_)
        _refuse_stranger(work, owners, asked)
        _refuse_receiver(work, to, owners, asked)
        document = _handed(old, short, asked, place, giving, _listed(work, to))
        change = change_of(work.sql, old, Kind.HANDOVER, document, receiver=to)
        made, told = propose(desk, work, change, why)
        work.note(**told, role=asked.value, prompt=short, **{"from": giving, "to": to})
    return made


def _workflow(work: Work, name: str) -> Workflow:
    found = prompts.workflow(work.sql, name)
    if found is None:
        raise NotFound(f"there is no workflow {name}", "see the workflows with `cuelight status`")
    return found


def _owners(old: Workflow, short: str) -> Mapping[str, Mapping[str, Any]]:
    if short and short not in old.document["prompts"]:
        raise NotFound(f"{old.name} has no prompt {short}", "see its prompts with `cuelight owners`")
    own = old.document["prompts"][short].get("owners", {}) if short else {}
    return {**old.document["owners"], **own}


def _held(owners: Mapping[str, Mapping[str, Any]], role: Role, from_: str | None) -> tuple[str, str | None]:
    """(`person` or `backup`, who it is now): the place that is handed over."""
    who = owners.get(role.value, {})
    if from_ is None:
        return "person", who.get("person")
    place = next((part for part in ("person", "backup") if who.get(part) == from_), None)
    if place is None:
        raise NotFound(f"{from_} is not the {role.value.replace('_', ' ')}", "see who is: cuelight owners")
    return place, from_


def _refuse_stranger(work: Work, owners: Mapping[str, Mapping[str, Any]], role: Role) -> None:
    """Who holds the role, or governs; an administrator only where the role is orphaned."""
    held = roles_in(owners, work.actor.id) | (work.roles & _GOVERNING)
    if role in held or held & _GOVERNING:
        return
    who = owners.get(role.value, {})
    here = [one for part in ("person", "backup") if (one := who.get(part)) and _is_here(work, one)]
    if work.actor.admin and not here:
        return
    raise Denied(
        f"{work.actor.id} does not hold the role of {role.value.replace('_', ' ')}, and does not govern the workflow",
        f"ask {' or '.join(here) or 'an administrator'}",
    )


def _refuse_receiver(work: Work, to: str, owners: Mapping[str, Mapping[str, Any]], role: Role) -> None:
    account = access.account(work.sql, to)
    if account is None or account.disabled_at is not None or account.kind is not ActorKind.PERSON:
        raise NotFound(f"there is no person {to} who could take it", "an administrator adds people first")
    if to in (owners.get(role.value, {}).get("person"), owners.get(role.value, {}).get("backup")):
        raise Conflict(f"{to} holds that role already", "nothing to do")


def _is_here(work: Work, person: str) -> bool:
    account = access.account(work.sql, person)
    return account is not None and account.disabled_at is None


def _listed(work: Work, person: str) -> dict[str, str]:
    account = access.account(work.sql, person)
    return {"id": person, "name": account.name if account else person}


def _handed(
    old: Workflow, short: str, role: Role, place: str, giving: str | None, to: Mapping[str, str]
) -> dict[str, Any]:
    """The document after the handover; the named business or technical owner goes along with their role."""
    made = deepcopy(dict(old.document))
    tables = made["prompts"][short].setdefault("owners", {}) if short else made["owners"]
    before = tables.get(role.value) or old.document["owners"].get(role.value, {})
    tables[role.value] = {**before, place: to["id"]}
    named = _NAMED_OWNERS.get(role)
    if named is not None and not short and giving is not None and made.get(named) == giving:
        made[named] = to["id"]
    if to["id"] not in {one["id"] for one in made.get("people", ())}:
        made["people"] = [*made.get("people", ()), dict(to)]
    return made
