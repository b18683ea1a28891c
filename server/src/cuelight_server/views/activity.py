"""What happened: the audit log, page by page."""

from cuelight_server.audit import store
from cuelight_server.audit.model import Event
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.page import DEFAULT_SIZE, Page


def events(desk: Desk, before: int | None = None, size: int = DEFAULT_SIZE) -> Page[Event]:
    """Audit lines, newest first, from below the seq `before`."""
    with reading(desk.registry) as sql:
        return store.newest(sql, before, size)


def after(desk: Desk, seq: int = 0, size: int = DEFAULT_SIZE) -> Page[Event]:
    """Audit lines, oldest first, from above `seq`."""
    with reading(desk.registry) as sql:
        return store.after(sql, seq, size)


def lines(desk: Desk) -> int:
    """How many lines the log has: it grows with every governed change."""
    with reading(desk.registry) as sql:
        return store.checkpoint(sql).size
