"""Bundling: a JSON Schema and the files that it refers to become one body that means the same."""

import json
import posixpath
import re
from typing import Any

from cuelight.files.disk import Disk
from cuelight.files.faults import Fault
from cuelight.files.json_text import parse_json

_REMARKS = {
    "title",
    "description",
    "default",
    "examples",
    "$comment",
    "deprecated",
}  # beside a $ref, these change nothing
MAX_SCHEMA = 100_000
_VALUES = ("const", "enum", "default", "examples")  # keywords that hold values, not schemas
_NAMED = (
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
)  # keywords that hold schemas by name


class _TooLarge(Exception):
    """What the files make together is more than a schema may be."""


class Bundling:
    """One schema with the files it refers to: in their places, or under its $defs where they refer into themselves."""

    def __init__(self, disk: Disk, asked: Fault) -> None:
        """Read from `disk`; every fault is at the place that `asked` for the schema."""
        self._disk, self._asked = disk, asked
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._bodies: dict[str, Any] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._open: list[str] = []
        self._nodes = 0
        self._root = ""
        self.failed = False

    def whole(self, value: Any) -> Any:
        """The schema in one piece, from its body or its path; None, with `failed` set, where it cannot be had."""
        if isinstance(value, str):
            self._root = posixpath.normpath(value)
            value = self._load(value)
            if value is None:
                return None
        self._taken = set(value.get("$defs", ())) if isinstance(value, dict) else set()
        try:
            body = self._walk(value, self._root, "#")
        except _TooLarge:
            self._fail(f"a schema of more than {MAX_SCHEMA:,} values, expected less", "refer to fewer files")
            return None
        if self._bodies:
            body = {**body, "$defs": {**body.get("$defs", {}), **self._bodies}}
        return body

    def _fail(self, message: str, hint: str) -> None:
        self.failed = True
        self._disk.faults.append(Fault(self._asked.file, self._asked.line, message, hint))

    def _load(self, path: str) -> Any:
        before = len(self._disk.faults)
        asked = Fault(self._asked.file, self._asked.line, f"the schema file {path}")
        text = self._disk.referenced(path, asked)
        value = None
        if text is not None:
            value, faults = parse_json(text, self._disk.shown(path))
            self._disk.faults.extend(faults)
            if not faults and not isinstance(value, dict):
                self._fail(f"{path} holds a {type(value).__name__}, expected a JSON Schema object", "begin it with {")
        self.failed = self.failed or len(self._disk.faults) > before
        return None if self.failed else value

    def _walk(self, node: Any, file: str, prefix: str) -> Any:
        """`node` of `file` with its references turned to where `file` ends up: at `prefix` of the whole."""
        self._nodes += 1
        if self._nodes > MAX_SCHEMA:
            raise _TooLarge
        if isinstance(node, list):
            return [self._walk(item, file, prefix) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return self._reference(node, file, prefix)
        return self._keywords(node, file, prefix)

    def _keywords(self, node: dict[str, Any], file: str, prefix: str) -> dict[str, Any]:
        turned: dict[str, Any] = {}
        for key, value in node.items():
            if key in _NAMED and isinstance(value, dict):
                turned[key] = {name: self._walk(one, file, prefix) for name, one in value.items()}
            else:
                turned[key] = value if key in _VALUES else self._walk(value, file, prefix)
        return turned

    def _reference(self, node: dict[str, Any], file: str, prefix: str) -> dict[str, Any]:
        ref: str = node["$ref"]
        beside = self._keywords({key: value for key, value in node.items() if key != "$ref"}, file, prefix)
        target, _, pointer = ref.partition("#")
        if "://" in target or target.startswith(("//", "urn:")):
            self._fail(f"the remote reference {ref}, expected a file in the folder", "copy that schema into schemas/")
            return node
        if pointer and not pointer.startswith("/") and (target or prefix != "#"):
            self._fail(f"the reference {ref} to an anchor, expected a path", "write it as #/$defs/<name>")
            return node
        if not target:
            return {**beside, "$ref": f"{prefix}{pointer}"}
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), target))
        if path == self._root:
            return {**beside, "$ref": f"#{pointer}"}
        if not pointer and set(beside) <= _REMARKS and self._alone(path):
            return {**self._in_place(path), **beside}
        return {**beside, "$ref": f"{self._place(path)}{pointer}"}

    def _alone(self, path: str) -> bool:
        """Whether the body of a file can stand anywhere: it does not refer into itself and we are not inside it."""
        return path not in self._open and '"#' not in json.dumps(self._body(path))

    def _in_place(self, path: str) -> dict[str, Any]:
        self._open.append(path)
        body: dict[str, Any] = self._walk(self._body(path), path, "#")
        self._open.pop()
        return body

    def _place(self, path: str) -> str:
        """Where a body that refers into itself stands in the whole; read and turned on first sight."""
        if path not in self._names:
            stem = re.sub(r"[^A-Za-z0-9_.-]", "_", posixpath.basename(path).removesuffix(".json"))
            name = next(one for one in (stem, *(f"{stem}_{n}" for n in range(2, 999))) if one not in self._taken)
            self._taken.add(name)
            self._names[path] = name
            self._bodies[name] = self._walk(self._body(path), path, f"#/$defs/{name}")
        return f"#/$defs/{self._names[path]}"

    def _body(self, path: str) -> dict[str, Any]:
        if path not in self._files:
            body = self._load(path) or {}
            self._files[path] = {key: value for key, value in body.items() if key not in ("$id", "$schema")}
        return self._files[path]
