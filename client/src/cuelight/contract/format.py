"""The file format, frozen as JSON Schema: what a document may hold, and what is wrong with one that does not fit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

KINDS = ("workflow", "authority", "prompt", "suite", "knowledge", "prices", "recording")
_SHOWN = 20
_Errors = list[Any]


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
    found: list[Problem] = []
    for error in _validator(kind).iter_errors(document):
        found.extend(_explain(error, document, kind))
        if len(found) >= _SHOWN:
            break
    return found[:_SHOWN]


@cache
def _whole() -> dict[str, Any]:
    text = files("cuelight.contract").joinpath("format.json").read_text("utf-8")
    whole: dict[str, Any] = json.loads(text)
    return whole


@cache
def _validator(kind: str) -> Any:
    return jsonschema_rs.validator_for(schema(kind))


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


def _explain(error: Any, document: Any, kind: str) -> list[Problem]:
    path = tuple(error.instance_path)
    keyword = error.schema_path[-1] if error.schema_path else ""
    if keyword == "oneOf":
        return _closest(error, document, path, kind)
    if keyword == "additionalProperties":
        return [_unknown(name, path, error, kind) for name in error.kind.unexpected]
    return [Problem(path, _plain(error.message))]


def _unknown(name: str, path: tuple[Any, ...], error: Any, kind: str) -> Problem:
    known = list(_at(schema(kind), error.schema_path[:-1]).get("properties", {}))
    return unknown_key(name, path, known)


def unknown_key(name: str, path: tuple[Any, ...], known: list[str]) -> Problem:
    """The problem of a key that does not belong, with the key that was probably meant."""
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
    return Problem((*path, name), f"unknown key {name!r}", hint)


def _at(node: Any, path: Any) -> Any:
    root = node
    for step in path:
        if isinstance(node, Mapping) and "$ref" in node and step not in node:
            node = root["$defs"][node["$ref"].rpartition("/")[2]]
        node = node[int(step)] if isinstance(node, list) else node[step]
    if isinstance(node, Mapping) and "$ref" in node and "properties" not in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _closest(error: Any, document: Any, path: tuple[Any, ...], kind: str) -> list[Problem]:
    """Of several shapes, the one that the author most likely meant, and what is wrong with it."""
    value = document
    for step in path:
        value = value[step]
    shapes = [_resolved(one) for one in _at(schema(kind), error.schema_path)]
    if not isinstance(value, Mapping):
        return [Problem(path, "expected an object with one of these keys: " + ", ".join(_heads(shapes)))]
    tagged = _by_tag(shapes, value, path)
    if isinstance(tagged, Problem):
        return [tagged]
    best = tagged or max(shapes, key=lambda one: len(set(value) & set(one.get("required", one.get("properties", ())))))
    validator = jsonschema_rs.validator_for({**best, "$defs": _whole()["$defs"]})
    problems = [problem for inner in validator.iter_errors(value) for problem in _inner(inner, best, path)]
    return problems or [Problem(path, "fits more than one of the allowed shapes; keep the keys of one")]


def _by_tag(shapes: list[Any], value: Mapping[str, Any], path: tuple[Any, ...]) -> Any:
    """The shape whose constant key (`type`, `rule`) the value names; a Problem where the name is unknown."""
    for tag in ("type", "rule"):
        named = {one["properties"][tag]["const"]: one for one in shapes if "const" in one.get("properties", {}).get(tag, {})}
        if named and tag in value:
            if value[tag] in named:
                return named[value[tag]]
            near = get_close_matches(str(value[tag]), list(named), 1)
            hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(named)
            return Problem((*path, tag), f"there is no {tag} {value[tag]!r}", hint)
    return None


def _inner(error: Any, shape: Mapping[str, Any], path: tuple[Any, ...]) -> list[Problem]:
    keyword = error.schema_path[-1] if error.schema_path else ""
    at = (*path, *error.instance_path)
    if keyword == "additionalProperties" and not error.instance_path:
        return [unknown_key(name, at, list(shape["properties"])) for name in error.kind.unexpected]
    return [Problem(at, _plain(error.message))]


def _resolved(shape: Any) -> Any:
    return _whole()["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape


def _heads(shapes: list[Any]) -> list[str]:
    return sorted({name for one in shapes for name in one.get("required", [])})


def _plain(message: str) -> str:
    short = message if len(message) <= 300 else message[:299] + "…"
    return short.replace("is a required property", "is missing")
