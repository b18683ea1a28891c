"""What a JSON Schema says a value is, in a few plain words."""

from collections.abc import Callable, Mapping
from typing import Any

from cuelight_server.docs_reference.markdown import code, codes

Schema = Mapping[str, Any]


def type_of(one: Schema, link: Callable[[str], str] | None = None) -> str:
    """`text`, `a list of [grader](#grader)`, `one of a b`; `link` makes the words for a named shape."""
    named = link or (lambda name: f"[{name}](#{name})")
    if "$ref" in one:
        return named(one["$ref"].rpartition("/")[2])
    if "const" in one:
        return code(one["const"])
    if "enum" in one:
        return f"one of {codes(one['enum'])}" if len(one["enum"]) > 1 else code(one["enum"][0])
    if "anyOf" in one:
        return " or ".join(type_of(each, named) for each in one["anyOf"])
    kind = one.get("type", "")
    if isinstance(kind, list):
        return " or ".join(_WORDS[each] for each in kind)
    if kind in _RULES:
        return _RULES[kind](one, named)
    return _WORDS.get(str(kind), "any value")


def _text(one: Schema, _: Callable[[str], str]) -> str:
    if "pattern" in one:
        return f"text like {code(one['pattern'])}"
    least, most = one.get("minLength"), one.get("maxLength")
    if most is not None:
        return f"text, {least}–{most:,} characters" if least else f"text, at most {most:,} characters"
    return "text" if not least or least == 1 else f"text, at least {least} characters"


def _number(one: Schema, _: Callable[[str], str]) -> str:
    word = _WORDS[one["type"]]
    least, most = one.get("minimum"), one.get("maximum")
    if least is not None and most is not None:
        return f"{word} from {least} to {most}"
    if least is not None:
        return f"{word}, at least {least}"
    return word if most is None else f"{word}, at most {most}"


def _list(one: Schema, named: Callable[[str], str]) -> str:
    items = one.get("items")
    inner = type_of(items, named) if isinstance(items, Mapping) and items else "any value"
    if isinstance(items, Mapping) and "oneOf" in items:
        inner = "one of these shapes"
    least = one.get("minItems") or 0
    return f"list of {inner}" + (f", at least {least}" if least else "")


def _object(one: Schema, named: Callable[[str], str]) -> str:
    values, names = one.get("additionalProperties"), one.get("propertyNames", {})
    if not isinstance(values, Mapping) or not values:
        return "object"
    by = f"by {codes(names['enum'])}" if "enum" in names else "by name"
    return f"object {by}, each {type_of(values, named)}"


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}
_RULES: Mapping[str, Callable[[Schema, Callable[[str], str]], str]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _list,
    "object": _object,
}
