"""A workflow folder as it arrives: checked piece by piece against the file format, since nobody else's check counts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract import format as file_format
from cuelight.contract.canonical import canonical_text, digest, digest_bytes
from cuelight.contract.content import Content, line_feeds, parse
from cuelight.contract.errors import Invalid
from cuelight_server.prompts.model import RecordingKey

KEYS = ("workflow", "authority", "prompts", "suites", "knowledge", "prices", "recordings", "ignored")
DESK_FACTS = ("status", "author", "created", "environment", "last_approved_by", "rollback_version")
NO_AUTHORITY: dict[str, Any] = {"actions": []}  # what is not in the table is never allowed
_MOST_PROBLEMS, _DEEPEST = 100, 90
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")
_NEARLY_VERSION = re.compile(r"v\d+")
_RESERVED = ("production", "staging", "development")
Problem = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt file: its document, the content in normal form, and the release note that stands beside it."""

    document: Mapping[str, Any]
    content: Content
    release_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A checked folder: line ends are LF, every schema is inlined, every document fits its kind."""

    name: str
    workflow: dict[str, Any]
    authority: dict[str, Any]
    prompts: dict[str, dict[str, Item]]
    suites: dict[str, dict[str, Any]]
    knowledge: dict[str, dict[str, Any]]
    prices: dict[str, Any] | None
    recordings: dict[RecordingKey, str]
    ignored: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version that the desk has, for a newer one to be held against; `served` where production serves it."""

    number: int
    content: Content
    served: bool


@dataclass(frozen=True, slots=True)
class OnDesk:
    """What the desk has of a workflow beside the folder.

    `declared` maps a prompt's short name to the variables of its versions and drafts, `labels` to their labels;
    `digests` are those of all contents.
    """

    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What lint and the rule report look at.

    `suites` and `knowledge` are those of the folder and, where the folder lacks one, the desk's; `people` the ids that
    the desk knows, None where nobody asked it; `earlier` by short name what the desk has: the newest version, and the
    one in production; `retired_models` the models that it knows to be no longer offered.
    """

    bundle: Bundle
    suites: Mapping[str, Mapping[str, Any]]
    people: frozenset[str] | None = None
    knowledge: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    earlier: Mapping[str, tuple[Earlier, ...]] = field(default_factory=dict)
    desk: OnDesk = OnDesk()
    retired_models: frozenset[str] = frozenset()


def checked(bundle: Any) -> Bundle:
    """The bundle, or Invalid with everything that is wrong with it in `details["problems"]` (at most 100).

    A problem is {"document", "path", "message", "hint"}; `document` is `workflow`, `prompts/x/v1`, `recordings/12` ...
    """
    if not isinstance(bundle, Mapping):
        raise Invalid("a bundle is a JSON object", "send what `cuelight push` sends")
    _refuse_depth(bundle)
    problems: list[Problem] = []
    whole = _whole(bundle, problems)
    if not problems:
        problems = [problem for place, kind, one in _documents(whole) for problem in _document(place, kind, one)]
    if problems:
        raise _refused(problems)
    made = _made(whole, problems)
    if problems:
        raise _refused(problems)
    return made


def _refuse_depth(bundle: Mapping[str, Any]) -> None:
    ahead: list[tuple[Any, int]] = [(bundle, 0)]
    while ahead:
        node, depth = ahead.pop()
        if depth > _DEEPEST:
            raise Invalid(f"the bundle is nested deeper than {_DEEPEST} levels", "flatten it")
        inside = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
        ahead.extend((one, depth + 1) for one in inside if isinstance(one, Mapping | list))


def number_of(label: str) -> int | None:
    """2 for `v2`; None for the label of a draft."""
    found = _VERSION.fullmatch(label)
    return int(found.group(1)) if found else None


def schemas_in(kind: str, document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(path, value) of every place of a document where a JSON Schema stands."""
    for pattern in _SCHEMAS.get(kind, ()):
        yield from _at(document, pattern, ())


_SCHEMAS: dict[str, tuple[tuple[str, ...], ...]] = {
    "authority": (("actions", "*", "arguments"),),
    "prompt": (
        ("variables", "*", "schema"),
        ("output", "schema"),
        ("output", "consumers", "*", "schema"),
        ("tools", "*", "parameters"),
    ),
    "suite": (("schema",), ("input_schema",), ("graders", "*", "schema"), ("cases", "*", "graders", "*", "schema")),
}


