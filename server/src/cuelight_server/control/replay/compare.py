"""Rows against what the log told of them: each row has its line, each line its row, and both say the same."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.errors import Invalid
from cuelight_server.audit.model import Event


class Log(Protocol):
    """The lines of a log that can be read, oldest first; each question reads them anew, so that none are held in memory."""

    def __iter__(self) -> Iterator[Event]:
        """All of them."""
        ...

    def of(self, *verbs: str) -> Iterator[Event]:
        """Those of these verbs."""
        ...

    def holding(self, *names: str) -> Iterator[Event]:
        """Those that say one of these names in their facts, and perhaps others."""
        ...


Row = Mapping[str, Any]
Key = tuple[Any, ...]
Told = Mapping[Key, Mapping[str, Any]]  # key of a row -> what its columns have to be

UNREADABLE = "unreadable"
_WORDS = {
    "sealed": "its content",
    "admin": "whether an administrator",
    "disabled_at": "whether it is disabled",
    "revoked_at": "whether it is revoked",
    "created_at": "when it was made",
    "weights": "what it serves",
    "kill": "the kill switch",
    "note_digest": "its note",
    "secret": "its secret",
    "person": "whose it is",
    "gave": "what groups give it",
    "linked_at": "when it was linked",
    "expires_at": "when it ends",
    "ended_at": "whether it is over",
    "last_used_at": "when it was last used",
    "changed_at": "when it was set",
    "verified_at": "when it was vouched for",
    "started_at": "when it was made",
}


def compare(what: str, keys: tuple[str, ...], rows: Iterable[Row], told: Told) -> Iterator[str]:
    """What differs; `what` names a row and `keys` are the columns that tell one row from another."""
    seen = set[Key]()
    for row in rows:
        key = tuple(row[name] for name in keys)
        seen.add(key)
        line = told.get(key)
        if line is None:
            yield f"{named(what, key)} is there, and no line of the log tells of it"
        else:
            yield from differing(named(what, key), row, line)
    yield from (f"{named(what, key)} is gone; the log tells of it" for key in told if key not in seen)


def differing(name: str, row: Row, line: Mapping[str, Any]) -> Iterator[str]:
    """The columns of one row that are not what its line told."""
    for column, wanted in line.items():
        stored = row.get(column)
        if stored != wanted:
            words = _WORDS.get(column, column.replace("_", " "))
            yield f"{name}: {words} is {_short(stored)}, the log tells {_short(wanted)}"


def named(what: str, key: Key) -> str:
    """`suite sales main 3`."""
    return " ".join([what, *(str(part) for part in key if part != "")])


def with_seal(rows: Iterable[Row], seal: Callable[[Row], Any]) -> Iterator[Row]:
    """The rows, each with the digest that its content gives now as `sealed`; content that is no JSON gives none."""
    for row in rows:
        try:
            yield {**row, "sealed": seal(row)}
        except (Invalid, LookupError, TypeError, ValueError, AttributeError, RecursionError):
            yield {**row, "sealed": UNREADABLE}


def document(row: Row) -> str:
    """The digest of a row's `document`."""
    return digest(json.loads(row["document"]))


def read(text: Any) -> Any:
    """What a column holds as JSON text; what is none comes out as a word that no line tells."""
    try:
        return json.loads(text) if text is not None else None
    except (TypeError, ValueError, RecursionError):
        return UNREADABLE


def sealed(text: Any) -> str:
    """The digest that the log tells of a text which it does not hold itself."""
    return digest_bytes(str(text).encode(errors="replace"))


def label_number(label: str) -> int:
    """2 for `v2`."""
    return int(label.removeprefix("v"))


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
