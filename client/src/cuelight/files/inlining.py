"""Inlining: schemas and fragments that stand in files of their own become part of the document that names them."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator
from cuelight.files.bundling import Bundling
from cuelight.files.disk import Disk
from cuelight.files.faults import Fault, Path, line_of

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
        bundling = Bundling(self._disk, asked)
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
