"""Which verb stands behind a door: every route and every command says so, and a test asks each of them."""

from collections.abc import Callable
from typing import Any, TypeVar

from cuelight_server.audit.verbs import Verb

_VERB = "__cuelight_verb__"
T = TypeVar("T")


def declares(verb: Verb) -> Callable[[T], T]:
    """Mark an endpoint or a command with its verb; returned as it was."""

    def mark(door: T) -> T:
        setattr(door, _VERB, verb)
        return door

    return mark


def declared(door: Any) -> Verb | None:
    """The verb that an endpoint or a command was marked with; None where nobody has."""
    found = getattr(door, _VERB, None)
    return found if isinstance(found, Verb) else None
