"""Paths in a suite: whether one can be read, and whether a schema leaves a place for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cuelight.contract.expansion import References

ROOTS = ("input", "label", "text", "latency_ms", "output_tokens", "tool_calls")  # what `$name` may look into
CASE_ROOTS = ("input", "label", "case")  # the same where only the case is known
_DEEPEST = 60
_EVERY = "[*]"


def malformed(path: str) -> str:
    """What is wrong with how a path is written, empty for nothing."""
    for step in path.split("."):
        name = step.removesuffix(_EVERY)
        if not step or step == "$":
            return "has an empty step"
        if "[" in name or "]" in name:
            return f"has {step!r}, which is neither a name nor name[*]"
    return ""


def strange_root(path: str, roots: tuple[str, ...]) -> str:
    """`$facts` for a path that looks into a document that is not there; empty for every other path."""
    first = path.partition(".")[0].removesuffix(_EVERY)
    return first if first.startswith("$") and first[1:] not in roots else ""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Why no document that fits the schema has a value at a path."""

    step: str
    why: str
    names: tuple[str, ...] = ()

    @property
    def meant(self) -> str:
        """`did you mean subject?`, or which names there are."""
        close = get_close_matches(self.step, self.names, 1)
        if close:
            return f"did you mean {close[0]}?"
        return f"there are: {', '.join(self.names[:8])}" if self.names else "correct the path, or the suite's schema"


class Shape:
    """A suite's schema, asked about paths."""

    def __init__(self, schema: Any) -> None:
        """Look through the schema once."""
        self._schema = schema
        self._references = References(schema)
        self._known: dict[str, Nowhere | None] = {}

    def nowhere(self, path: str) -> Nowhere | None:
        """Why nothing that fits the schema has a value at `path`; None where something may."""
        if path not in self._known:
            self._known[path] = self._miss(self._schema, list(_moves(path)), 0)
        return self._known[path]

    def _miss(self, node: Any, moves: list[str], depth: int) -> Nowhere | None:
        if not moves or depth > _DEEPEST or not isinstance(node, Mapping):
            return None
        every = [node["allOf"]] if isinstance(node.get("allOf"), list) else []
        if isinstance(node.get("$ref"), str):
            every.append([self._references.target(node["$ref"])])
        for one in (part for parts in every for part in parts):
            found = self._miss(one, moves, depth + 1)
            if found is not None:
                return found
        for word in ("anyOf", "oneOf"):
            misses = [self._miss(one, moves, depth + 1) for one in node.get(word, ()) if one is not False]
            if misses and all(one is not None for one in misses):
                return _joined([one for one in misses if one is not None])
        return self._item(node, moves, depth) if moves[0] == _EVERY else self._named(node, moves, depth)

    def _item(self, node: Mapping[str, Any], moves: list[str], depth: int) -> Nowhere | None:
        if not _may_be(node, "array"):
            return Nowhere(_EVERY, "there is no list there")
        if "prefixItems" in node or isinstance(node.get("items"), list):
            return None
        return self._miss(node.get("items"), moves[1:], depth + 1)

    def _named(self, node: Mapping[str, Any], moves: list[str], depth: int) -> Nowhere | None:
        name, known = moves[0], node.get("properties")
        if not _may_be(node, "object"):
            listed = _may_be(node, "array")
            why = (
                f"there is a list before {name}: write [*] behind its name" if listed else f"nothing there has a {name}"
            )
            return Nowhere(name, why)
        if isinstance(known, Mapping) and name in known:
            return self._miss(known[name], moves[1:], depth + 1)
        if "patternProperties" in node:
            return None
        rest = node.get("additionalProperties", True)
        if rest is False:
            names = tuple(known) if isinstance(known, Mapping) else ()
            return Nowhere(name, f"it allows no {name} there", names)
        return self._miss(rest, moves[1:], depth + 1)


def _moves(path: str) -> Iterator[str]:
    for step in path.split(".") if path else ():
        name = step.removesuffix(_EVERY)
        if name:
            yield name
        if step.endswith(_EVERY):
            yield _EVERY


def _may_be(node: Mapping[str, Any], kind: str) -> bool:
    types = node.get("type", kind)
    return kind == types or (isinstance(types, list) and kind in types)


def _joined(misses: list[Nowhere]) -> Nowhere:
    names = dict.fromkeys(name for one in misses for name in one.names)
    best = next((one for one in misses if one.names), misses[0])
    return Nowhere(best.step, best.why, tuple(names))
