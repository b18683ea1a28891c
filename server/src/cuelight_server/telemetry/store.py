"""Where calls are kept: a store of their own."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from cuelight.contract.canonical import canonical_text
from cuelight_server.db import schema
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.telemetry.model import Call


def insert_new(sql: Connection, calls: Sequence[Call]) -> int:
    """Store those calls that are new in their environment, and return how many; a known one stays as it was."""
    first = {(call.environment, call.id): call for call in reversed(calls)}
    rows = [_row(first[key]) for key in sorted(first)]  # in one order: two who send the same do not lock each other out
    if not rows:
        return 0
    new = upsert(sql, schema.call).on_conflict_do_nothing().returning(schema.call.c.id)
    return len(sql.execute(new, rows).all())


def calls(sql: Connection, id: str) -> dict[str, Call]:
    """Environment -> the call that was recorded there under this id."""
    table = schema.call
    rows = sql.execute(select(table).where(table.c.id == id).order_by(table.c.environment))
    return {row.environment: _call(row) for row in rows}


def newest(
    sql: Connection, environment: str, prompt: str, before: str | None = None, size: int = DEFAULT_SIZE
) -> Page[Call]:
    """Calls of one prompt in one environment, newest first; the cursor is `<at> <id>` of the last one seen."""
    table = schema.call
    found = select(table).where(table.c.environment == environment, table.c.prompt == prompt)
    if before is not None:
        at, _, id = before.partition(" ")
        found = found.where((table.c.at < at) | ((table.c.at == at) & (table.c.id < id)))
    rows = sql.execute(found.order_by(table.c.at.desc(), table.c.id.desc()).limit(checked_size(size) + 1))
    return page_of([_call(row) for row in rows], size, lambda one: f"{one.at} {one.id}")


def _row(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "at": call.at,
        "environment": call.environment,
        "prompt": call.prompt,
        "number": call.number,
        "digest": call.digest,
        "reason": call.reason,
        "ok": call.ok,
        "document": canonical_text(dict(call.document)),
    }


def _call(row: Row[Any]) -> Call:
    return Call(
        id=row.id,
        at=row.at,
        environment=row.environment,
        prompt=row.prompt,
        number=row.number,
        digest=row.digest,
        reason=row.reason,
        ok=row.ok,
        document=json.loads(row.document),
    )
