"""What a database says when it fails, in Cuelight's words."""

import sqlite3

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError, TimeoutError  # noqa: A004  the pool's, which has no other name

from cuelight_server.db import failures_postgresql
from cuelight_server.db.transactions import Intent, intent_of
from cuelight_server.db.words import GOVERNED, NEVER_CHANGES
from cuelight_server.kernel.errors import Blocked, Conflict, CuelightError, Denied, Unavailable

NOT_NOW = (OperationalError, TimeoutError)  # what may still come through: for the faces' error map

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: ("the database is busy with another writer", "try again in a moment"),
    sqlite3.SQLITE_LOCKED: ("the database is busy with another writer", "try again in a moment"),
    sqlite3.SQLITE_READONLY: ("the database is read-only", "look at the permissions of the data folder and its files"),
    sqlite3.SQLITE_FULL: ("the disk is full", "make room on the disk of the data folder; nothing was half written"),
    sqlite3.SQLITE_IOERR: ("the disk does not answer as it should", "look at the disk of the data folder"),
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened", "does the data folder exist, and may this user enter?"),
    sqlite3.SQLITE_CORRUPT: ("the database file is damaged", "stop the server and restore the last backup"),
    sqlite3.SQLITE_NOTADB: ("the file is no database", "is this the right data folder? If so, restore a backup"),
    sqlite3.SQLITE_PERM: ("the database file may not be used", "look at the permissions of the data folder"),
}
_TAKEN = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)


def in_our_words(context: ExceptionContext) -> CuelightError | None:
    """What SQLAlchemy raises instead of the driver's exception, where we have a word (a `handle_error` listener)."""
    if context.is_pre_ping:
        return None  # the pool asks for itself, and takes another connection
    error = context.original_exception
    reads = context.connection is not None and intent_of(context.connection) is Intent.READ
    if isinstance(error, sqlite3.Error):
        return None if reads and _wrote(error) else our_kind(error)
    if context.dialect.name == "postgresql" and isinstance(error, Exception):
        return None if reads and failures_postgresql.wrote(error) else failures_postgresql.our_kind(error)
    return None


def our_kind(error: sqlite3.Error) -> CuelightError | None:
    """Busy, read-only, full and damaged are Unavailable; a trigger's refusal is Blocked; a taken key is a Conflict.

    None for what only a mistake in the program can cause.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in _UNAVAILABLE:
        message, hint = _UNAVAILABLE[code & 0xFF]
        return Unavailable(message, hint, cause=str(error))
    if code & 0xFF == sqlite3.SQLITE_AUTH:
        return Denied(GOVERNED, "use act() in control/door.py")
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER and str(error).endswith(NEVER_CHANGES):
        return Blocked(str(error), "store a new one beside it; what was stored stays")
    if code in _TAKEN or code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return Conflict("something with this key is stored already", "read it again, then decide", cause=str(error))
    return None


def _wrote(error: sqlite3.Error) -> bool:
    """A mistake in the program: it wrote without having asked for it, which says nothing about the disk."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY
