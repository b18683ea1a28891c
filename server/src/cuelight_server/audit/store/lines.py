"""The lines: one row an event, and one row for what the log was after it."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, literal, or_, select

from cuelight.contract.canonical import canonical_text
from cuelight.contract.log import Checkpoint, Finding, Head, Line, verify_log
from cuelight.contract.merkle import Frontier, leaf_hash, root_of
from cuelight.contract.merkle import append as grown
from cuelight_server.audit.model import Asked, Event, Personal
from cuelight_server.db.schema import audit_event, audit_head, personal
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of

ALL = Asked()
_AT_ONCE = 500  # rows in memory while everything is read
_SEARCHED = ("at", "actor", "verb", "subject")
_LINE = (audit_event.c.seq, audit_event.c.body, audit_event.c.leaf)


def append(sql: Connection, event: Event, told: Iterable[Personal] = ()) -> int:
    """Store the event as the next line and return its seq; call it in the transaction of what it tells.

    `told` are the texts in the clear for which the event's facts hold salted digests.
    """
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
    sql.execute(insert(audit_event).values(seq=seq, body=body, leaf=leaf.hex(), **searchable(event)))
    frontier = json.dumps([root.hex() for root in after.roots])
    sql.execute(insert(audit_head).values(size=seq, root=root_of(after).hex(), frontier=frontier))
    if rows := [asdict(replace(one, seq=seq)) for one in told]:
        sql.execute(insert(personal), rows)
    return seq


def searchable(event: Event) -> dict[str, str]:
    """What lines are searched by, cut to what its column holds; a NUL, which PostgreSQL cannot store, is replaced."""
    columns = {name: audit_event.c[name].type for name in _SEARCHED}
    return {
        name: str(getattr(event, name)).replace("\0", "\ufffd")[: getattr(kind, "length", None)]
        for name, kind in columns.items()
    }


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


def newest(sql: Connection, before: int | None = None, size: int = DEFAULT_SIZE, asked: Asked = ALL) -> Page[Event]:
    """Events, newest first, from below the seq `before`; the cursor is the seq to go on from."""
    query = select(audit_event.c.body).order_by(audit_event.c.seq.desc()).limit(checked_size(size) + 1)
    if before is not None:
        query = query.where(audit_event.c.seq < before)
    found = sql.scalars(query.where(*_asked(asked)))
    return page_of([event_of(body) for body in found], size, lambda event: str(event.seq))


def after(sql: Connection, seq: int = 0, size: int = DEFAULT_SIZE, asked: Asked = ALL) -> Page[Event]:
    """Events, oldest first, from above `seq`; the cursor is the seq to go on from."""
    query = select(audit_event.c.body).order_by(audit_event.c.seq).where(audit_event.c.seq > seq, *_asked(asked))
    found = sql.scalars(query.limit(checked_size(size) + 1))
    return page_of([event_of(body) for body in found], size, lambda event: str(event.seq))


def newest_of(sql: Connection, verb: str, subject: str) -> Event | None:
    """The newest event of one verb on one subject, or None."""
    same = (audit_event.c.verb == verb, audit_event.c.subject == subject)
    body = sql.scalar(select(audit_event.c.body).where(*same).order_by(audit_event.c.seq.desc()).limit(1))
    return None if body is None else event_of(body)


def line(sql: Connection, seq: int) -> Line | None:
    """One line as it lies there, or None."""
    row = sql.execute(select(*_LINE).where(audit_event.c.seq == seq)).one_or_none()
    return None if row is None else _line(row)


def lines_after(sql: Connection, seq: int, until: int, size: int) -> list[tuple[Line, str | None]]:
    """Up to `size` lines from above `seq` to `until`, oldest first, each with the root that the log had after it."""
    joined = audit_event.outerjoin(audit_head, audit_head.c.size == audit_event.c.seq)
    query = select(*_LINE, audit_head.c.root).select_from(joined).order_by(audit_event.c.seq)
    found = sql.execute(query.where(audit_event.c.seq > seq, audit_event.c.seq <= until).limit(size))
    return [(_line(row), row.root) for row in found]


def root_at(sql: Connection, size: int) -> str | None:
    """The root that the log had after `size` lines, or None where there is no such head; that of nothing for 0."""
    if size == 0:
        return root_of(Frontier()).hex()
    return sql.scalar(select(audit_head.c.root).where(audit_head.c.size == size))


def examine(sql: Connection, *kept: Checkpoint) -> list[Finding]:
    """Everything that is wrong with the stored log, against its own heads and checkpoints that were kept outside."""
    lines = (_line(row) for row in _streamed(sql, select(*_LINE).order_by(audit_event.c.seq)))
    heads = (_any_head(row) for row in _streamed(sql, select(audit_head).order_by(audit_head.c.size)))
    return verify_log(lines, heads, *kept)


def event_of(body: str) -> Event:
    """The event in the body of a line; ValueError or TypeError where it is none."""
    return Event(**json.loads(body))


class Readable:
    """Every line that can be read, oldest first, a few at a time in memory; `examine` names the others."""

    def __init__(self, sql: Connection) -> None:
        self._sql = sql

    def __iter__(self) -> Iterator[Event]:
        """All of them."""
        return self._read()

    def of(self, *verbs: str) -> Iterator[Event]:
        """Those of these verbs: by the column, or by the lines where somebody has filed one under another verb."""
        if self._filed:
            return self._read(audit_event.c.verb.in_(verbs))
        return (one for one in self._read() if one.verb in verbs)

    def holding(self, *names: str) -> Iterator[Event]:
        """Those in whose text one of these names stands; an escape may stand for any."""
        marks = ("\\u", *(f'"{name}"' for name in names))
        return self._read(or_(*(audit_event.c.body.contains(mark, autoescape=True) for mark in marks)))

    @cached_property
    def _filed(self) -> bool:
        """Whether every line ends with the verb that it is filed under: canonical JSON has it last."""
        table, verb = audit_event.c, audit_event.c.verb
        end = func.substr(table.body, func.length(table.body) - func.length(verb) - len('"verb":""}') + 1)
        wrong = or_(end.is_distinct_from(literal('"verb":"') + verb + '"}'), verb.contains('"'))
        return self._sql.scalar(select(table.seq).where(wrong).limit(1)) is None

    def _read(self, *which: ColumnElement[bool]) -> Iterator[Event]:
        for row in _streamed(self._sql, select(audit_event.c.body).where(*which).order_by(audit_event.c.seq)):
            with suppress(TypeError, ValueError, RecursionError):
                event = event_of(row.body)
                if isinstance(event.facts, dict) and isinstance(event.subject, str):
                    yield event


def readable(sql: Connection) -> Readable:
    """The lines that can be read."""
    return Readable(sql)


def _streamed(sql: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    yield from sql.execute(query, execution_options={"yield_per": _AT_ONCE})


def _asked(asked: Asked) -> Iterator[ColumnElement[bool]]:
    table = audit_event.c
    for name in ("actor", "verb"):
        if (wanted := getattr(asked, name)) is not None:
            yield table[name] == wanted
    if (place := asked.subject) is not None:  # itself, what begins with `sales.`, what begins with `sales@`
        inside = [(table.subject >= place + mark) & (table.subject < place + chr(ord(mark) + 1)) for mark in ".@"]
        yield or_(table.subject == place, *inside)
    if asked.since is not None:
        yield table.at >= asked.since
    if asked.until is not None:
        yield table.at < asked.until


def _line(row: Any) -> Line:
    body = row.body if isinstance(row.body, str) else f"no text: {row.body!r}"
    return Line(row.seq, body, str(row.leaf))


def _any_head(row: Row[Any]) -> Head:
    """A head as it is, or one that belongs to no line where its frontier cannot be read."""
    try:
        return _head(row) if isinstance(row.root, str) else Head(row.size, "unreadable")
    except (TypeError, ValueError, RecursionError):
        return Head(row.size, "unreadable")


def _head(row: Row[Any]) -> Head:
    return Head(row.size, row.root, tuple(map(str, json.loads(row.frontier))))
