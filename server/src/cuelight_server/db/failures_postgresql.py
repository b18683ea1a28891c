"""What PostgreSQL says when it fails, in Cuelight's words, by its SQLSTATE (PostgreSQL manual, appendix A)."""

from cuelight_server.db.triggers_postgresql import DENIED, REFUSED
from cuelight_server.db.words import GOVERNED
from cuelight_server.kernel.errors import Blocked, Conflict, CuelightError, Denied, Invalid, Unavailable

_READ_ONLY = "25006"
_TAKEN = "23505"
_GONE = ("the database does not answer", "look at the database server; whether the last change was stored is open")
_BUSY = ("the database is busy with another writer", "try again in a moment")
_ROOM = ("the database server has no room", "look at its memory and max_connections, then try again")
_ENTRY = ("the database does not let us in", "look at the user, the password and the database in the URL")
_UNAVAILABLE = {
    "08": _GONE,
    "25P03": _GONE,  # stood still inside a transaction for too long
    "40": _BUSY,  # could not be serialised; deadlock
    "55P03": _BUSY,  # lock timeout
    "57014": _BUSY,  # statement timeout
    "57": _GONE,  # shut down, crashed, starting
    _READ_ONLY: ("the database is read-only", "is the URL a standby's, or default_transaction_read_only on?"),
    "42501": ("the database user may not do this", "the user of the URL has to own the tables"),
    "53100": ("the disk is full", "make room on the database server's disk; nothing was half written"),
    "53": _ROOM,
    "58": ("the database server's disk does not answer as it should", "look at the database server's log"),
    "XX": ("the database is damaged", "look at the database server's log, and restore the last backup"),
    "28": _ENTRY,
    "3D": _ENTRY,
    "3F": ("the schema of the URL's search_path does not exist", "make it: CREATE SCHEMA ..."),
}
_DOES_NOT_FIT = {
    "22001": "a text is longer than its column",
    "22003": "a number is larger than its column",
    "22021": "a text has characters that the database cannot store",
}


def our_kind(error: Exception) -> CuelightError | None:
    """Busy, gone, read-only, full and damaged are Unavailable; a trigger's refusal is Blocked; a taken key a Conflict.

    None for what only a mistake in the program can cause. An error without a SQLSTATE is the driver's own.
    """
    state, message = getattr(error, "sqlstate", None), str(error).partition("\n")[0]
    if state is None:
        return _drivers_own(error, message)
    if state == REFUSED:
        return Blocked(message, "store a new one beside it; what was stored stays")
    if state == DENIED:
        return Denied(GOVERNED, "use act() in control/door.py")
    if state == _TAKEN:
        return Conflict("something with this key is stored already", "read it again, then decide", cause=message)
    if state in _DOES_NOT_FIT:
        return Invalid(_DOES_NOT_FIT[state], "send less of it", cause=message)
    words = _UNAVAILABLE.get(state) or _UNAVAILABLE.get(state[:2])
    return Unavailable(words[0], words[1], cause=message) if words else None


def wrote(error: Exception) -> bool:
    """A mistake in the program: it wrote without having asked for it, which says nothing about the server."""
    return getattr(error, "sqlstate", None) == _READ_ONLY


def _drivers_own(error: Exception, message: str) -> CuelightError | None:
    kinds = {each.__name__ for each in type(error).__mro__}
    if "OperationalError" in kinds:  # no connection, or one that broke
        return Unavailable(*_GONE, cause=message)
    if "DataError" in kinds and "NUL" in message:
        return Invalid("a text has a NUL character, which the database cannot store", "take it out", cause=message)
    return None
