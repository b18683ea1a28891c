"""Reading: a workflow folder becomes one bundle, and everything that is wrong in it is said at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from cuelight.contract import content
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.contract.errors import CuelightError, Invalid
from cuelight.contract.format import Problem, check
from cuelight.files.disk import Disk
from cuelight.files.faults import Path, dotted, line_of, refuse
from cuelight.files.inlining import Inliner
from cuelight.files.json_text import parse_json
from cuelight.files.shelves import LABELS, Shelved, recordings, shared, shelved, stem
from cuelight.files.yaml_lines import parse

FACTS = ("status", "author", "created", "environment", "last_approved_by", "rollback_version")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document came from: its file as a message shows it, and the line of each place in it."""

    file: str
    lines: Mapping[Path, int]


@dataclass(frozen=True, slots=True)
class Folder:
    """A workflow folder, read and found whole.

    `bundle` is plain JSON; `digests` are those of each prompt's labels, `fragments` those of the shared texts as they are now;
    `unread` are paths among the files that were not read, each with the reason.
    """

    bundle: dict[str, Any]
    sources: Mapping[str, Source]
    digests: Mapping[str, Mapping[str, str]]
    fragments: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        name: str = self.bundle["workflow"]["workflow"]
        return name

    def where(self, document: str, path: Iterable[str | int] = ()) -> str:
        """`file:line` of a place, or of the nearest one around it; the document's own name where it has no file."""
        source = self.sources.get(document)
        return f"{source.file}:{line_of(source.lines, path)}" if source else document


def read_folder(path: FilePath | str) -> Folder:
    """Read every file of a workflow folder, schemas and fragments put in their places.

    NotFound where there is no folder. Invalid, with every problem of the folder in `details["problems"]`, where a file
    is not what it must be; each problem has `file`, `line`, `message` and `hint`.
    """
    if not str(path):
        raise Invalid("an empty name, expected a workflow folder", "write . for the folder you stand in")
    return _Reading(Disk(FilePath(path))).folder()


