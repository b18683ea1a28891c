"""Shelves: which files a workflow folder has, what each is called in the bundle, and names that do not belong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from cuelight.files.disk import Disk

TOP = {"workflow": "workflow", "authority": "authority", "prices": "prices"}
FOLDERS = ("prompts", "suites", "schemas", "knowledge", "fragments", "recordings")
ENVIRONMENTS = ("development", "staging", "production")
LABELS = ".labels.jsonl"  # beside a suite: what people said of outputs that a judge grades
_YAML = (".yaml", ".yml")
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_ODD_VERSION = re.compile(r"v0\d*|V\d+")


@dataclass(frozen=True, slots=True)
class Shelved:
    """One file: its path in the folder, its kind in the format, and its name in the bundle (`prompts/hello/v1`)."""

    path: str
    kind: str
    document: str


def shelved(disk: Disk) -> Iterator[Shelved]:
    """Every YAML document of the folder; missing, doubled and misnamed files become faults of the disk."""
    yield from _top(disk)
    for name in disk.names("prompts"):
        if disk.is_folder(f"prompts/{name}"):
            yield from _documents(disk, f"prompts/{name}", "prompt", _LABEL)
        elif name.endswith(_YAML):
            disk.fault(
                f"prompts/{name}",
                1,
                "a file right in prompts/, expected prompts/<name>/v1.yaml",
                "move it one folder down",
            )
    for folder, kind in (("suites", "suite"), ("knowledge", "knowledge")):
        yield from _documents(disk, folder, kind, _NAME)


def recordings(disk: Disk) -> Iterator[str]:
    """The path of every file of recordings."""
    for name in disk.names("recordings"):
        path = f"recordings/{name}"
        odd = disk.oddity(path)
        if not odd and name.endswith(".jsonl"):
            yield path
        else:
            disk.unread[path] = odd or "expected <name>.jsonl"


def shared(disk: Disk) -> Iterator[str]:
    """The path of every fragment that is current; older pinned texts have a dot in their name."""
    return (f"fragments/{name}" for name in disk.names("fragments") if name.endswith(".md") and name.count(".") == 1)


def stem(path: str) -> str:
    """The file's name without folder and ending: what a document is called."""
    return path.rpartition("/")[2].rpartition(".")[0]


def _top(disk: Disk) -> Iterator[Shelved]:
    names = disk.names("")
    for name in names:
        head, _, ending = name.rpartition(".")
        if f".{ending}" in _YAML and head in TOP:
            yield Shelved(name, TOP[head], head)
        else:
            _misnamed(disk, name)
    for name in TOP:
        there = [one for one in names if one in (f"{name}.yaml", f"{name}.yml")]
        if len(there) > 1:
            disk.fault(there[1], 1, f"beside {there[0]}, expected one of the two", "remove one")
        if not there and name != "prices":
            disk.fault(
                f"{name}.yaml",
                1,
                "there is no such file, expected one",
                "cuelight init shows what a workflow folder holds",
            )


def label_words(kind: str) -> str:
    """How the files of a kind are called."""
    return "v1.yaml, v2.yaml ... or a draft's <label>.yaml" if kind == "prompt" else f"a {kind} called <name>.yaml"


def _misnamed(disk: Disk, name: str) -> None:
    if disk.is_folder(name):
        near = get_close_matches(name, FOLDERS, 1, 0.75)
        if near and name not in FOLDERS:
            disk.fault(name, 1, f"the folder {name}, which is not read", f"did you mean {near[0]}?")
    elif name.endswith(_YAML):
        near = get_close_matches(name, [f"{one}.yaml" for one in TOP], 1)
        hint = f"did you mean {near[0]}?" if near else "at the top stand workflow.yaml, authority.yaml and prices.yaml"
        disk.fault(name, 1, f"the file {name}, which is not read", hint)


def _documents(disk: Disk, folder: str, kind: str, allowed: re.Pattern[str]) -> Iterator[Shelved]:
    seen: dict[str, str] = {}
    for name in disk.names(folder):
        path = f"{folder}/{name}"
        odd = disk.oddity(path)
        if (
            not odd
            and kind == "suite"
            and name.endswith(LABELS)
            and any(disk.has(f"{path.removesuffix(LABELS)}{ending}") for ending in _YAML)
        ):
            continue  # read with its suite
        if odd or not name.endswith(_YAML):
            disk.unread[path] = odd or f"expected {label_words(kind)}"
            continue
        label = stem(path)
        if _ODD_VERSION.fullmatch(label):
            disk.fault(
                path,
                1,
                f"the file name {name}, expected v1.yaml, v2.yaml, ...",
                "v and a number, no zeros in front",
            )
        elif label in ENVIRONMENTS:
            disk.fault(path, 1, f"a draft called {label}, which names an environment", "rename the file")
        elif not allowed.fullmatch(label):
            disk.fault(path, 1, f"the file name {name}, expected lower-case letters, digits and _", "rename the file")
        elif label in seen:
            disk.fault(path, 1, f"a second file for {label}, beside {seen[label]}", "keep one of the two")
        else:
            seen[label] = name
            yield Shelved(path, kind, f"{folder}/{label}")
