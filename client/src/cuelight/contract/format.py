"""The file format, frozen as JSON Schema: what a document may hold, and what is wrong with one that does not fit."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

KINDS = ("workflow", "authority", "prompt", "suite", "label", "knowledge", "prices", "recording")
_SHOWN, _LONGEST, _LISTED, _NAMED = 20, 300, 12, 40
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object (key: value)",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} in the list",
    "maxItems": "at most {} in the list",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
}
_PERSON = "a person's id begins with a lower-case letter or a digit, then has lower-case letters, digits, . _ -"
_RULES = {
    "^[a-z0-9][a-z0-9._-]{0,79}$": f"{_PERSON} (at most 80), such as mei.tanaka",
    "^[a-z][a-z0-9_]{0,79}$": "a lower-case letter, then lower-case letters, digits and _ (at most 80)",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a document does not fit. `path` steps from the top, `message` says what was expected."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file, complete in itself."""
    whole = _whole()
    used = _reach(whole["$defs"], kind)
    return {
        "$schema": whole["$schema"],
        "title": f"Cuelight {kind}, format 1",
        "$ref": f"#/$defs/{kind}",
        "$defs": {name: one for name, one in whole["$defs"].items() if name in used},
    }


def check(kind: str, document: Any) -> list[Problem]:
    """Everything in `document` that does not fit its kind, at most 20 problems; empty when it fits."""
    return _problems(_Shape(_schema(kind), document, ()))


@cache
def _whole() -> dict[str, Any]:
    text = files("cuelight.contract").joinpath("format.json").read_text("utf-8")
    whole: dict[str, Any] = json.loads(text)
    return whole


@cache
def _schema(kind: str) -> dict[str, Any]:
    return schema(kind)


def _compiled(one: Mapping[str, Any]) -> Any:
    return _validator(json.dumps(one))


@lru_cache(maxsize=64)
def _validator(text: str) -> Any:
    return jsonschema_rs.validator_for(text)


def _reach(defs: Mapping[str, Any], start: str) -> set[str]:
    seen, ahead = set[str](), [start]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(_refs(defs[name]))
    return seen


