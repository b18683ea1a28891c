"""Where the log is kept, with what was signed and what can be erased: a file a kind of row."""

from cuelight_server.audit.store.lines import (
    after,
    append,
    checkpoint,
    examine,
    head,
    last_at,
    line,
    lines_after,
    newest,
    newest_of,
    readable,
    root_at,
)

__all__ = [
    "after",
    "append",
    "checkpoint",
    "examine",
    "head",
    "last_at",
    "line",
    "lines_after",
    "newest",
    "newest_of",
    "readable",
    "root_at",
]
