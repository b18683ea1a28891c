"""Inlining: schemas and fragments that stand in files of their own become part of the document that names them."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator
from cuelight.files.disk import Disk
from cuelight.files.faults import Fault, Path, line_of
from cuelight.files.json_text import parse_json

# Where the format has `schema_or_file`; a test compares this with format.json. `*` is any item of a list.
SCHEMA_PLACES: Mapping[str, tuple[Path, ...]] = {
    "authority": (("actions", "*", "arguments"),),
    "prompt": (
        ("variables", "*", "schema"),
        ("output", "schema"),
        ("output", "consumers", "*", "schema"),
        ("tools", "*", "parameters"),
    ),
    "suite": (
        ("schema",),
        ("input_schema",),
        ("graders", "*", "schema"),
        ("cases", "*", "graders", "*", "schema"),
    ),
}
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


def places(document: Any, pattern: Path) -> Iterator[tuple[Any, str | int, Path]]:
    """(container, key, path) of every place in `document` that fits `pattern`; nothing where the shape is another."""
    yield from _places(document, pattern, ())


def _places(node: Any, pattern: Path, at: Path) -> Iterator[tuple[Any, str | int, Path]]:
    head, rest = pattern[0], pattern[1:]
    keys: list[Any] = []
    if head == "*" and isinstance(node, list):
        keys = list(range(len(node)))
    elif isinstance(node, dict) and head in node:
        keys = [head]
    for key in keys:
        if rest:
            yield from _places(node[key], rest, (*at, key))
        else:
            yield node, key, (*at, key)


class Inliner:
    """Fills one document after the other; faults go to the disk's list."""

    def __init__(self, disk: Disk) -> None:
        """Use `disk` for every file that a document names."""
        self._disk = disk

    def fill(self, kind: str, document: Any, file: str, lines: Mapping[Path, int]) -> None:
        """Put schema bodies and fragment texts into `document`, in place."""
        for pattern in SCHEMA_PLACES.get(kind, ()):
            for container, key, path in places(document, pattern):
                asked = Fault(self._disk.shown(file), line_of(lines, path), "")
                body = self._schema(container[key], asked)
                if body is not None:
                    container[key] = body
        if kind == "prompt":
            for container, key, path in places(document, ("messages", "*", "parts", "*")):
                if isinstance(container[key], dict) and isinstance(container[key].get("include"), str):
                    asked = Fault(self._disk.shown(file), line_of(lines, path), "")
                    container[key] = self._included(container[key], asked)

    def _schema(self, value: Any, asked: Fault) -> Any:
        """The schema body with every file in it, or None where there is a fault or nothing to do."""
        if not isinstance(value, str | dict):
            return None
        bundling = _Bundling(self._disk, asked)
        body = bundling.whole(value)
        if body is None or bundling.failed:
            return None
        where = value if isinstance(value, str) else "this place"
        try:
            schema_validator(body, where)
        except Invalid as bad:
            self._disk.faults.append(Fault(asked.file, asked.line, bad.message, bad.hint))
            return None
        return body

    def _included(self, part: dict[str, Any], asked: Fault) -> dict[str, Any]:
        """The part with its text. An older pinned text may stand in fragments/<name>.<12 hex digits>.md."""
        name, _, pin = part["include"].partition("@")
        older = f"fragments/{name}.{pin.removeprefix('sha256:')[:12]}.md"
        path = older if pin and self._disk.has(older) else f"fragments/{name}.md"
        text = self._disk.referenced(path, Fault(asked.file, asked.line, f"the fragment {path}"))
        if text is None:
            return part
        found = digest_bytes(text.encode())
        if pin and pin != found:
            message = f"{path} has changed: it is {found}, expected {pin}"
            hint = f"pin the new text with {name}@{found}, or keep the old text in {older}"
            self._disk.faults.append(Fault(asked.file, asked.line, message, hint))
        return {**part, "text": text}


class _TooLarge(Exception):
    """What the files make together is more than a schema may be."""


class _Bundling:
    """One schema with the files it refers to: in their places, or under its $defs where they refer into themselves."""

    def __init__(self, disk: Disk, asked: Fault) -> None:
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
