"""What a line says of a person: in the line as a salted digest, beside it in the clear until it is erased; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from cuelight_server.audit.model import Event, Personal

SALTED, OF = "salted", "of"
ERASED = "(erased)"


def salted(salt: str, value: str) -> str:
    """`sha256:<hex>` of salt and value: without the salt (256 bits, hex) nobody finds the value by trying names."""
    return "sha256:" + sha256(bytes.fromhex(salt) + value.encode()).hexdigest()


def in_line(one: Personal) -> dict[str, str]:
    """What stands in the line instead of the value."""
    return {SALTED: salted(one.salt, one.value), OF: one.person}


def opened(log: Iterable[Event], kept: Iterable[Personal], *, closed: Collection[str] = ()) -> Iterator[Event]:
    """The lines with the texts that are still there and fit put back in, and `(erased)` where one is not.

    Fields in `closed` stay the digests that they are.
    """
    known = {(one.seq, one.field): one for one in kept}
    return (replace(one, facts=_with(one, known, closed)) if _fields(one) else one for one in log)


def problems(log: Iterable[Event], erasures: Iterable[Event], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Texts that are not what their line vouches for, that no line knows of, or that went without an erasure."""
    told = {(one.seq, field): given for one in log for field, given in _fields(one).items()}
    erased = {one.subject: one.seq for one in erasures}
    there = set[tuple[Any, Any]]()
    for row in rows:
        place = row["seq"], row["field"]
        there.add(place)
        given = told.get(place)
        name = f"personal text {place[1]} of line {place[0]}"
        if given is None:
            yield f"{name} is there, and the line tells of none"
        elif not _same(row, given):
            yield f"{name} is not what the line vouches for"
        elif row["seq"] < erased.get(given[OF], 0):
            yield f"{name} is there; the log tells that it was erased"
    for place, given in told.items():
        if place not in there and place[0] > erased.get(given[OF], 0):
            yield f"personal text {place[1]} of line {place[0]} is gone, and no line erased it"


def _with(one: Event, known: Mapping[tuple[int, str], Personal], closed: Collection[str]) -> dict[str, Any]:
    fields = {field: given for field, given in _fields(one).items() if field not in closed}
    rows = {field: known.get((one.seq, field)) for field in fields}
    clear = {field: row.value for field, row in rows.items() if row is not None and _same(asdict(row), fields[field])}
    return {**one.facts, **dict.fromkeys(fields, ERASED), **clear}


def _fields(one: Event) -> dict[str, dict[str, str]]:
    """The personal fields of a line."""
    return {
        field: given
        for field, given in one.facts.items()
        if isinstance(given, dict) and given.keys() == {SALTED, OF} and isinstance(given[OF], str)
    }


def _same(row: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    try:
        return salted(row["salt"], row["value"]) == given[SALTED] and row["person"] == given[OF]
    except (TypeError, ValueError, AttributeError):
        return False
