"""Where the log is kept: one row an event, and one row for what the log was after it."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from cuelight.contract.canonical import canonical_text
from cuelight_server.audit.log import Frontier, leaf_hash, root_of
from cuelight_server.audit.log import append as grown
from cuelight_server.audit.model import Checkpoint, Event, Finding, Head, Line
from cuelight_server.audit.verify import verify_log
from cuelight_server.db.schema import audit_event, audit_head
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of


def append(sql: Connection, event: Event) -> int:
    """Store the event as the next line and return its seq; call it in the transaction of what it tells."""
    before = head(sql)
    seq = before.size + 1
    body = canonical_text(
        {
            "seq": seq,
            "at": event.at,
            "actor": event.actor,
            "verb": event.verb,
            "subject": event.subject,
            "facts": dict(event.facts),
        }
    )
    leaf = leaf_hash(body.encode())
    after = grown(Frontier(before.size, tuple(map(bytes.fromhex, before.frontier))), leaf)
    sql.execute(insert(audit_event).values(seq=seq, body=body, leaf=leaf.hex()))
    frontier = json.dumps([root.hex() for root in after.roots])
    sql.execute(insert(audit_head).values(size=seq, root=root_of(after).hex(), frontier=frontier))
    return seq


def head(sql: Connection) -> Head:
    """The log as it is now; size 0 before the first event."""
    row = sql.execute(select(audit_head).order_by(audit_head.c.size.desc()).limit(1)).one_or_none()
    if row is None:
        return Head(0, root_of(Frontier()).hex())
    return _head(row)


def last_at(sql: Connection) -> datetime | None:
    """The time of the newest line; None before the first, or where somebody has made it unreadable (`verify` tells)."""
    body = sql.scalar(select(audit_event.c.body).order_by(audit_event.c.seq.desc()).limit(1))
    try:
        return parse(json.loads(body)["at"]) if body is not None else None
    except (ValueError, LookupError, TypeError, Invalid):
        return None


def checkpoint(sql: Connection) -> Checkpoint:
    """What to keep outside of the desk, to detect truncation and a full rewrite later."""
    now = head(sql)
    return Checkpoint(now.size, now.root)


def newest(sql: Connection, before: int | None = None, size: int = DEFAULT_SIZE) -> Page[Event]:
    """Events, newest first, from below the seq `before`; the cursor is the seq to go on from."""
    query = select(audit_event.c.body).order_by(audit_event.c.seq.desc()).limit(checked_size(size) + 1)
    if before is not None:
        query = query.where(audit_event.c.seq < before)
    return page_of([_event(body) for body in sql.scalars(query)], size, lambda event: str(event.seq))


def after(sql: Connection, seq: int = 0, size: int = DEFAULT_SIZE) -> Page[Event]:
    """Events, oldest first, from above `seq`; the cursor is the seq to go on from."""
    query = select(audit_event.c.body).order_by(audit_event.c.seq).where(audit_event.c.seq > seq)
    found = sql.scalars(query.limit(checked_size(size) + 1))
    return page_of([_event(body) for body in found], size, lambda event: str(event.seq))


def newest_of(sql: Connection, verb: str, subject: str) -> Event | None:
    """The newest event of one verb on one subject, or None; it looks through the log, so ask it when a person waits."""
    ends = canonical_text({"subject": subject, "verb": verb}).removeprefix("{")  # the last keys of a canonical body
    query = select(audit_event.c.body).where(audit_event.c.body.endswith(ends, autoescape=True))
    body = sql.scalar(query.order_by(audit_event.c.seq.desc()).limit(1))
    return None if body is None else _event(body)


def examine(sql: Connection, kept: Checkpoint | None = None) -> list[Finding]:
    """Everything that is wrong with the stored log, against its own heads and a checkpoint that was kept outside."""
    lines = (_line(row) for row in sql.execute(select(audit_event).order_by(audit_event.c.seq)))
    heads = (_any_head(row) for row in sql.execute(select(audit_head)))
    return verify_log(lines, heads, kept)


def readable(sql: Connection) -> list[Event]:
    """Every line that can be read, oldest first; `examine` names the others."""
    found = []
    for body in sql.scalars(select(audit_event.c.body).order_by(audit_event.c.seq)):
        with suppress(TypeError, ValueError, RecursionError):
            event = _event(body)
            if isinstance(event.facts, dict) and isinstance(event.subject, str):
                found.append(event)
    return found


def _line(row: Row[Any]) -> Line:
    body = row.body if isinstance(row.body, str) else f"no text: {row.body!r}"
    return Line(row.seq, body, str(row.leaf))


def _any_head(row: Row[Any]) -> Head:
    """A head as it is, or one that belongs to no line where its frontier cannot be read."""
    try:
        return _head(row)
    except (TypeError, ValueError, RecursionError):
        return Head(row.size, "unreadable")


def _head(row: Row[Any]) -> Head:
    return Head(row.size, row.root, tuple(json.loads(row.frontier)))


def _event(body: str) -> Event:
    return Event(**json.loads(body))
