"""The one small condition language: output rules, authority, graders and metrics all say `if` with it.

A condition is `{all: [...]}`, `{any: [...]}`, `{not: {...}}`, or `{path: P, <operator>: value, ...}` where every
operator must hold. A bare path looks into the output; `$name.rest` looks into the document called `name`. A path with
`[*]` asks about every item: all of them must pass, and an empty list counts as one null.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cuelight.contract.errors import Invalid

Document = Mapping[str, Any]
_MISSING = object()
_EXAMPLE = "for example {path: decision, equals: qualified}"


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

    Invalid where the condition itself cannot be read; no document makes it raise.
    """
    if not isinstance(condition, Mapping):
        raise Invalid("a condition is an object", _EXAMPLE)
    joined = next((word for word in ("all", "any", "not") if word in condition), None)
    if joined is None:
        return _compare(condition, document)
    if len(condition) > 1:
        raise Invalid(f"a condition with {joined} holds nothing else", "put the rest into its own condition")
    inside = condition[joined]
    if joined == "not":
        return not holds(inside, document)
    if not isinstance(inside, list) or not inside:
        raise Invalid(f"{joined} needs a list of conditions", _EXAMPLE)
    held = [holds(part, document) for part in inside]  # every part is read, so that a broken one always shows
    return all(held) if joined == "all" else any(held)


def _compare(condition: Mapping[str, Any], document: Document) -> bool:
    path = condition.get("path")
    if not isinstance(path, str):
        raise Invalid("a condition needs a path, all, any or not", _EXAMPLE)
    tests = [_operator(name, wanted) for name, wanted in condition.items() if name != "path"]
    if not tests:
        raise Invalid(f"the condition on {path} asks nothing", f"add one of {', '.join(OPERATORS)}")
    values = _each(path, document) if "[*]" in path else [value_at(path, document)]
    return all(test(value, wanted) for value in values for test, wanted in tests)


def _operator(name: str, wanted: Any) -> tuple[Callable[[Any, Any], bool], Any]:
    if name not in OPERATORS:
        raise Invalid(f"there is no operator {name!r}", f"use one of {', '.join(OPERATORS)}")
    kinds = _OPERANDS[name]
    if kinds and not isinstance(wanted, kinds):
        raise Invalid(f"the operator {name} cannot use {wanted!r:.60}", _EXAMPLE)
    return OPERATORS[name], wanted


def _each(path: str, document: Document) -> list[Any]:
    """Every value at a path with `[*]`, null for an item that lacks the rest of the path or for no item at all."""
    head, _, rest = path.partition("[*]")
    items = [item for found in lookup(head, document) if isinstance(found, list) for item in found]
    rest = rest.removeprefix(".")
    if not rest:
        return items or [None]
    inner = [_each(rest, {"output": item}) if "[*]" in rest else [value_at(rest, {"output": item})] for item in items]
    return [value for values in inner for value in values] or [None]


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

_NUMBER, _ANYTHING = (int, float), ()
_OPERANDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("equals", "not_equals", "contains"), _ANYTHING),
    **dict.fromkeys(("greater_than", "at_least", "less_than", "at_most"), _NUMBER),
    **dict.fromkeys(("is_null", "not_null", "empty"), (bool,)),
    **dict.fromkeys(("min_items", "max_items"), (int,)),
    **dict.fromkeys(("in", "not_in"), (list,)),
    **dict.fromkeys(("starts_with", "ends_with"), (str,)),
    "has": (Mapping,),
}
