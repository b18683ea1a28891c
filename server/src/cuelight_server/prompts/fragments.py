"""Shared fragments: which versions include which text, and who stays behind when a fragment changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight.contract.content import Content


@dataclass(frozen=True, slots=True)
class Dependant:
    """A version (or draft) that includes a fragment, and the digest of the text that it has of it."""

    prompt: str
    label: str
    fragment: str
    digest: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A fragment that a folder has in a new text, and the versions that still include another."""

    fragment: str
    digest: str
    behind: tuple[Dependant, ...]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        behind = [{"prompt": one.prompt, "label": one.label, "digest": one.digest} for one in self.behind]
        return {"fragment": self.fragment, "digest": self.digest, "behind": behind}


def includes(prompt: str, label: str, content: Content) -> Iterator[Dependant]:
    """Each fragment that one content includes, once a text."""
    parts = [part for message in content.messages for part in message.get("parts", ()) if "include" in part]
    found = dict.fromkeys((part["include"].partition("@")[0], digest_bytes(part["text"].encode())) for part in parts)
    yield from (Dependant(prompt, label, *one) for one in found)


def dependants(new: Iterable[Dependant], known: Iterable[Dependant]) -> list[Changed]:
    """For each text that only `new` has of a fragment: everyone in `known` who includes that fragment in another text.

    A fragment that nobody had before has no dependants and is left out.
    """
    old: dict[str, list[Dependant]] = {}
    for one in known:
        old.setdefault(one.fragment, []).append(one)
    texts: Mapping[tuple[str, str], None] = dict.fromkeys((one.fragment, one.digest) for one in new)
    fresh = [key for key in texts if key[1] not in {one.digest for one in old.get(key[0], ())}]
    return [Changed(*key, tuple(old[key[0]])) for key in sorted(fresh) if key[0] in old]
