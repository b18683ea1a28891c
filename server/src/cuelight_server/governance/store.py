"""Where proposals, the yes to them, and memberships are kept."""

import json
from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.db import schema
from cuelight_server.governance.model import AUDITOR, EVERYWHERE, Consent, Kind, Membership, Proposal, State
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of

_MOST = 1000


def save_proposal(sql: Connection, new: Proposal) -> None:
    """Store a new proposal; Conflict when the workflow has an open one."""
    sql.execute(
        insert(schema.proposal).values(
            id=new.id,
            workflow=new.workflow,
            kind=new.kind.value,
            base=new.base,
            base_revision=new.base_revision,
            binding=new.binding,
            document=canonical_text(dict(new.document)),
            author=new.author,
            note=new.note,
            receiver=new.receiver,
            state=new.state.value,
            created_at=new.created_at,
        )
    )


def end_proposal(sql: Connection, id: str, state: State, *, at: str, by: str, why: str) -> None:
    """An open proposal ends."""
    table = schema.proposal
    values = {"state": state.value, "ended_at": at, "ended_by": by, "ended_why": why}
    sql.execute(update(table).where(table.c.id == id, table.c.state == State.OPEN.value).values(**values))


def proposal(sql: Connection, id: str) -> Proposal | None:
    """One proposal, or None."""
    row = sql.execute(select(schema.proposal).where(schema.proposal.c.id == id)).mappings().one_or_none()
    return None if row is None else _proposal(row)


def open_proposal(sql: Connection, workflow: str) -> Proposal | None:
    """The one proposal of a workflow that is open, or None."""
    table = schema.proposal
    found = select(table).where(table.c.workflow == workflow, table.c.state == State.OPEN.value)
    row = sql.execute(found.order_by(table.c.created_at.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else _proposal(row)


def proposals(
    sql: Connection,
    workflow: str = "",
    before: str | None = None,
    size: int = DEFAULT_SIZE,
    *,
    among: Collection[str] | None = None,
    only_open: bool = False,
) -> Page[Proposal]:
    """Proposals, newest first, from below the time `before`; of one workflow, or of those `among`, where given."""
    table = schema.proposal
    query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc())
    if workflow:
        query = query.where(table.c.workflow == workflow)
    if among is not None:
        query = query.where(table.c.workflow.in_(among))
    if only_open:
        query = query.where(table.c.state == State.OPEN.value)
    if before is not None:
        query = query.where(table.c.created_at < before)
    rows = sql.execute(query.limit(checked_size(size) + 1)).mappings()
    return page_of([_proposal(row) for row in rows], size, lambda one: one.created_at)


def receiving(sql: Connection, account: str) -> list[str]:
    """The workflows in which a role is being handed over to this account."""
    table = schema.proposal
    waiting = (table.c.receiver == account, table.c.state == State.OPEN.value)
    return list(sql.scalars(select(table.c.workflow).where(*waiting).distinct().limit(_MOST)))


def save_consent(sql: Connection, new: Consent) -> None:
    """Store a yes for good; Conflict when it was given before."""
    sql.execute(
        insert(schema.consent).values(
            id=new.id,
            proposal=new.proposal,
            role=new.role,
            person=new.person,
            note=new.note,
            created_at=new.created_at,
        )
    )


def consents(sql: Connection, proposal: str) -> tuple[Consent, ...]:
    """Every yes to a proposal, oldest first."""
    table = schema.consent
    found = select(table).where(table.c.proposal == proposal).order_by(table.c.created_at, table.c.id).limit(_MOST)
    return tuple(Consent(**row) for row in sql.execute(found).mappings())


def admit(sql: Connection, new: Membership) -> None:
    """Store a membership; Conflict when it is there."""
    sql.execute(
        insert(schema.membership).values(
            workflow=new.workflow,
            account=new.account,
            role=new.role,
            granted_by=new.granted_by,
            granted_at=new.granted_at,
        )
    )


def dismiss(sql: Connection, workflow: str, account: str, role: str) -> bool:
    """End a membership; whether there was one."""
    table = schema.membership
    here = delete(table).where(table.c.workflow == workflow, table.c.account == account, table.c.role == role)
    return sql.execute(here).rowcount > 0


def members(sql: Connection, workflow: str) -> list[Membership]:
    """Everyone with a place in a workflow, by account and role."""
    table = schema.membership
    found = select(table).where(table.c.workflow == workflow).order_by(table.c.account, table.c.role)
    return [Membership(**row) for row in sql.execute(found.limit(_MOST)).mappings()]


def memberships(sql: Connection, account: str) -> list[Membership]:
    """Every place of one account, by workflow and role."""
    table = schema.membership
    found = select(table).where(table.c.account == account).order_by(table.c.workflow, table.c.role)
    return [Membership(**row) for row in sql.execute(found.limit(_MOST)).mappings()]


def is_auditor(sql: Connection, account: str) -> bool:
    """Whether the account may look at every workflow."""
    return any((one.workflow, one.role) == (EVERYWHERE, AUDITOR) for one in memberships(sql, account))


def auditors(sql: Connection, accounts: list[str]) -> frozenset[str]:
    """Those of these accounts that may look at every workflow."""
    table = schema.membership
    place = (table.c.workflow == EVERYWHERE, table.c.role == AUDITOR, table.c.account.in_(accounts))
    return frozenset(sql.scalars(select(table.c.account).where(*place)))


def _proposal(row: RowMapping) -> Proposal:
    kinds = {"kind": Kind(row["kind"]), "state": State(row["state"]), "document": json.loads(row["document"])}
    return Proposal(**{**row, **kinds})
