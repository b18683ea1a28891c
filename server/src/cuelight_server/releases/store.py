"""Where releases and approvals are kept."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.kernel.terms import ReleaseState, Role
from cuelight_server.releases.model import Approval, Release

_MOST = 200


def save_approval(sql: Connection, approval: Approval) -> None:
    """Store a yes for good; Conflict when the same person gave the same yes before."""
    sql.execute(
        insert(schema.approval).values(
            id=approval.id,
            prompt=approval.prompt,
            number=approval.number,
            environment=approval.environment,
            binding=approval.binding,
            role=approval.role.value,
            person=approval.person,
            note=approval.note,
            created_at=approval.created_at,
        )
    )


def approvals(sql: Connection, prompt: str, number: int, environment: str, binding: str) -> tuple[Approval, ...]:
    """Every yes to exactly this, oldest first."""
    table = schema.approval
    found = select(table).where(
        table.c.prompt == prompt,
        table.c.number == number,
        table.c.environment == environment,
        table.c.binding == binding,
    )
    return tuple(_approval(row) for row in sql.execute(found.order_by(table.c.created_at, table.c.id).limit(_MOST)))


def open_approvals(sql: Connection, prompts: Collection[str]) -> list[str]:
    """Ids of every yes to what was not released yet, for these prompts: what a change of the rules makes void."""
    table, used = schema.approval, select(schema.release.c.binding)
    found = select(table.c.id).where(table.c.prompt.in_(prompts), table.c.binding.not_in(used))
    return list(sql.scalars(found.order_by(table.c.created_at, table.c.id).limit(_MOST)))


def save(sql: Connection, release: Release) -> None:
    """Store a new release."""
    sql.execute(
        insert(schema.release).values(
            id=release.id,
            prompt=release.prompt,
            number=release.number,
            environment=release.environment,
            previous=release.previous,
            binding=release.binding,
            checklist=canonical_text(dict(release.checklist)),
            state=release.state.value,
            actor=release.actor,
            note=release.note,
            created_at=release.created_at,
        )
    )


def end(sql: Connection, id: str, state: ReleaseState, at: str, why: str) -> None:
    """A release stops being live: superseded, or rolled back."""
    table = schema.release
    sql.execute(update(table).where(table.c.id == id).values(state=state.value, ended_at=at, ended_why=why))


def revive(sql: Connection, id: str) -> None:
    """The release that a rollback went back to is the live one again."""
    table = schema.release
    values = {"state": ReleaseState.LIVE.value, "ended_at": None, "ended_why": None}
    sql.execute(update(table).where(table.c.id == id).values(**values))


def release(sql: Connection, id: str) -> Release | None:
    """One release, or None."""
    row = sql.execute(select(schema.release).where(schema.release.c.id == id)).one_or_none()
    return None if row is None else _release(row)


def newest_of(sql: Connection, prompt: str, number: int, environment: str) -> Release | None:
    """The newest release of one version into one environment that was not rolled back, or None."""
    table = schema.release
    found = select(table).where(
        table.c.prompt == prompt,
        table.c.number == number,
        table.c.environment == environment,
        table.c.state != ReleaseState.ROLLED_BACK.value,
    )
    row = sql.execute(found.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _release(row)


def once_live(sql: Connection, prompt: str, environment: str) -> list[int]:
    """The versions that were released into one environment and not rolled back from that release, newest first."""
    table = schema.release
    found = select(table.c.number).where(
        table.c.prompt == prompt, table.c.environment == environment, table.c.state != ReleaseState.ROLLED_BACK.value
    )
    return list(dict.fromkeys(sql.scalars(found.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(_MOST))))


def taken_back(sql: Connection, prompt: str, environment: str, at: str) -> int | None:
    """The version that the rollback at this moment took back, or None where there was no rollback then."""
    table = schema.release
    found = select(table.c.number).where(
        table.c.prompt == prompt,
        table.c.environment == environment,
        table.c.state == ReleaseState.ROLLED_BACK.value,
        table.c.ended_at == at,
    )
    number = sql.scalar(found.order_by(table.c.id.desc()).limit(1))
    return None if number is None else int(number)


def rolled_back(sql: Connection, prompt: str, number: int, environment: str) -> Release | None:
    """The newest release of this version that was rolled back in this environment, or None."""
    table = schema.release
    found = select(table).where(
        table.c.prompt == prompt,
        table.c.number == number,
        table.c.environment == environment,
        table.c.state == ReleaseState.ROLLED_BACK.value,
    )
    row = sql.execute(found.order_by(table.c.ended_at.desc(), table.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _release(row)


def history(sql: Connection, prompt: str, before: str | None = None, size: int = DEFAULT_SIZE) -> Page[Release]:
    """Releases of one prompt, newest first, from below the id `before`."""
    table = schema.release
    query = select(table).where(table.c.prompt == prompt).order_by(table.c.id.desc()).limit(checked_size(size) + 1)
    if before is not None:
        query = query.where(table.c.id < before)
    return page_of([_release(row) for row in sql.execute(query)], size, lambda one: one.id)


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        prompt=row.prompt,
        number=row.number,
        environment=row.environment,
        binding=row.binding,
        role=Role(row.role),
        person=row.person,
        note=row.note,
        created_at=row.created_at,
    )


def _release(row: Row[Any]) -> Release:
    return Release(
        id=row.id,
        prompt=row.prompt,
        number=row.number,
        environment=row.environment,
        previous=row.previous,
        binding=row.binding,
        checklist=json.loads(row.checklist),
        state=ReleaseState(row.state),
        actor=row.actor,
        note=row.note,
        created_at=row.created_at,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
    )