def _at(
    node: Any, pattern: tuple[str, ...], path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if not pattern:
        yield path, node
    elif pattern[0] == "*":
        for index, item in enumerate(node if isinstance(node, list) else ()):
            yield from _at(item, pattern[1:], (*path, index))
    elif isinstance(node, Mapping) and pattern[0] in node:
        yield from _at(node[pattern[0]], pattern[1:], (*path, pattern[0]))


def _whole(bundle: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The eight keys with their outer shape; what is missing is empty."""
    problems.extend(
        _problem("", (key,), f"unknown key {key!r}", f"a bundle has {', '.join(KEYS)}")
        for key in bundle
        if key not in KEYS
    )
    empty: dict[str, Any] = {"prompts": {}, "suites": {}, "knowledge": {}, "recordings": [], "ignored": []}
    whole = {key: line_feeds(bundle[key]) if key != "recordings" else bundle[key] for key in KEYS if key in bundle}
    whole = {**empty, **{key: value for key, value in whole.items() if value is not None}}
    for key, value in empty.items():
        if not isinstance(whole[key], type(value)):
            problems.append(_problem(key, (), f"expected {'an object' if value == {} else 'a list'}"))
    for name, labels in whole["prompts"].items() if isinstance(whole["prompts"], Mapping) else ():
        if not isinstance(labels, Mapping):
            problems.append(_problem(f"prompts/{name}", (), "expected an object of labels"))
    if "workflow" not in whole:
        problems.append(_problem("workflow", (), "the workflow is missing", "a folder has a workflow.yaml"))
    return {"authority": NO_AUTHORITY, "prices": None, **whole}


def _documents(whole: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(place, kind, document) of everything that has a kind."""
    yield "workflow", "workflow", whole["workflow"]
    yield "authority", "authority", whole["authority"]
    for name, labels in whole["prompts"].items():
        yield from ((f"prompts/{name}/{label}", "prompt", one) for label, one in labels.items())
    yield from ((f"suites/{name}", "suite", one) for name, one in whole["suites"].items())
    yield from ((f"knowledge/{name}", "knowledge", one) for name, one in whole["knowledge"].items())
    if whole["prices"] is not None:
        yield "prices", "prices", whole["prices"]
    yield from ((f"recordings/{index}", "recording", one) for index, one in enumerate(whole["recordings"]))


def _document(place: str, kind: str, document: Any) -> Iterator[Problem]:
    found = file_format.check(kind, document)
    yield from (_problem(place, one.path, one.message, one.hint) for one in found)
    if found:
        return
    for path, schema in schemas_in(kind, document):
        if isinstance(schema, str):
            yield _problem(place, path, f"the schema file {schema} is not inlined", "send the body of the file")
    yield from _names(place, kind, document)
    try:
        canonical_text(document).encode()
        if kind == "prompt":
            yield from _includes(place, document)
            parse(document)
    except (Invalid, UnicodeEncodeError) as bad:
        hint = bad.hint if isinstance(bad, Invalid) else "re-encode it as valid Unicode"
        yield _problem(place, (), str(bad), hint)


def _names(place: str, kind: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    _, name, label = (*place.split("/", 2), "", "")[:3]
    if kind in ("suite", "knowledge") and document[kind] != name:
        yield _problem(place, (kind,), f"it calls itself {document[kind]}", "use the name of the file")
    if kind == "workflow" and any(one["id"] == "system" for one in document.get("people", ())):
        yield _problem(place, ("people",), "`system` is the desk itself", "give the person another id")
    if kind != "prompt":
        return
    if not _NAME.fullmatch(name):
        yield _problem(place, (), f"{name!r} is no name of a prompt", "lower-case letters, digits and _, at most 80")
    if not _LABEL.fullmatch(label) or label in _RESERVED or (_NEARLY_VERSION.fullmatch(label) and not number_of(label)):
        yield _problem(place, (), f"{label!r} is no label", "v1, v2 ... for versions, any other plain word for a draft")


def _includes(place: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    for path, part in _at(document, ("messages", "*", "parts", "*"), ()):
        if "include" not in part:
            continue
        _, _, pin = part["include"].partition("@")
        if "text" not in part:
            yield _problem(place, path, f"the fragment {part['include']} is not inlined", "send its text in the part")
        elif pin and digest_bytes(part["text"].encode()) != pin:
            yield _problem(place, path, f"the text is not the one of {part['include']}", "pin the digest of this text")


def _made(whole: Mapping[str, Any], problems: list[Problem]) -> Bundle:
    return Bundle(
        name=whole["workflow"]["workflow"],
        workflow=whole["workflow"],
        authority=whole["authority"],
        prompts={
            name: {label: Item(one, parse(one), one.get("release_note", "")) for label, one in sorted(labels.items())}
            for name, labels in sorted(whole["prompts"].items())
        },
        suites=dict(sorted(whole["suites"].items())),
        knowledge=dict(sorted(whole["knowledge"].items())),
        prices=whole["prices"],
        recordings=_recordings(whole["recordings"], problems),
        ignored=_ignored(whole),
    )


def _recordings(lines: list[dict[str, Any]], problems: list[Problem]) -> dict[RecordingKey, str]:
    found: dict[RecordingKey, str] = {}
    for index, line in enumerate(lines):
        key, text = (line["content"], line["case"], line.get("sample", 1)), canonical_text(line)
        if found.setdefault(key, text) != text:
            words = f"case {key[1]}, sample {key[2]} of this content is recorded twice, with different outputs"
            problems.append(
                _problem(f"recordings/{index}", (), words, "keep one of the two, or give it another sample")
            )
    return found


def _ignored(whole: Mapping[str, Any]) -> list[dict[str, str]]:
    """Claims about facts of the desk: those that the sender saw, and those that still stand in the documents."""
    said = [
        {"file": str(one.get("file", "")), "key": str(one.get("key", ""))}
        for one in whole["ignored"]
        if isinstance(one, Mapping)
    ]
    seen = [
        {"file": f"prompts/{name}/{label}.yaml", "key": key}
        for name, labels in whole["prompts"].items()
        for label, one in labels.items()
        for key in DESK_FACTS
        if key in one
    ]
    return said + [one for one in seen if one not in said]


def workflow_digest(document: Mapping[str, Any], authority: Mapping[str, Any]) -> str:
    """What an approval is bound to: the digest of a workflow's document together with its authority."""
    return digest({"document": dict(document), "authority": dict(authority)})


def _problem(document: str, path: tuple[str | int, ...], message: str, hint: str = "") -> Problem:
    return {"document": document, "path": list(path), "message": message, "hint": hint}


def _refused(problems: list[Problem]) -> Invalid:
    first = problems[0]
    where = " ".join(filter(None, [first["document"], ".".join(map(str, first["path"]))]))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"{where}: {first['message']}{more}"
    return Invalid(message, first["hint"] or "nothing was stored", problems=problems[:_MOST_PROBLEMS])
