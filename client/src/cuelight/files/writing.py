"""Writing: a bundle becomes a workflow folder that people can read, and that reads back to the same digests."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path as FilePath
from typing import Any

from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.files.inlining import SCHEMA_PLACES, places
from cuelight.files.placing import refuse_filled, whole
from cuelight.files.yaml_text import dump

_INLINE_BELOW = 160  # a schema shorter than this, in bytes, is easier to read where it is used


def write_folder(bundle: Mapping[str, Any], path: FilePath | str) -> list[str]:
    """Write a bundle as a folder; the paths written, in order, relative to `path`.

    Conflict where the folder holds anything already; it appears whole or not at all. `read_folder` of the result has the same digests.
    """
    folder = FilePath(path)
    refuse_filled(folder)
    texts = folder_texts(bundle)
    with whole(folder) as place:
        for name, text in texts.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def folder_texts(bundle: Mapping[str, Any]) -> dict[str, str]:
    """The text of every file of the folder that a bundle stands for, by path."""
    out = _Folder()
    texts = {
        f"{document}.yaml": dump(out.taken_apart(kind, document, value)) for document, kind, value in _documents(bundle)
    }
    recordings = _recordings(bundle.get("recordings") or [])
    return {**texts, **out.files(), **recordings}


def _documents(bundle: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    yield "workflow", "workflow", bundle["workflow"]
    yield "authority", "authority", bundle["authority"]
    if bundle.get("prices"):
        yield "prices", "prices", bundle["prices"]
    for name, labels in bundle["prompts"].items():
        for label, document in labels.items():
            yield f"prompts/{name}/{label}", "prompt", document
    for shelf, kind in (("suites", "suite"), ("knowledge", "knowledge")):
        for name, document in (bundle.get(shelf) or {}).items():
            yield f"{shelf}/{name}", kind, document


def _recordings(recorded: list[Any]) -> dict[str, str]:
    """One file; a line each, in their order."""
    if not recorded:
        return {}
    rows = [json.dumps(one, ensure_ascii=False) for one in recorded]
    return {"recordings/recordings.jsonl": "\n".join(rows) + "\n"}


class _Folder:
    """Collects schemas and fragments while documents are taken apart; equal bodies share a file."""

    def __init__(self) -> None:
        self._schemas: dict[str, dict[str, Any]] = {}
        self._paths: dict[bytes, str] = {}
        self._fragments: dict[str, str] = {}

    def taken_apart(self, kind: str, document: str, value: Any) -> Any:
        """A copy of the document that names files where schemas and fragments were."""
        apart = deepcopy(value)
        for pattern in SCHEMA_PLACES.get(kind, ()):
            for container, key, path in list(places(apart, pattern)):
                body = container[key]
                if isinstance(body, dict) and len(canonical(body)) >= _INLINE_BELOW:
                    container[key] = self._schema(body, _schema_name(document, container, path))
        if kind == "prompt":
            for container, key, _ in list(places(apart, ("messages", "*", "parts", "*"))):
                part = container[key]
                if isinstance(part, dict) and "include" in part and "text" in part:
                    self._fragment(part["include"], part["text"])
                    container[key] = {name: one for name, one in part.items() if name != "text"}
        return apart

    def files(self) -> dict[str, str]:
        """The files collected, by path."""
        schemas = {
            path: json.dumps(body, indent=2, ensure_ascii=False) + "\n" for path, body in sorted(self._schemas.items())
        }
        return {**schemas, **dict(sorted(self._fragments.items()))}

    def _schema(self, body: dict[str, Any], name: str) -> str:
        same = canonical(body)
        if same not in self._paths:
            taken = set(self._schemas)
            tries = (f"schemas/{name}{f'.{number}' if number > 1 else ''}.json" for number in range(1, len(taken) + 2))
            self._paths[same] = next(path for path in tries if path not in taken)
            self._schemas[self._paths[same]] = body
        return self._paths[same]

    def _fragment(self, include: str, text: str) -> None:
        """The newest text of a fragment has the plain name; another pinned text has 12 digits of its digest in its name."""
        name, _, pin = include.partition("@")
        path = f"fragments/{name}.md"
        if self._fragments.setdefault(path, text) == text:
            return
        if pin:
            self._fragments[f"fragments/{name}.{digest_bytes(text.encode()).removeprefix('sha256:')[:12]}.md"] = text
            return
        first = self._fragments[path]
        self._fragments[f"fragments/{name}.{digest_bytes(first.encode()).removeprefix('sha256:')[:12]}.md"] = first
        self._fragments[path] = text


def _schema_name(document: str, container: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
    """`lead_qualification.output` for the output schema of prompts/lead_qualification/v1."""
    steps = document.split("/")
    owner = steps[1] if len(steps) > 1 else steps[0]
    named = [container[key] for key in ("name", "id", "action") if isinstance(container.get(key), str)]
    words = [step for step in path if isinstance(step, str) and step not in ("schema", "parameters", "arguments")]
    parts = [owner, *words, *named]
    clean = "".join(one if one.isalnum() or one in "._-" else "_" for one in ".".join(parts))
    return clean if path != ("schema",) else f"{clean}.schema"