def _refs(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        own = [node["$ref"].rpartition("/")[2]] if isinstance(node.get("$ref"), str) else []
        return own + [name for value in node.values() for name in _refs(value)]
    return [name for item in node for name in _refs(item)] if isinstance(node, list) else []


@dataclass(frozen=True, slots=True)
class _Shape:
    """A schema and a value under it, at `path` from the top of the document."""

    schema: Mapping[str, Any]
    value: Any
    path: tuple[str | int, ...]


def _explain(error: Any, shape: _Shape) -> list[Problem]:
    path = (*shape.path, *error.instance_path)
    keyword = error.schema_path[-1] if error.schema_path else ""
    if keyword == "oneOf":
        return _closest(_walk(shape.schema, error.schema_path), _value_at(shape.value, error.instance_path), path)
    if keyword == "additionalProperties":
        known = list(_walk(shape.schema, error.schema_path[:-1]).get("properties", {}))
        return [unknown_key(name, path, known) for name in error.kind.unexpected]
    return [Problem(path, _plain(error.message), _hint(error, keyword, path))]


def _hint(error: Any, keyword: Any, path: tuple[str | int, ...]) -> str:
    """What would fit instead, in words."""
    kind = error.kind
    if keyword == "enum":
        return _allowed(error.instance, [str(one) for one in kind.options])
    if keyword == "type":
        return f"write {' or '.join(_TYPES.get(one, one) for one in kind.types)}"
    if keyword == "pattern":
        return _RULES.get(kind.pattern, f"it has to match {kind.pattern}")
    if keyword == "required":
        return f"add {kind.property} here, or correct the name of the key that was meant"
    words = _LIMITS.get(str(keyword))
    return words.format(kind.limit) if words else f"see: cuelight schema, at {'.'.join(map(str, path)) or 'the top'}"


def _allowed(value: Any, options: list[str]) -> str:
    near = get_close_matches(str(value), options, 1)
    listed = f"allowed: {', '.join(options)}" if len(options) <= _LISTED else ""
    return "; ".join(filter(None, [f"did you mean {near[0]}?" if near else "", listed])) or "see: cuelight schema"


def unknown_key(name: str, path: tuple[str | int, ...], known: list[str]) -> Problem:
    """The problem of a key that does not belong, with the key that was probably meant."""
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
    return Problem((*path, name), f"unknown key {name!r}", hint)


def _closest(shapes: list[Any], value: Any, path: tuple[str | int, ...]) -> list[Problem]:
    """Of several shapes, the one that the author most likely meant, and all that is wrong with it, however deep."""
    shapes = [_resolved(one) for one in shapes]
    if not isinstance(value, Mapping):
        return [Problem(path, "expected an object with one of these keys: " + ", ".join(_heads(shapes)))]
    tagged = _by_tag(shapes, value, path)
    if isinstance(tagged, Problem):
        return [tagged]
    best = tagged or max(shapes, key=lambda one: _likeness(one, value))
    problems = _problems(_Shape({**best, "$defs": _whole()["$defs"]}, value, path))
    return problems or [Problem(path, "fits more than one of the allowed shapes; keep the keys of one")]


def _problems(shape: _Shape) -> list[Problem]:
    found: list[Problem] = []
    for error in _compiled(shape.schema).iter_errors(shape.value):
        found.extend(_explain(error, shape))
        if len(found) >= _SHOWN:
            break
    return found[:_SHOWN]


def tags_of(key: Mapping[str, Any]) -> list[str]:
    """The constants that a key such as `type` may be: one, or some."""
    return [key["const"]] if "const" in key else [str(one) for one in key.get("enum", ())]


def _likeness(shape: Mapping[str, Any], value: Mapping[str, Any]) -> tuple[int, int]:
    """How many of the needed, then of the known keys a value has; a misspelt key counts where it is close."""
    needed = set(shape.get("required", ()))
    known = set(shape.get("properties", needed))
    strange = [name for name in value if name not in known]
    meant = [near[0] for name in strange if (near := get_close_matches(name, known - set(value), 1))]
    have = {*value, *meant}
    return len(have & needed), len(have & known)


def _by_tag(
    shapes: list[Any], value: Mapping[str, Any], path: tuple[str | int, ...]
) -> Mapping[str, Any] | Problem | None:
    """The shape whose constant key (`type`, `rule`) the value names; a Problem where the name is unknown."""
    for tag in ("type", "rule"):
        named: dict[str, list[Mapping[str, Any]]] = {}
        for one in shapes:
            key = _resolved(one.get("properties", {}).get(tag, {}))
            for name in key.get("enum", [key["const"]] if "const" in key else []):
                named.setdefault(name, []).append(one)
        if named and tag in value:
            if isinstance(value[tag], str) and value[tag] in named:
                return max(named[value[tag]], key=lambda one: _likeness(one, value))
            near = get_close_matches(str(value[tag]), list(named), 1)
            hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(_shortened(list(named)))
            return Problem((*path, tag), f"there is no {tag} {value[tag]!r}", hint)
    return None


def _shortened(names: list[str]) -> list[str]:
    """At most forty names."""
    return names if len(names) <= _NAMED else [*names[:_NAMED], "…"]


def _walk(root: Mapping[str, Any], path: Iterable[str | int]) -> Any:
    """The schema at a path of an error, which steps through references without naming them."""
    node: Any = root
    for step in path:
        if isinstance(node, list):
            node = node[int(step)]
            continue
        node = _resolved(node) if step not in node else node
        node = _resolved(node) if step == "$ref" else node[step]
    return _resolved(node) if isinstance(node, Mapping) and "properties" not in node else node


def _value_at(value: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _resolved(shape: Any) -> Any:
    return _whole()["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape


def _heads(shapes: list[Any]) -> list[str]:
    return sorted({name for one in shapes for name in one.get("required", [])})


def _plain(message: str) -> str:
    short = message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"
    return short.replace("is a required property", "is missing")
