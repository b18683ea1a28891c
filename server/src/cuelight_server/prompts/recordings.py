"""Recordings as a whole: one digest for all that a workflow has, so that a line of the log can vouch for them."""

from collections.abc import Iterable

from cuelight.contract.canonical import digest

Recorded = tuple[str, str, int, str]  # content digest, case, sample, canonical text


def shelf_digest(recorded: Iterable[Recorded]) -> str:
    """The digest of these recordings in whatever order they come; ValueError where they cannot be put in order."""
    try:
        return digest([[str(part) for part in one] for one in sorted(recorded)])
    except TypeError as bad:
        raise ValueError("recordings of mixed kinds") from bad
