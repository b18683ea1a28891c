"""Knowledge: which release of a workflow's facts the values of a call came from, told by digests alone; pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.content import Content
from cuelight.contract.errors import Invalid

MOST_ITEMS = 200  # of one call that are told one by one
MOST_INDEXED = 5_000  # items of one release that a snapshot carries; of a larger one the clients know no item
_SOURCE = re.compile(r"knowledge ([a-z][a-z0-9_]{0,79})(?:, *(.+))?")


@dataclass(frozen=True, slots=True)
class Source:
    """A variable that is filled from knowledge: its name and, where the version names some, the only refs that count."""

    variable: str
    name: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnowledgeRelease:
    """One immutable release of knowledge. `items` maps a ref to the digests of the item and of its text alone."""

    name: str
    number: int
    digest: str
    items: Mapping[str, tuple[str, ...]] = field(repr=False)

    @cached_property
    def refs(self) -> Mapping[str, str]:
        """Digest -> the ref of the item that has it."""
        return {one: ref for ref, digests in self.items.items() for one in digests}


@dataclass(frozen=True, slots=True)
class Used:
    """One piece of a value. `known` where it is word for word an item of the release; else `ref` is what it claims to be."""

    digest: str
    ref: str | None
    known: bool


@dataclass(frozen=True, slots=True)
class KnowledgeUse:
    """What one variable of a call was given, against the release that its version was released with.

    `number` and `release` (a digest) are None where the snapshot knows no such knowledge for this version: then
    nothing is known of any item. `left_out` counts the items that are not told one by one.
    """

    variable: str
    name: str
    number: int | None
    release: str | None
    items: tuple[Used, ...]
    left_out: int = 0

    @property
    def known(self) -> bool:
        """Whether every single item is word for word of this release; False where there is nothing to tell it by."""
        return self.release is not None and not self.left_out and all(one.known for one in self.items)

    def to_json(self) -> dict[str, Any]:
        """As it is recorded; what is not known is left out."""
        told = {"variable": self.variable, "name": self.name, "items": [_told(one) for one in self.items]}
        more = {"number": self.number, "release": self.release, "left_out": self.left_out or None}
        return {**told, **{name: value for name, value in more.items() if value is not None}}


def sources(content: Content) -> tuple[Source, ...]:
    """The variables whose `source` reads `knowledge <name>` or `knowledge <name>, <ref>, <ref>`, in their order."""
    found = ((one["name"], _SOURCE.fullmatch(str(one.get("source", "")).strip())) for one in content.variables)
    return tuple(Source(variable, one[1], _refs(one[2])) for variable, one in found if one is not None)


def index(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Ref -> the digests of its items, whole and, where one has a text, of the text alone."""
    made: dict[str, tuple[str, ...]] = {}
    for item in document["items"]:
        own = (digest(item), *((digest(item["text"]),) if isinstance(item.get("text"), str) else ()))
        made[item["ref"]] = (*made.get(item["ref"], ()), *own)
    return made


def uses(
    declared: Iterable[Source], values: Mapping[str, Any], releases: Mapping[str, KnowledgeRelease]
) -> tuple[KnowledgeUse, ...]:
    """Where each knowledge variable's value came from, item by item: a value that is a list has one for each element.

    What is not word for word an item of the release is unknown; nothing is guessed. Where there is more to tell than
    MOST_ITEMS, unknown items are told first and the rest is counted.
    """
    made, room = [], MOST_ITEMS
    for source in declared:
        release = releases.get(source.name)
        items = _pieces(source, values.get(source.variable), release)
        told = items if len(items) <= room else sorted(items, key=lambda one: one.known)[:room]
        room -= len(told)
        number, name = (release.number, release.digest) if release else (None, None)
        made.append(KnowledgeUse(source.variable, source.name, number, name, tuple(told), len(items) - len(told)))
    return tuple(made)


def _pieces(source: Source, value: Any, release: KnowledgeRelease | None) -> list[Used]:
    pieces = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [_used(source, one, release) for one in pieces]


def _used(source: Source, piece: Any, release: KnowledgeRelease | None) -> Used:
    try:
        own = digest(piece)
    except Invalid:  # no JSON value is knowledge; what renders it will say so
        return Used("", None, known=False)
    ref = release.refs.get(own) if release else None
    if ref is not None:
        return Used(own, ref, known=not source.refs or ref in source.refs)
    claimed = piece.get("ref") if isinstance(piece, Mapping) else None
    claims = release is not None and isinstance(claimed, str) and claimed in release.items
    return Used(own, claimed if claims else None, known=False)


def _told(one: Used) -> dict[str, Any]:
    told = {"known": one.known, **({"digest": one.digest} if one.digest else {})}
    return {**told, "ref": one.ref} if one.ref is not None else told


def _refs(text: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip()) if text else ()
