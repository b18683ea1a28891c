"""Checkpoints that somebody saved outside of a desk: read from whatever they were saved as."""

import json
from dataclasses import dataclass

from cuelight.contract.errors import Invalid
from cuelight.contract.log import Checkpoint, parse_checkpoint
from cuelight.contract.note import parse_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint that somebody saved outside: the signed note where it was one, and where it was read."""

    checkpoint: Checkpoint
    note: str | None
    place: str


def read_kept(text: str, name: str) -> list[Kept]:
    """The checkpoints in a file that somebody saved: one signed note, `size root`, or what the file sink wrote.

    Invalid where it holds none.
    """
    lines = text.splitlines()
    if text.startswith("{"):
        return [_from_sink(line, f"{name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if len(lines) == 1:
        return [Kept(checkpoint=parse_checkpoint(text), note=None, place=name)]
    return [Kept(checkpoint=parse_signed(text).checkpoint, note=text, place=name)]


def _from_sink(line: str, place: str) -> Kept:
    try:
        note = json.loads(line)["checkpoint"]
        return Kept(checkpoint=parse_signed(note).checkpoint, note=note, place=place)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as bad:
        raise Invalid(f"{place} is no checkpoint", "each line is JSON with a signed note as `checkpoint`") from bad
