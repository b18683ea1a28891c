"""The six kinds of error that Cuelight knows; each says what happened and what to do next.

CuelightError
├── NotFound      there is no such thing
├── Invalid       the input is not what it must be
├── Conflict      something else happened first
├── Denied        this person or key may not do that
├── Blocked       the process stands in the way: evidence, approval or a rule is missing
└── Unavailable   something that is needed cannot be reached now
"""

from typing import Any, ClassVar


class CuelightError(Exception):
    """Base of the six kinds.

    `message` says what happened in plain words, `hint` what to do next, `details` holds JSON facts for machines.
    """

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def to_json(self) -> dict[str, Any]:
        """The error as it goes over the wire: kind, message, hint, details."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint, "details": self.details}


class NotFound(CuelightError):
    """There is no such thing."""

    kind = "not_found"


class Invalid(CuelightError):
    """The input is not what it must be."""

    kind = "invalid"


class Conflict(CuelightError):
    """Something else happened first."""

    kind = "conflict"


class Denied(CuelightError):
    """This person or key may not do that."""

    kind = "denied"


class Blocked(CuelightError):
    """The process stands in the way: evidence, an approval or a rule is missing."""

    kind = "blocked"


class Unavailable(CuelightError):
    """Something that is needed cannot be reached now."""

    kind = "unavailable"


KINDS: dict[str, type[CuelightError]] = {
    kind.kind: kind for kind in (NotFound, Invalid, Conflict, Denied, Blocked, Unavailable)
}


def from_json(body: Any) -> CuelightError:
    """The error that `to_json` described; anything unreadable is Unavailable."""
    if not isinstance(body, dict) or body.get("kind") not in KINDS:
        return Unavailable("the answer could not be read as one of Cuelight's errors", "is this a Cuelight server?")
    details = body.get("details")
    kind = KINDS[body["kind"]]
    error = kind(str(body.get("message", "")), str(body.get("hint", "")))
    error.details = details if isinstance(details, dict) else {}
    return error
