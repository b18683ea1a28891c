"""The six kinds of error, the same ones that the client raises."""

from cuelight.contract.errors import (
    Blocked,
    Conflict,
    CuelightError,
    Denied,
    Invalid,
    NotFound,
    Unavailable,
)

__all__ = ["Blocked", "Conflict", "CuelightError", "Denied", "Invalid", "NotFound", "Unavailable"]
