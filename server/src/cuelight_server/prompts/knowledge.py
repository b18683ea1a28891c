"""Releases of knowledge: what differs between two of them, who reads them, and which one an item came from; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.condition import same
from cuelight.contract.content import Content
from cuelight.contract.knowledge import KnowledgeRelease, index, sources
from cuelight_server.prompts.model import Numbered

_MOST = 200  # items of each kind that a difference tells in full
_PINNING = {"pinned_value": "value", "allowed_values": "values"}  # rule -> where it holds the words themselves
Items = Mapping[str, list[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeDiff:
    """What differs between two releases: items by ref, and which of description and rules differ."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    about: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """In one line."""
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        told = [f"{len(refs)} {word}" for word, refs in counts.items() if refs]
        return ", ".join([*told, *(f"other {name}" for name in self.about)]) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A version that names a knowledge.

    `released_with` maps each environment that it serves to the number it was released with there, None where that is
    not known. `holds_old` are refs whose old words a context rule of the version holds: the new ones it cuts or refuses.
    """

    prompt: str
    label: str
    released_with: Mapping[str, int | None]
    holds_old: tuple[str, ...] = ()

    @property
    def means(self) -> str:
        """What the new release means for it and for its evidence."""
        serving = ", ".join(sorted(self.released_with))
        goes_on = f"serves {serving} as it was released; " if serving else ""
        if self.holds_old:
            refs = ", ".join(self.holds_old)
            return (
                f"{goes_on}its context rules hold the old words of {refs}: mint a version before the app sends the new"
            )
        return f"{goes_on}its evaluation was on another release: evaluate it again before it is released"

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        told = {"prompt": self.prompt, "label": self.label, "released_with": dict(self.released_with)}
        return {**told, "holds_old": list(self.holds_old), "means": self.means}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeChange:
    """A knowledge of which a push brings a new release, and who reads it."""

    name: str
    before: int
    number: int
    diff: KnowledgeDiff
    readers: tuple[Reader, ...]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        told = {"knowledge": self.name, "before": self.before, "number": self.number, "changes": self.diff.words}
        return {**told, "readers": [one.to_json() for one in self.readers]}


def as_release(one: Numbered) -> KnowledgeRelease:
    """A stored release as the calls are held against it; without items where it is not what was pushed."""
    items = index(one.document) if digest(dict(one.document)) == one.digest else {}
    return KnowledgeRelease(one.name, one.number, one.digest, items)


def names(content: Content) -> list[str]:
    """The knowledge that a content names, in its order."""
    return list(dict.fromkeys(one.name for one in sources(content)))


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> KnowledgeDiff:
    """What differs between two documents; an item counts as changed where anything of it differs."""
    had, has = _by_ref(old), _by_ref(new)
    return KnowledgeDiff(
        added=tuple(ref for ref in has if ref not in had),
        removed=tuple(ref for ref in had if ref not in has),
        changed=tuple(ref for ref in had if ref in has and not same(had[ref], has[ref])),
        about=tuple(part for part in ("description", "rules") if not same(old.get(part), new.get(part))),
    )


def in_full(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The difference with the items themselves, at most _MOST of each kind; `left_out` counts the rest."""
    made, had, has = difference(old, new), _by_ref(old), _by_ref(new)
    kinds = (made.added, made.removed, made.changed)
    return {
        "changes": made.words,
        "added": [{"ref": ref, "after": has[ref]} for ref in made.added[:_MOST]],
        "removed": [{"ref": ref, "before": had[ref]} for ref in made.removed[:_MOST]],
        "changed": [{"ref": ref, "before": had[ref], "after": has[ref]} for ref in made.changed[:_MOST]],
        "about": list(made.about),
        "left_out": sum(max(0, len(refs) - _MOST) for refs in kinds),
    }


def holds_old(content: Content, old: Mapping[str, Any], diff: KnowledgeDiff) -> tuple[str, ...]:
    """Refs, changed or removed, whose old words stand in a context rule that only lets those words pass."""
    rules = (one for one in content.context if "declared_only" not in one)
    held = [one[_PINNING[one["rule"]]] for one in rules if one.get("rule") in _PINNING]
    inside = {digest(value) for one in held for value in _within(one)}
    had = index(old)
    return tuple(ref for ref in (*diff.changed, *diff.removed) if inside & set(had[ref]))


def origins(digests: Iterable[str], releases: Iterable[KnowledgeRelease]) -> dict[str, tuple[int, str]]:
    """Digest of an item -> (number of the first of these releases that has it, its ref there)."""
    asked, found = set(digests), dict[str, tuple[int, str]]()
    for release in releases:
        for one in asked - found.keys():
            if one in release.refs:
                found[one] = (release.number, release.refs[one])
    return found


def _by_ref(document: Mapping[str, Any]) -> Items:
    made: dict[str, list[Mapping[str, Any]]] = {}
    for item in document["items"]:
        made.setdefault(item["ref"], []).append(item)
    return made


def _within(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _within(inner)
