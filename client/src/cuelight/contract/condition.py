"""The one small condition language: output rules, authority, graders and metrics all say `if` with it.

A condition is `{all: [...]}`, `{any: [...]}`, `{not: {...}}`, or `{path: P, <operator>: value, ...}` where every
operator must hold. A bare path looks into the output; `$name.rest` looks into the document called `name`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cuelight.contract.errors import Invalid

Document = Mapping[str, Any]
_MISSING = object()


def lookup(path: str, document: Document) -> list[Any]:
    """Every value at `path`; an empty list where there is none.

    Dots step into objects, `[*]` into every item of a list. `decision` looks into `document["output"]`,
    `$input.lead.name` into `document["input"]`, `$text` is `document["text"]`.
    """
    steps = path.split(".")
    if path.startswith("$"):
        root, first = steps[0][1:], steps[1:]
        name, every = (root[:-3], True) if root.endswith("[*]") else (root, False)
        found = [document[name]] if name in document else []
        found = _every(found) if every else found
    else:
        found, first = [document.get("output")], (steps if path else [])
    for step in first:
        found = _step(found, step)
    return found


def value_at(path: str, document: Document) -> Any:
    """The first value at `path`, or None where there is none."""
    found = lookup(path, document)
    return found[0] if found else None


def holds(condition: Mapping[str, Any], document: Document) -> bool:
    """Whether the condition holds. A missing path is null; a comparison between unlike types is false, never an error.

    Invalid where the condition itself cannot be read.
    """
    if "all" in condition:
        return all(holds(part, document) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, document) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], document)
    if "path" not in condition:
        raise Invalid("a condition needs a path, all, any or not", "for example {path: decision, equals: qualified}")
    return _compare(condition, value_at(condition["path"], document))


def _compare(condition: Mapping[str, Any], value: Any) -> bool:
    asked = [name for name in condition if name != "path"]
    if not asked:
        raise Invalid(f"the condition on {condition['path']} asks nothing", f"add one of {', '.join(OPERATORS)}")
    for name in asked:
        if name not in OPERATORS:
            raise Invalid(f"there is no operator {name!r}", f"use one of {', '.join(OPERATORS)}")
        if not OPERATORS[name](value, condition[name]):
            return False
    return True


def _step(found: list[Any], step: str) -> list[Any]:
    name, every = (step[:-3], True) if step.endswith("[*]") else (step, False)
    inside = [item[name] for item in found if isinstance(item, Mapping) and name in item] if name else found
    return _every(inside) if every else inside


def _every(found: list[Any]) -> list[Any]:
    return [item for value in found if isinstance(value, list) for item in value]


def same(left: Any, right: Any) -> bool:
    """JSON equality: 1 equals 1.0, but true is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right) and (is_number(left) == is_number(right))


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_empty(value: Any) -> bool:
    """Null, empty text (spaces aside), an empty list and an empty object are empty; 0 and false are not."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, limit: is_number(value) and is_number(limit) and compare(value, limit)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: isinstance(value, str) and isinstance(wanted, str) and test(value, wanted)


def _has(value: Any, fields: Mapping[str, Any]) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, Mapping) and all(same(item.get(name, _MISSING), want) for name, want in fields.items())
        for item in value
    )


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(same(item, wanted) for item in value)
    return isinstance(value, str) and isinstance(wanted, str) and wanted in value


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": same,
    "not_equals": lambda value, wanted: not same(value, wanted),
    "in": lambda value, wanted: any(same(value, item) for item in wanted),
    "not_in": lambda value, wanted: not any(same(value, item) for item in wanted),
    "greater_than": _ordered(lambda value, limit: value > limit),
    "at_least": _ordered(lambda value, limit: value >= limit),
    "less_than": _ordered(lambda value, limit: value < limit),
    "at_most": _ordered(lambda value, limit: value <= limit),
    "is_null": lambda value, wanted: (value is None) is wanted,
    "not_null": lambda value, wanted: (value is not None) is wanted,
    "empty": lambda value, wanted: is_empty(value) is wanted,
    "min_items": lambda value, limit: isinstance(value, list) and len(value) >= limit,
    "max_items": lambda value, limit: isinstance(value, list) and len(value) <= limit,
    "has": _has,
    "contains": _contains,
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
}
