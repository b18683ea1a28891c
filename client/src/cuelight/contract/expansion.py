"""How large a JSON Schema grows when every reference is followed: what grows too large is refused before it is used."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.errors import Invalid

MOST_NODES, DEEPEST = 10_000, 200
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")
_VALUES = frozenset({"const", "enum", "default", "examples"})  # plain values, not schemas
_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas"})  # names lead to schemas
_ASIDE = frozenset({"$defs", "definitions"})  # counted where they are referred to


def refuse_expansion(schema: Any, where: str) -> None:
    """Invalid where following every reference makes more than 10,000 subschemas, or goes deeper than 200.

    A reference back to a schema that is being followed counts once.
    """
    nodes, depth = _Expansion(schema).size(schema, 0)
    if nodes > MOST_NODES or depth > DEEPEST:
        grows = f"{nodes:,} subschemas" if nodes <= MOST_NODES * 1000 else "millions of subschemas"
        words = f"grows to {grows}" if nodes > MOST_NODES else f"goes {DEEPEST} levels deep"
        raise Invalid(
            f"the schema of {where} {words} when every $ref is followed; at most {MOST_NODES:,} and {DEEPEST} levels",
            "refer to each part once, or take the repetition out",
        )


class References:
    """The named parts of one document, and what a reference in it leads to."""

    def __init__(self, root: Any) -> None:
        """Look through the document once."""
        self._root = root
        self._named = dict(_names(root))

    def target(self, ref: str) -> Any:
        """What a reference inside the document means; None where it means nothing here."""
        place, _, fragment = ref.partition("#")
        if "%" in fragment:
            from urllib.parse import unquote  # noqa: PLC0415 - costs 3 ms to load, and hardly a reference needs it

            fragment = unquote(fragment)
        start = self._named.get(place, self._root if not place else None)
        if fragment and not fragment.startswith("/"):
            return self._named.get("#" + fragment)
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(start, list):
                start = start[int(name)] if name.isdigit() and int(name) < len(start) else None
            else:
                start = start.get(name) if isinstance(start, Mapping) else None
        return start


class _Expansion:
    """Counts with a memory: each schema is followed once, however often it is referred to."""

    def __init__(self, root: Any) -> None:
        self._references = References(root)
        self._known: dict[int, tuple[int, int]] = {}
        self._under_way: set[int] = set()

    def size(self, node: Any, depth: int) -> tuple[int, int]:
        """(subschemas, depth) of a schema with everything it refers to."""
        if not isinstance(node, Mapping | list):
            return 0, 0
        if id(node) in self._known:
            return self._known[id(node)]
        if id(node) in self._under_way:
            return 1, 0
        if depth > DEEPEST:
            return 1, DEEPEST + 1
        self._under_way.add(id(node))
        sizes = [self.size(one, depth + 1) for one in self._parts(node)]
        self._under_way.discard(id(node))
        found = int(isinstance(node, Mapping)) + sum(one for one, _ in sizes), 1 + max((d for _, d in sizes), default=0)
        self._known[id(node)] = found
        return found

    def _parts(self, node: Any) -> Iterator[Any]:
        if isinstance(node, list):
            yield from node
            return
        for key, value in node.items():
            if key in _REFS and isinstance(value, str):
                yield self._references.target(value)
            elif key in _BY_NAME and isinstance(value, Mapping):
                yield from value.values()
            elif key not in _VALUES and key not in _ASIDE:
                yield value


def _names(root: Any) -> Iterator[tuple[str, Any]]:
    """(`#anchor` or the $id, schema) of every part of the document that has a name."""
    ahead = [root]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Mapping):
            yield from (
                ("#" + node[key], node) for key in ("$anchor", "$dynamicAnchor") if isinstance(node.get(key), str)
            )
            if isinstance(node.get("$id"), str):
                yield node["$id"].rstrip("#"), node
            ahead.extend(node.values())
        elif isinstance(node, list):
            ahead.extend(node)
