"""Where tries are kept."""

import json

from sqlalchemy import Connection, RowMapping, insert, select

from cuelight.contract.canonical import canonical_text
from cuelight_server.db.schema import tried
from cuelight_server.kernel.page import Page, checked_size, page_of
from cuelight_server.tries.model import Tried

_MOST = 200


def save(sql: Connection, new: Tried) -> None:
    """Store a try for good."""
    row = {name: getattr(new, name) for name in new.__slots__}
    sql.execute(insert(tried).values({**row, "document": canonical_text(dict(new.document))}))


def of_content(sql: Connection, prompt: str, content_digest: str) -> list[Tried]:
    """Every try of exactly this content, newest first."""
    query = select(tried).where(tried.c.prompt == prompt, tried.c.content_digest == content_digest)
    return [_tried(row) for row in sql.execute(query.order_by(tried.c.id.desc()).limit(_MOST)).mappings()]


def newest(sql: Connection, prompt: str, before: str | None, size: int) -> Page[Tried]:
    """The tries of a prompt, newest first, from below the id `before`."""
    query = select(tried).where(tried.c.prompt == prompt).order_by(tried.c.id.desc())
    if before is not None:
        query = query.where(tried.c.id < before)
    rows = sql.execute(query.limit(checked_size(size) + 1)).mappings()
    return page_of([_tried(row) for row in rows], size, lambda one: one.id)


def _tried(row: RowMapping) -> Tried:
    return Tried(**{**row, "document": json.loads(row["document"])})
