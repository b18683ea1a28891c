"""JSON Schemas that refer to themselves without a step into the value: such a circle asks nothing, so it is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.errors import Invalid
from cuelight.contract.expansion import References

_ONE = ("not", "if", "then", "else")
_MANY = ("allOf", "anyOf", "oneOf")
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")
_LEAVE = "leave"


def refuse_circles(schema: Any, where: str) -> None:
    """Invalid where a chain of $ref, allOf, anyOf, oneOf and their like comes back to where it began.

    A schema may refer to itself through properties or items: each turn then looks at a smaller value.
    """
    references, done = References(schema), set[int]()
    for start in _parts(schema):
        under_way: dict[int, str] = {}
        ahead = [(start, "")]
        while ahead:
            node, step = ahead.pop()
            if step == _LEAVE:
                under_way.pop(id(node))
                done.add(id(node))
                continue
            if id(node) in under_way:
                raise _refused(where, step)
            if id(node) in done or not isinstance(node, Mapping):
                continue
            under_way[id(node)] = step
            ahead.append((node, _LEAVE))
            ahead.extend(_in_place(node, references))


def _in_place(node: Mapping[str, Any], references: References) -> Iterator[tuple[Any, str]]:
    """(schema, the word that leads there) of everything that is asked about the very same value."""
    for word in _REFS:
        if isinstance(node.get(word), str):
            yield references.target(node[word]), f"{word} {node[word]}"
    for word in _MANY:
        inside = node.get(word)
        yield from ((one, word) for one in (inside if isinstance(inside, list) else ()))
    yield from ((node[word], word) for word in _ONE if word in node)
    dependent = node.get("dependentSchemas")
    yield from ((one, "dependentSchemas") for one in (dependent.values() if isinstance(dependent, Mapping) else ()))


def _parts(root: Any) -> Iterator[Any]:
    """Every object in the document, whether a schema or not: one that is none has no such words."""
    ahead = [root]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Mapping):
            yield node
            ahead.extend(value for key, value in node.items() if key not in {"const", "enum", "default", "examples"})
        elif isinstance(node, list):
            ahead.extend(node)


def _refused(where: str, step: str) -> Invalid:
    return Invalid(
        f"the schema of {where} refers to itself ({step}) without a step into the value, so it would accept everything",
        "let it refer to another schema, or to itself only below properties or items",
    )
