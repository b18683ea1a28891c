"""What the log is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One audit line. `at` is RFC 3339 text; `verb` is a Verb's value or `refused`; `facts` is JSON.

    `seq` counts from 1 without gaps and equals the size of the log that ends with the line; 0 before it is stored.
    """

    at: str
    actor: str
    verb: str
    subject: str
    facts: Mapping[str, Any]
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A stored event as it lies in the database: canonical JSON text and the hex hash of it.

    A row that somebody changed may hold anything: what is no text comes here as text that no line ever was.
    """

    seq: int
    body: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Head:
    """The log after `size` events: hex root, and the hex frontier, largest subtree first."""

    size: int
    root: str
    frontier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head that somebody keeps outside of the desk, as the text `size root`."""

    size: int
    root: str

    def __str__(self) -> str:
        return f"{self.size} {self.root}"


class Tampering(StrEnum):
    """What was done to a log."""

    EDIT = "edit"
    DELETION = "deletion"
    INSERTION = "insertion"
    REORDER = "reorder"
    TRUNCATION = "truncation"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the log: what, at which line (None = the log as a whole), in plain words."""

    kind: Tampering
    seq: int | None
    message: str
