"""What happened: the audit log, page by page, as far as it is there for the reader."""

from collections.abc import Callable

from cuelight_server.audit import store
from cuelight_server.audit.model import Event
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.page import DEFAULT_SIZE, MAX_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.views.sight import is_seen

_MOST_LOOKED_AT = 5000  # lines behind one page: a page may be short, and its cursor goes on from there
_Read = Callable[[Connection, int | None, int], Page[Event]]


def events(
    desk: Desk, before: int | None = None, size: int = DEFAULT_SIZE, sight: Sight = EVERYTHING, reader: str = ""
) -> Page[Event]:
    """Audit lines, newest first, from below the seq `before`."""
    return _seen(desk, store.newest, before, size, sight, reader)


def after(
    desk: Desk, seq: int | None = None, size: int = DEFAULT_SIZE, sight: Sight = EVERYTHING, reader: str = ""
) -> Page[Event]:
    """Audit lines, oldest first, from above `seq`."""
    return _seen(desk, lambda sql, at, most: store.after(sql, at or 0, most), seq, size, sight, reader)


def _seen(desk: Desk, read: _Read, cursor: int | None, size: int, sight: Sight, reader: str) -> Page[Event]:
    with reading(desk.registry) as sql:
        if sight.everything:
            return read(sql, cursor, size)
        found: list[Event] = []
        looked, at = 0, cursor
        while looked < _MOST_LOOKED_AT:
            page = read(sql, at, MAX_SIZE)
            looked += len(page.items)
            for one in page.items:
                at = one.seq
                if is_seen(one, sight, reader):
                    found.append(one)
                if len(found) == size:
                    return Page(tuple(found), str(at))
            if page.next is None:
                return Page(tuple(found), None)
        return Page(tuple(found), str(at))
