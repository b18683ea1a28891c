"""What a config points to instead of saying it: `$ref` into itself, and `file://` to files of values."""

from collections.abc import Mapping
from typing import Any

from cuelight.moving.code import is_code
from cuelight.moving.loose import read_csv, read_json, read_lines, read_yaml
from cuelight.moving.report import CannotCarry
from cuelight.moving.sources import Sources

MAX_STEPS, MAX_NODES = 30, 500_000
# Here a `$ref` belongs to a JSON Schema of its own, and is left as it is.
_SCHEMAS = frozenset({"value", "parameters", "schema", "input_schema", "response_format", "json_schema"})


def resolved(document: Mapping[str, Any]) -> dict[str, Any]:
    """The config with every `$ref: "#/..."` replaced by what it points to; keys beside it count more. CannotCarry for circles."""
    return _Resolving(document).whole()


class _Resolving:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._nodes = 0

    def whole(self) -> dict[str, Any]:
        return {key: self._walk(value, (), key) for key, value in self._document.items()}

    def _walk(self, node: Any, open_: tuple[str, ...], key: str) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CannotCarry(f"the config unfolds to more than {MAX_NODES:,} values")
        if isinstance(node, list):
            return [self._walk(one, open_, key) for one in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str) and key not in _SCHEMAS and node["$ref"].startswith("#/"):
            return self._target(node, open_, key)
        if key in _SCHEMAS:
            return node
        return {name: self._walk(one, open_, name) for name, one in node.items()}

    def _target(self, node: dict[str, Any], open_: tuple[str, ...], key: str) -> Any:
        ref = node["$ref"]
        if ref in open_ or len(open_) > MAX_STEPS:
            raise CannotCarry(f"{ref} leads back to itself")
        found = self._walk(self._at(ref), (*open_, ref), key)
        beside = {name: self._walk(one, open_, name) for name, one in node.items() if name != "$ref"}
        return {**found, **beside} if isinstance(found, dict) and beside else found

    def _at(self, ref: str) -> Any:
        node: Any = self._document
        for step in ref.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, Mapping) and name in node:
                node = node[name]
            else:
                raise CannotCarry(f"{ref} points to nothing in the config")
        return node


def is_file(value: Any) -> bool:
    """Whether a value is the path of a file to be put in its place."""
    return isinstance(value, str) and value.startswith("file://")


def read_value(path: str, sources: Sources) -> Any:
    """What a file of values holds, by its name: YAML, JSON, lines of JSON, rows of CSV, or text without the space around it."""
    path = path.removeprefix("file://")
    if is_code(path):
        raise CannotCarry(f"{path} is code, and nothing is run at import")
    if path.startswith(("http://", "https://", "huggingface://", "az://", "s3://")) or path.endswith(
        (".xlsx", ".xls", ".pdf")
    ):
        raise CannotCarry(f"{path} is not read; save it as a file of CSV or YAML beside the config")
    text = sources.text(path)
    if path.endswith((".yaml", ".yml")):
        return read_yaml(text, path)
    if path.endswith(".json"):
        return read_json(text, path)
    if path.endswith(".jsonl"):
        return read_lines(text, path)
    return read_csv(text, path) if path.endswith(".csv") else text.strip()


def filled(value: Any, sources: Sources, depth: int = 0) -> Any:
    """A value with every file of values that it names put in its place, however deep."""
    if depth > MAX_STEPS:
        raise CannotCarry("files that name files, more than 30 deep")
    if is_file(value) and not is_code(value.removeprefix("file://")):
        found = [read_value(path, sources) for path in sources.matches(value.removeprefix("file://"))]
        whole = (
            found[0]
            if len(found) == 1
            else [one for some in found for one in (some if isinstance(some, list) else [some])]
        )
        return filled(whole, sources, depth + 1) if isinstance(whole, dict | list) else whole
    if isinstance(value, list):
        return [filled(one, sources, depth + 1) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, sources, depth + 1) for key, one in value.items()}
    return value
