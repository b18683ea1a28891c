"""An exported log, read line by line and verified with nothing but itself: nothing in it is believed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cuelight.contract.errors import Invalid, NotFound, Unavailable
from cuelight.contract.kept import Kept
from cuelight.contract.log import (
    Checkpoint,
    Finding,
    Line,
    Tampering,
    against_checkpoints,
    look_at,
)
from cuelight.contract.meaning import Meaning, places
from cuelight.contract.merkle import EMPTY_ROOT, Frontier, append, leaf_hash, root_of
from cuelight.contract.note import Verifier, is_rotation, parse_signed, parse_verifier, signers

FORMAT = 1
MOST_BYTES_IN_A_LINE = 8 * 1024 * 1024
_MOST_FINDINGS = 200
_KINDS = ("cuelight_log", "key", "checkpoint", "line", "serves", "checklist", "published", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found, the first bad line first; `notes` say what could not be checked, and what that means."""

    size: int
    root: str
    key: str | None
    checkpoints: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def first_bad(self) -> int | None:
        """The first line that is not what it was; None where nothing is wrong, or it cannot be told by line.

        What lines meant counts only where the lines themselves are whole: the rest follows from what was done to them.
        """
        return next((one.seq for one in self.findings if one.seq is not None), None)

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        found = [{"kind": one.kind.value, "line": one.seq, "message": one.message} for one in self.findings]
        return {
            "ok": not self.findings,
            "lines": self.size,
            "root": self.root,
            "key": self.key,
            "checkpoints": self.checkpoints,
            "first_bad_line": self.first_bad,
            "findings": found,
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class _Reading:
    """What is known after each record."""

    declared: Checkpoint | None = None
    keys: list[tuple[Verifier, str | None, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wanted: dict[int, str] = field(default_factory=dict)  # size of a checkpoint -> the root that the log had then
    frontier: Frontier = field(default_factory=Frontier)
    last: int = 0
    apart: bool = False  # lines and roots parted ways: the first place was told
    findings: list[Finding] = field(default_factory=list)
    meaning: Meaning = field(default_factory=Meaning)
    serves: list[Mapping[str, Any]] = field(default_factory=list)
    checklists: dict[str, Any] = field(default_factory=dict)
    published: dict[str, tuple[int, str]] = field(default_factory=dict)
    ended: bool = False


def verify_file(path: Path, kept: Sequence[Kept] = (), pinned: Verifier | None = None) -> Outcome:
    """Verify an export; NotFound or Unavailable where there is none to read, Invalid where it is no export.

    `kept` are checkpoints that were saved outside, `pinned` a key that is trusted from elsewhere.
    """
    try:
        with path.open("rb") as file:
            return verify(file, path.name, kept, pinned)
    except FileNotFoundError as gone:
        raise NotFound(f"there is no file {path}", "make one: cuelight audit export FILE") from gone
    except OSError as bad:
        raise Unavailable(f"{path} cannot be read: {bad.strerror}", "look at the file and its permissions") from bad


def verify(file: BinaryIO, name: str, kept: Sequence[Kept] = (), pinned: Verifier | None = None) -> Outcome:
    """Verify an export that is read from here; `name` is what messages call it."""
    now = _Reading(wanted={one.checkpoint.size: "" for one in kept})
    now.wanted[0] = EMPTY_ROOT.hex()
    for place, record in _records(file, name):
        if now.ended:
            raise Invalid(f"{place}: there is more after the end", "is it two exports in one file?")
        _take(now, record, place)
    if now.declared is None or not now.ended:
        raise Invalid(f"{name} ends in the middle", "the export was cut off: make it again, or copy it again")
    return _outcome(now, kept, pinned)


def _records(file: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of the file as JSON, with its place; Invalid names the first that is none."""
    number = 0
    while raw := file.readline(MOST_BYTES_IN_A_LINE + 1):
        number += 1
        place = f"{name}:{number}"
        if len(raw) > MOST_BYTES_IN_A_LINE:
            raise Invalid(f"{place} is longer than {MOST_BYTES_IN_A_LINE // 2**20} MB", "no line of an export is")
        try:
            record = json.loads(raw.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError as bad:
            raise Invalid(f"{place} is not UTF-8", "is this an export? make one: cuelight audit export FILE") from bad
        except (ValueError, RecursionError) as bad:
            raise Invalid(f"{place} is no JSON", "is this an export? make one: cuelight audit export FILE") from bad
        if not isinstance(record, dict):
            raise Invalid(f"{place} is no record of an export", "each line is a JSON object")
        yield place, record


def _take(now: _Reading, record: dict[str, Any], place: str) -> None:
    kind = next((one for one in _KINDS if one in record), None)
    if (now.declared is None) != (kind == "cuelight_log"):
        raise Invalid(f"{place} is no export of a log", 'an export begins with {"cuelight_log": 1, ...}, once')
    if kind is None:
        raise Invalid(f"{place} is no record of an export", f"a record has one of: {', '.join(_KINDS)}")
    try:
        _TAKERS[kind](now, record)
    except Invalid as bad:
        raise Invalid(f"{place}: {bad.message}", bad.hint) from bad
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as bad:
        raise Invalid(f"{place}: this {kind.replace('_', ' ')} cannot be read", "make the export again") from bad


def _head(now: _Reading, record: dict[str, Any]) -> None:
    if record["cuelight_log"] != FORMAT:
        raise Invalid(
            f"this export has format {record['cuelight_log']}, this command reads {FORMAT}", "upgrade cuelight"
        )
    now.declared = Checkpoint(int(record["size"]), str(record["root"]))


def _key(now: _Reading, record: dict[str, Any]) -> None:
    one = record["key"]
    verifier = parse_verifier(one["verifier"])
    if one["id"] != verifier.id:
        raise Invalid("the id of this key is another's", "make the export again")
    now.keys.append((verifier, one["endorsement"], int(one["seq"])))


def _note(now: _Reading, record: dict[str, Any]) -> None:
    note = str(record["checkpoint"])
    now.notes.append(note)
    now.wanted.setdefault(parse_signed(note).checkpoint.size, "")


def _line(now: _Reading, record: dict[str, Any]) -> None:
    body = record["body"]
    line = Line(int(record["line"]), body if isinstance(body, str) else f"no text: {body!r}", str(record["leaf"]))
    leaf = leaf_hash(line.body.encode(errors="surrogatepass"))
    found = look_at(line, leaf, now.last)
    now.frontier = append(now.frontier, leaf)
    root = root_of(now.frontier).hex()
    if not (now.apart or found) and root != record["root"]:
        words = f"line {line.seq} and the root after it do not belong together"
        found.append(Finding(Tampering.EDIT, line.seq, words))
    now.apart = now.apart or bool(found)
    _more(now.findings, found)
    if now.frontier.size in now.wanted:
        now.wanted[now.frontier.size] = root
    now.meaning.read(line.seq, line.body)
    now.last = max(now.last, line.seq)


def _serves(now: _Reading, record: dict[str, Any]) -> None:
    now.serves.append(dict(record["serves"]))


def _checklist(now: _Reading, record: dict[str, Any]) -> None:
    one = record["checklist"]
    try:
        now.checklists[one["release"]] = json.loads(one["text"])
    except (TypeError, ValueError, RecursionError):
        now.checklists[one["release"]] = "unreadable"


def _published(now: _Reading, record: dict[str, Any]) -> None:
    one = record["published"]
    now.published[one["environment"]] = one["version"], one["digest"]


def _end(now: _Reading, record: dict[str, Any]) -> None:
    told, facts = record["end"], len(now.serves) + len(now.checklists) + len(now.published)
    if now.declared is None or told["lines"] != now.declared.size:
        raise Invalid("the end does not belong to the head", "make the export again")
    if (told["keys"], told["checkpoints"], told["facts"]) != (len(now.keys), len(now.notes), facts):
        raise Invalid("the end counts other keys, checkpoints or facts than there are", "make the export again")
    now.ended = True


_TAKERS: Mapping[str, Callable[[_Reading, dict[str, Any]], None]] = {
    "cuelight_log": _head,
    "key": _key,
    "checkpoint": _note,
    "line": _line,
    "serves": _serves,
    "checklist": _checklist,
    "published": _published,
    "end": _end,
}


def _outcome(now: _Reading, kept: Sequence[Kept], pinned: Verifier | None) -> Outcome:
    declared = now.declared or Checkpoint(0, EMPTY_ROOT.hex())
    size, root = now.frontier.size, root_of(now.frontier).hex()
    findings = now.findings
    if size != declared.size:
        kind = Tampering.TRUNCATION if size < declared.size else Tampering.INSERTION
        at = min(size, declared.size) + 1
        findings.append(Finding(kind, at, f"the export has {size} lines, its head tells of {declared.size}"))
    elif root != declared.root and not findings:
        findings.append(Finding(Tampering.EDIT, None, "the lines do not lead to the root in the head of the export"))
    trusted, chain, notes = _chain(now.keys, pinned)
    _more(findings, chain)
    order = [key for key, _, _ in now.keys]
    earlier = order[: order.index(trusted[0])] if trusted and trusted[0] in order else []
    _more(findings, _signatures(now.notes, trusted, earlier, "a checkpoint of the export"))
    _more(findings, _signatures([one.note for one in kept if one.note], trusted, earlier, "the saved checkpoint"))
    known = [parse_signed(note).checkpoint for note in now.notes] + [one.checkpoint for one in kept]
    _more(findings, against_checkpoints(size, now.wanted, known))
    now.meaning.against(places(iter(now.serves)), now.checklists, now.published)
    _more(findings, now.meaning.findings)
    if not kept:
        notes.append("no saved checkpoint was given: that the log was cut or written anew as a whole would not show")
    return Outcome(
        size=size,
        root=root,
        key=str(trusted[-1]) if trusted else None,
        checkpoints=len(known),
        findings=tuple(sorted(findings, key=_order)),
        notes=tuple(notes),
    )


def _order(one: Finding) -> tuple[bool, bool, int]:
    return one.kind is Tampering.MOVE, one.seq is None, one.seq or 0


def _chain(
    keys: Sequence[tuple[Verifier, str | None, int]], pinned: Verifier | None
) -> tuple[list[Verifier], list[Finding], list[str]]:
    """The keys whose signatures count, what is wrong with how one led to the next, and what is to be said of it.

    Without a key that is trusted from elsewhere all count. With one, it and those that hang together with it by
    endorsements do; that nobody endorsed a later key is a finding, for whoever holds the database can say "lost".
    """
    groups, breaks = _groups(keys)
    if pinned is None:
        said = ["no key was given with --key: the signatures fit the keys of the export, whoever made those"]
        return [key for group in groups for key in group], breaks, said if keys else []
    at = next((number for number, group in enumerate(groups) if pinned in group), None)
    if at is None:
        words = f"the key {pinned.id} that you trust is not a key of this export"
        return [pinned], [*breaks, Finding(Tampering.FORGERY, None, words)], []
    return groups[at], breaks[at:], [f"before the key that you trust: {one.message}" for one in breaks[:at]]


def _groups(keys: Sequence[tuple[Verifier, str | None, int]]) -> tuple[list[list[Verifier]], list[Finding]]:
    """The keys in rows that hang together by endorsements, and what stands between each row and the next."""
    groups, breaks = list[list[Verifier]](), list[Finding]()
    for key, endorsement, seq in keys:
        if groups and endorsement is not None and is_rotation(endorsement, groups[-1][-1], key):
            groups[-1].append(key)
            continue
        if groups:
            words = f"the signing key {key.id} of line {seq} took over without the yes of the key before it"
            breaks.append(Finding(Tampering.FORGERY, seq, f"{words}: it was lost, or this is not the desk's"))
        groups.append([key])
    return groups, breaks


def _signatures(
    notes: Iterable[str], trusted: Sequence[Verifier], earlier: Sequence[Verifier], what: str
) -> Iterator[Finding]:
    """What is not signed as it should be; what only keys before the trusted ones signed vouches for nothing, but is no forgery."""
    for text in notes:
        signed = parse_signed(text)
        name = f"{what} of {signed.checkpoint.size} lines"
        try:
            if not signers(signed.note, [*trusted, *earlier]):
                yield Finding(Tampering.FORGERY, None, f"{name} is signed by no key that counts")
        except Invalid as bad:
            yield Finding(Tampering.FORGERY, None, f"{name} is forged: {bad.message}")


def _more(findings: list[Finding], found: Iterable[Finding]) -> None:
    """Enough to see what happened: a log that was overwritten as a whole would fill the screen."""
    for one in found:
        if len(findings) < _MOST_FINDINGS:
            findings.append(one)
