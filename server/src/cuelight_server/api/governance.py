"""Changes of what governs a workflow, handing roles over, and places in a workflow, over HTTP."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import governing, handing, members, proposals
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import Role

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Said(_Body):
    """A yes; `role` only where the person could fill several."""

    role: str | None = Field(default=None, max_length=20)
    note: str = Field(default="", max_length=2000)


class Reasoned(_Body):
    """Why it ends."""

    why: str = Field(max_length=2000)


class Noted(_Body):
    """A remark."""

    note: str = Field(default="", max_length=2000)


class HandoverAsked(_Body):
    """A role of a workflow, or of one prompt, that goes to another person; `from` where it is the backup's."""

    subject: str = Field(max_length=161)
    role: Role
    to: str = Field(max_length=80)
    from_: str | None = Field(default=None, alias="from", max_length=80)
    why: str = Field(max_length=2000)


class Place(_Body):
    """A place in a workflow."""

    account: str = Field(max_length=80)
    role: str = Field(max_length=20)


@router.get("/governance", openapi_extra=_READ)
def listing(
    desk: DeskDep,
    _: Caller,
    sight: Seen,
    workflow: str = "",
    before: str | None = None,
    limit: Limit = DEFAULT_SIZE,
    *,
    only_open: bool = False,
) -> dict[str, Any]:
    """Proposals to change what governs, newest first; only the open ones with `only_open=true`."""
    found = proposals.listing(desk, workflow, before, limit, sight, only_open=only_open)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.get("/governance/{id}", openapi_extra=_READ)
def show(id: str, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """One proposal: what it changes, whose yes is there and whose is missing."""
    return proposals.show(desk, id, sight).to_json()


@router.post("/governance/{id}/approve", openapi_extra=verb(Verb.GOVERNANCE_APPROVE))
def approve(id: str, said: Said, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Say yes to a proposed change, under the rules that are in force."""
    return asdict(governing.approve(desk, actor, id, said.role, said.note))


@router.post("/governance/{id}/decline", openapi_extra=verb(Verb.GOVERNANCE_DECLINE))
def decline(id: str, reasoned: Reasoned, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Say no to a proposed change; it ends."""
    governing.decline(desk, actor, id, reasoned.why)
    return proposals.show(desk, id).to_json()


@router.post("/governance/{id}/withdraw", openapi_extra=verb(Verb.GOVERNANCE_WITHDRAW))
def withdraw(id: str, reasoned: Reasoned, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Take back what one has proposed; it ends."""
    governing.withdraw(desk, actor, id, reasoned.why)
    return proposals.show(desk, id).to_json()


@router.post("/governance/{id}/apply", openapi_extra=verb(Verb.GOVERNANCE_APPLY))
def put_into_force(id: str, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Put a change into force, once every yes is there; open approvals of its prompts are void, and named."""
    return governing.put_into_force(desk, actor, id).to_json()


@router.post("/governance/{id}/undo", openapi_extra=verb(Verb.GOVERNANCE_PROPOSE))
def undo(id: str, noted: Noted, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Propose to go back to what governed before; in tier low it is done at once."""
    made = governing.undo(desk, actor, id, noted.note)
    if isinstance(made, governing.Applied):
        return {"applied": made.to_json(), "proposal": None}
    return {"applied": None, "proposal": proposals.show(desk, made.id).to_json()}


@router.post("/handovers", openapi_extra=verb(Verb.HANDOVER_OFFER))
def offer(asked: HandoverAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Offer a role to another person; it is a proposal that they have to accept."""
    made = handing.offer(desk, actor, asked.subject, asked.role.value, asked.to, from_=asked.from_, why=asked.why)
    return proposals.show(desk, made.id).to_json()


@router.post("/handovers/{id}/accept", openapi_extra=verb(Verb.HANDOVER_ACCEPT))
def accept(id: str, noted: Noted, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Accept a role that is handed over to oneself."""
    governing.accept(desk, actor, id, noted.note)
    return proposals.show(desk, id).to_json()


@router.post("/handovers/{id}/decline", openapi_extra=verb(Verb.HANDOVER_DECLINE))
def refuse(id: str, reasoned: Reasoned, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Decline a role that is handed over to oneself; the handover ends."""
    governing.refuse(desk, actor, id, reasoned.why)
    return proposals.show(desk, id).to_json()


@router.get("/workflows/{workflow}/members", openapi_extra=_READ)
def listed(workflow: str, desk: DeskDep, _: Caller, sight: Seen) -> dict[str, Any]:
    """Who was let into a workflow: readers, members, machines with a role."""
    sight.enter(workflow)
    return {"items": [asdict(one) for one in members.listing(desk, workflow)], "next": None}


@router.post("/workflows/{workflow}/members", openapi_extra=verb(Verb.MEMBER_ADMIT))
def admit(workflow: str, place: Place, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Let somebody into a workflow."""
    return asdict(members.admit(desk, actor, workflow, place.account, place.role))


@router.delete("/workflows/{workflow}/members/{account}/{role}", openapi_extra=verb(Verb.MEMBER_DISMISS))
def dismiss(workflow: str, account: str, role: str, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Take a place in a workflow away."""
    members.dismiss(desk, actor, workflow, account, role)
    return {"workflow": workflow, "account": account, "role": role}
