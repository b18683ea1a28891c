"""Recomputing everything that is stored: what was changed behind our back is named."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock

from cuelight.contract.kept import Kept, read_kept
from cuelight.contract.note import Signed, Verifier, parse_signed, parse_verifier, signers
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Issued
from cuelight_server.audit.store import checkpoints
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.prompts import verify_prompts
from cuelight_server.control.replay import replay
from cuelight_server.db.engine import Connection, reading
from cuelight_server.db.rows import missing_triggers, rows
from cuelight_server.db.standing import registry_revision
from cuelight_server.db.turns import takes_turn
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable

_AGAIN_S = 10


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong, one sentence each, and what was looked at."""

    problems: tuple[str, ...]
    summary: str


def verify_desk(desk: Desk, kept: str | None = None) -> Verified:
    """The log against its heads (and a kept checkpoint), versions against their digests, every row against the log."""
    saved = read_kept(kept, "the saved checkpoint") if kept else []
    with reading(desk.registry) as sql:
        problems = _looked(
            "log", lambda: (f"log: {one.message}" for one in audit.examine(sql, *(each.checkpoint for each in saved)))
        )
        problems += _looked("versions", lambda: _versions(desk))
        problems += _looked("rows", lambda: replay(audit.readable(sql), partial(rows, sql)))
        problems += _looked("checkpoints", lambda: _checkpoints(sql, saved))
        problems += _looked("schema", lambda: _schema(sql))
        problems += _looked("triggers", lambda: _triggers(sql, desk))
        try:
            looked = f"log of {audit.checkpoint(sql).size} lines, root {audit.checkpoint(sql).root}"
        except (CuelightError, LookupError, TypeError, ValueError):
            looked = "the newest head of the log cannot be read"
    state = "everything fits" if not problems else f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    return Verified(tuple(dict.fromkeys(problems)), f"{state}: {looked}")


class Turns:
    """Full verifications of one desk that people start, one at a time on all its servers: each of them reads everything."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = Lock()
        self._since = ""

    def verify(self) -> Verified:
        """As `verify_desk`; Unavailable with `retry_after` seconds while another one runs."""
        if not self._turn.acquire(blocking=False):
            raise _busy(f"since {self._since[11:19]} UTC" if self._since else "already")
        try:
            self._since = rfc3339(self._desk.clock())
            with reading(self._desk.registry) as sql:  # the turn ends with this transaction
                if not takes_turn(sql, "verify"):
                    raise _busy("on another server")
                return verify_desk(self._desk)
        finally:
            self._since = ""
            self._turn.release()


def _busy(when: str) -> Unavailable:
    return Unavailable(
        f"a verification is running {when}", "wait for its answer, or ask again then", retry_after=_AGAIN_S
    )


def _looked(what: str, look: Callable[[], Iterable[str]]) -> list[str]:
    """What was found, or that what is stored cannot even be read: rows that somebody changed may hold anything."""
    try:
        return list(look())
    except (CuelightError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as bad:
        return [f"{what}: cannot be read: {bad!r}"]


def _versions(desk: Desk) -> Iterable[str]:
    return (f"version: {one.prompt}@{one.label} {one.message}" for one in verify_prompts(desk))


def _checkpoints(sql: Connection, saved: Sequence[Kept]) -> Iterable[str]:
    """Every checkpoint that was signed is of this log and of one of its keys; the saved ones bear a fitting signature."""
    known = [parse_verifier(one.verifier) for one in checkpoints.keys(sql)]
    for one in saved:
        if one.note is not None:
            yield from (f"{one.place}: {words}" for words in _unsigned(parse_signed(one.note), known))
    size = 0
    while found := checkpoints.issued_after(sql, size):
        for issued in found:
            yield from (f"checkpoint of {issued.size} lines: {words}" for words in _checkpoint(sql, issued, known))
        size = found[-1].size


def _checkpoint(sql: Connection, one: Issued, known: Sequence[Verifier]) -> Iterable[str]:
    try:
        signed = parse_signed(one.note)
    except Invalid as bad:
        yield bad.message
        return
    yield from _unsigned(signed, known)
    if signed.checkpoint.size != one.size or audit.root_at(sql, one.size) != signed.checkpoint.root:
        yield "the log is not the one that was signed"


def _unsigned(signed: Signed, known: Sequence[Verifier]) -> Iterable[str]:
    try:
        if not signers(signed.note, known):
            yield "none of the keys of this desk signed it"
    except Invalid as bad:
        yield bad.message


def _schema(sql: Connection) -> Iterable[str]:
    """The tables are of the revision to which the log tells that they were brought."""
    now = registry_revision(sql)
    for told in (one.facts["to"] for one in deque(audit.readable(sql).of(Verb.DESK_MIGRATE), 1)):
        if told != now:
            yield f"schema: the tables are marked as {now}, the log tells that they were brought to {told}"


def _triggers(sql: Connection, desk: Desk) -> Iterable[str]:
    """Without its triggers a table takes any change; opening a desk puts them back, and remembers that they were gone."""
    for gone, when in ((missing_triggers(sql), "are missing"), (desk.missing, "were missing when the desk was opened")):
        if gone:
            yield f"triggers {when}, so that any row could be changed: {', '.join(gone)}"
