"""Is the log still what was written? Pure: stored lines and heads in, findings out."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cuelight.contract.errors import Invalid
from cuelight.contract.merkle import EMPTY_ROOT, Frontier, append, leaf_hash, root_of

_CHECKPOINT = re.compile(r"(0|[1-9][0-9]{0,15}) ([0-9a-f]{64})\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A stored event as it lies in the database: canonical JSON text and the hex hash of it.

    A row that somebody changed may hold anything: what is no text comes here as text that no line ever was.
    """

    seq: int
    body: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Head:
    """The log after `size` events: hex root, and the hex frontier, largest subtree first."""

    size: int
    root: str
    frontier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head that somebody keeps outside of the desk, as the text `size root`."""

    size: int
    root: str

    def __str__(self) -> str:
        return f"{self.size} {self.root}"


class Tampering(StrEnum):
    """What was done to a log."""

    EDIT = "edit"
    DELETION = "deletion"
    INSERTION = "insertion"
    REORDER = "reorder"
    TRUNCATION = "truncation"
    FORGERY = "forgery"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the log: what, at which line (None = the log as a whole), in plain words."""

    kind: Tampering
    seq: int | None
    message: str


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that was saved as `size root`; Invalid otherwise."""
    found = _CHECKPOINT.fullmatch(text)
    if found is None:
        raise Invalid("this is no checkpoint", "a checkpoint is one line: the size, a space, 64 hex characters")
    return Checkpoint(int(found[1]), found[2])


def verify_log(lines: Iterable[Line], heads: Iterable[Head], *kept: Checkpoint) -> list[Finding]:
    """Everything that is wrong, in the order of the lines; empty when the log is whole.

    `lines` come by rising seq and `heads` by rising size, so that both are read once and none is kept. Truncation or a
    rewrite of lines *and* heads shows only against a checkpoint that was kept outside; no log that lies in one database
    can tell by itself.
    """
    coming, head, newest = iter(heads), Head(0, ""), 0
    findings: list[Finding] = []
    frontier, last = Frontier(), 0
    roots = {one.size: EMPTY_ROOT.hex() for one in kept}
    for line in lines:
        leaf = leaf_hash(line.body.encode(errors="surrogatepass"))
        findings += look_at(line, leaf, last)
        frontier = append(frontier, leaf)
        root = root_of(frontier).hex()
        while head.size < line.seq and (after := next(coming, None)) is not None:
            head, newest = after, max(after.size, newest)
        if not findings and line.seq <= newest:
            findings += _against_head(Head(line.seq, root, tuple(one.hex() for one in frontier.roots)), head)
        if frontier.size in roots:
            roots[frontier.size] = root
        last = line.seq
    newest = max((one.size for one in coming), default=newest)
    findings += _end(last, newest)
    return findings + against_checkpoints(frontier.size, roots, kept)


def look_at(line: Line, leaf: bytes, last: int) -> list[Finding]:
    """What one line, whose body hashes to `leaf`, shows by itself and by its place after the line `last`."""
    found: list[Finding] = []
    if line.seq <= last:
        found.append(Finding(Tampering.INSERTION, line.seq, f"line {line.seq} stands where no line can be"))
    if line.seq > last + 1:
        gone = f"line {last + 1} is" if line.seq == last + 2 else f"lines {last + 1} to {line.seq - 1} are"
        found.append(Finding(Tampering.DELETION, last + 1, f"{gone} gone"))
    if leaf.hex() != line.leaf:
        found.append(
            Finding(Tampering.EDIT, line.seq, f"line {line.seq} does not say what it said when it was written")
        )
    elif (told := _told_seq(line.body)) != line.seq:
        found.append(Finding(Tampering.REORDER, line.seq, f"line {line.seq} was written as line {told}"))
    return found


def _told_seq(body: str) -> object:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told.get("seq") if isinstance(told, dict) else None


def _against_head(made: Head, stored: Head) -> list[Finding]:
    """The first line from which the log and its heads part ways; proofs are made from the frontier of each of them."""
    if stored.size != made.size:
        return [Finding(Tampering.DELETION, made.size, f"the head after line {made.size} is gone")]
    if stored != made:
        words = f"line {made.size} and the head after it do not belong together"
        return [Finding(Tampering.EDIT, made.size, words)]
    return []


def _end(last: int, newest: int) -> list[Finding]:
    if last < newest:
        return [Finding(Tampering.TRUNCATION, last + 1, f"the log ends at line {last}, its head knows {newest}")]
    if last > newest:
        return [Finding(Tampering.INSERTION, newest + 1, f"the head knows {newest} lines, the log has {last}")]
    return []


def against_checkpoints(size: int, roots: Mapping[int, str], kept: Iterable[Checkpoint]) -> list[Finding]:
    """The first checkpoint that a log of `size` lines does not keep; those before it narrow down where the fault is.

    `roots` are those that the log had at the sizes of the checkpoints.
    """
    fits = 0
    for one in sorted(set(kept), key=lambda each: (each.size, each.root)):
        found = _against_checkpoint(size, roots.get(one.size, ""), one)
        if found and found[0].kind is Tampering.EDIT and fits:
            words = f"{found[0].message}; the first {fits} are, so it begins with one of {fits + 1} to {one.size}"
            return [Finding(Tampering.EDIT, fits + 1 if fits + 1 == one.size else None, words)]
        if found:
            return found
        fits = one.size
    return []


def _against_checkpoint(size: int, root_then: str, kept: Checkpoint) -> list[Finding]:
    if kept.size > size:
        return [
            Finding(
                Tampering.TRUNCATION, size + 1, f"the checkpoint was taken at {kept.size} lines, the log has {size}"
            )
        ]
    if root_then != kept.root:
        return [Finding(Tampering.EDIT, None, f"the first {kept.size} lines are not those that the checkpoint saw")]
    return []