@dataclass(slots=True)
class _Reading:
    disk: Disk
    documents: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    ignored: list[dict[str, str]] = field(default_factory=list)
    digests: dict[str, dict[str, str]] = field(default_factory=dict)

    def folder(self) -> Folder:
        inliner = Inliner(self.disk)
        for one in shelved(self.disk):
            self._document(one, inliner)
        lines = [line for path in recordings(self.disk) for line in self._recordings(path)]
        _refuse_twice_recorded(self.disk, lines)
        self._labels()
        self._prompt_folders()
        fragments = {stem(path): digest_bytes((self.disk.text(path) or "").encode()) for path in shared(self.disk)}
        if self.disk.faults:
            raise refuse(self.disk.faults)
        bundle = self._bundle([recorded for _, _, recorded in lines])
        return Folder(bundle, self.sources, self.digests, fragments, self.disk.unread)

    def _document(self, one: Shelved, inliner: Inliner) -> None:
        text = self.disk.text(one.path)
        if text is None:
            return
        parsed = parse(text, self.disk.shown(one.path))
        self.disk.faults.extend(parsed.faults)
        if parsed.empty or (parsed.value is None and not parsed.faults):
            self.disk.fault(
                one.path, 1, f"the file is empty, expected a {one.kind} document", f"see: cuelight schema {one.kind}"
            )
        elif not isinstance(parsed.value, dict):
            if not parsed.faults:
                found = "a list" if isinstance(parsed.value, list) else "a single value"
                self.disk.fault(one.path, 1, f"{found}, expected an object", f"see: cuelight schema {one.kind}")
        else:
            self._checked(one, parsed.value, parsed.lines, inliner)

    def _checked(self, one: Shelved, value: dict[str, Any], lines: dict[Path, int], inliner: Inliner) -> None:
        self.sources[one.document] = Source(self.disk.shown(one.path), lines)
        self.documents[one.document] = value
        before = len(self.disk.faults)
        for problem in check(one.kind, value):
            self._fault(one, lines, problem.path, _said(problem), problem.hint)
        inliner.fill(one.kind, value, one.path, lines)
        if one.kind == "prompt":
            self._take_facts(one, value)
        if len(self.disk.faults) == before:
            self._beyond_shape(one, value, lines)

    def _fault(self, one: Shelved, lines: Mapping[Path, int], path: Path, message: str, hint: str) -> None:
        self.disk.fault(one.path, line_of(lines, path), message, hint)

    def _take_facts(self, one: Shelved, value: dict[str, Any]) -> None:
        """Facts of the desk are no part of a prompt file: they are taken out and reported."""
        for key in [key for key in FACTS if key in value]:
            del value[key]
            self.ignored.append({"file": one.path, "key": key})

    def _beyond_shape(self, one: Shelved, value: dict[str, Any], lines: Mapping[Path, int]) -> None:
        name = stem(one.path)
        if one.kind in ("suite", "knowledge") and value[one.kind] != name:
            hint = f"rename the file to {value[one.kind]}.yaml, or write {one.kind}: {name}"
            message = f"the {one.kind} calls itself {value[one.kind]}, expected {name} as the file is called"
            self._fault(one, lines, (one.kind,), message, hint)
        if one.kind == "suite":
            self._case_ids(one, value, lines)
        try:
            if one.kind == "prompt":
                _, prompt, label = one.document.split("/")
                self.digests.setdefault(prompt, {})[label] = content.parse(value).digest
            else:
                canonical(value)
        except CuelightError as bad:
            self._fault(one, lines, tuple(bad.details.get("path", ())), bad.message, bad.hint)

    def _case_ids(self, one: Shelved, value: dict[str, Any], lines: Mapping[Path, int]) -> None:
        seen: dict[str, int] = {}
        for index, case in enumerate(value["cases"]):
            place: Path = ("cases", index, "id")
            if case["id"] in seen:
                message = f"the case {case['id']} a second time, first on line {seen[case['id']]}"
                self._fault(one, lines, place, message, "give it an id of its own")
            seen.setdefault(case["id"], line_of(lines, place))

    def _recordings(self, path: str) -> list[tuple[str, int, dict[str, Any]]]:
        return [(path, number, value) for number, value in self._lines(path, "recording")]

    def _labels(self) -> None:
        """What people said of outputs stands in a file beside its suite, and is a part of it."""
        for document in [one for one in self.documents if one.startswith("suites/")]:
            path = f"{document}{LABELS}"
            if self.disk.has(path):
                rows = [value for _, value in self._lines(path, "label")]
                suite = self.documents[document]
                suite["labels"] = [*(suite.get("labels") or []), *rows]

    def _lines(self, path: str, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """(line, value) of every line that fits; the others become faults."""
        for number, row in enumerate((self.disk.text(path) or "").split("\n"), 1):
            if not row.strip():
                continue
            value, faults = parse_json(row, self.disk.shown(path), number)
            self.disk.faults.extend(faults)
            problems = [] if faults else check(kind, value)
            for problem in problems:
                self.disk.fault(path, number, _said(problem), problem.hint)
            if not faults and not problems:
                yield number, value

    def _prompt_folders(self) -> None:
        """The prompts of workflow.yaml and the folders in prompts/ are the same."""
        workflow = self.documents.get("workflow", {})
        declared = workflow.get("prompts") if isinstance(workflow.get("prompts"), dict) else None
        if declared is None:
            return
        there = {name for name in self.disk.names("prompts") if self.disk.is_folder(f"prompts/{name}")}
        for name in sorted(there - set(declared)):
            known = ", ".join(sorted(declared))
            self.disk.fault(
                f"prompts/{name}",
                1,
                f"workflow.yaml knows no prompt {name}",
                f"add it under prompts: there; known: {known}",
            )
        filled = {document.split("/")[1] for document in self.sources if document.startswith("prompts/")}
        for name in sorted(set(declared) - filled):
            line = line_of(self.sources["workflow"].lines, ("prompts", name))
            if not any(fault.file.startswith(self.disk.shown(f"prompts/{name}/")) for fault in self.disk.faults):
                self.disk.fault(
                    "workflow.yaml", line, f"the prompt {name} has no file", f"write prompts/{name}/v1.yaml"
                )

    def _bundle(self, recorded: list[dict[str, Any]]) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "workflow": self.documents["workflow"],
            "authority": self.documents["authority"],
            "prompts": {},
            "suites": {},
            "knowledge": {},
            "prices": self.documents.get("prices"),
            "recordings": recorded,
            "ignored": self.ignored,
        }
        for document, value in self.documents.items():
            match document.split("/"):
                case ["prompts", name, label]:
                    bundle["prompts"].setdefault(name, {})[label] = value
                case [shelf, name]:
                    bundle[shelf][name] = value
        return bundle


def _said(problem: Problem) -> str:
    """The problem with its place in front; an unknown key names itself."""
    place = dotted(problem.path[:-1] if problem.message.startswith("unknown key") else problem.path)
    return f"{place}: {problem.message}" if place else problem.message


def _refuse_twice_recorded(disk: Disk, lines: list[tuple[str, int, dict[str, Any]]]) -> None:
    """Two recordings of one sample must be the same; else which one counts would be chance."""
    seen: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
    for path, number, one in lines:
        key = (one["content"], one["case"], one.get("sample", 1))
        if key in seen and seen[key][1] != one:
            message = f"a second recording of case {one['case']}, sample {key[2]}, for this content; the first is {seen[key][0]}"
            disk.fault(path, number, message, "keep one of the two, or give it another sample number")
        seen.setdefault(key, (f"{path}:{number}", one))
