"""JSON Schemas taken apart for comparison: references followed, schemas that hold together made one, kinds named."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
DEEPEST = 40
KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_SILENT = ("title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly")
_ASIDE = {*_SILENT, "format", "contentEncoding", "contentMediaType", "$schema", "$id", "$defs", "definitions"}
# Keywords that only mean something beside each other: two schemas that share out such a group cannot become one.
_TOGETHER = (
    {"properties", "patternProperties", "additionalProperties"},
    {"prefixItems", "items"},
    {"if", "then", "else"},
    {"contains", "minContains", "maxContains"},
)


def conjuncts(schema: Any, root: Schema, depth: int = 0) -> Iterator[Schema | None]:
    """Schemas that must all hold, references followed; None where one leads nowhere. {"": ...} allows nothing."""
    if isinstance(schema, bool):
        yield {} if schema else {"": False}
        return
    if depth > DEEPEST or not isinstance(schema, Mapping):
        yield None
        return
    own = {key: value for key, value in schema.items() if key not in {*_ASIDE, "$ref", "allOf"}}
    if own or not ("$ref" in schema or "allOf" in schema):
        yield own
    if "$ref" in schema:
        target = _target(str(schema["$ref"]), root)
        if target is None:
            yield None
        else:
            yield from conjuncts(target, root, depth + 1)
    for one in schema.get("allOf", ()):
        yield from conjuncts(one, root, depth + 1)


def _target(ref: str, root: Schema) -> Any:
    if ref == "#":
        return root
    node: Any = root
    for step in ref.removeprefix("#/").split("/") if ref.startswith("#/") else ("",):
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def merged(schemas: list[Schema]) -> Schema | None:
    """One schema that means the same as all together, or None where their keywords meet."""
    if len(schemas) == 1:
        return schemas[0]
    made: dict[str, Any] = {}
    for one in schemas:
        if made.keys() & one.keys() or any(group & made.keys() and group & one.keys() for group in _TOGETHER):
            return None
        made.update(one)
    return made


def bare(schema: Schema) -> Any:
    """The schema, with the mark for nothing at all turned back into false."""
    return False if "" in schema else schema


def kinds(schema: Schema) -> tuple[str, ...]:
    """The kinds of value that the schema's `type` allows; every one where it has none."""
    named = schema.get("type")
    if named is None:
        return tuple(one for one in KINDS if one != "integer")
    return (named,) if isinstance(named, str) else tuple(named)
