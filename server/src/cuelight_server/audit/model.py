"""What the log is made of, and what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STRANGER = "-"  # whom a personal text is about when it is about nobody who is known here
SIGN_IN_FAILED = "sign_in"  # the subject of lines about failed sign-ins


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which lines somebody looks for; what is None does not matter.

    `subject` finds itself and all that lies in it: `sales` also `sales.x` and `sales.x@v2`. `since` and `until` are
    RFC 3339 text; a line at `until` itself is not found.
    """

    actor: str | None = None
    verb: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What a line says of a person, in the clear; the line itself holds its salted digest. `seq` is 0 before it is stored."""

    field: str
    person: str
    salt: str
    value: str
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The public half of a key that signs checkpoints: announced by line `seq`, endorsed by the key before it."""

    seq: int
    id: str
    verifier: str
    endorsement: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A checkpoint that was signed: the note, by which key, and up to which snapshot of production."""

    size: int
    note: str
    key: str
    snapshot_version: int
    issued_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """How far one sink has come: the newest checkpoint that it took, and what went wrong since."""

    name: str
    size: int = 0
    attempts: int = 0
    error: str = ""
    tried_at: str = ""
    next_at: str = ""
    delivered_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The hashes that prove a line to be in a log, or one log to be the start of another; all hex.

    For an inclusion `start` is the line (from 1) and `leaf` its hash; for a consistency `start` is the smaller size and
    `leaf` is the root that it had.
    """

    start: int
    leaf: str
    size: int
    root: str
    hashes: tuple[str, ...]
