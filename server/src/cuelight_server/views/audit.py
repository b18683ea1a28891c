"""What happened: the audit log page by page, a line with its proof, and what was signed and brought out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from cuelight.contract.log import Checkpoint, Line
from cuelight.contract.merkle import leaf_hash
from cuelight.contract.note import parse_signed
from cuelight_server.audit import store
from cuelight_server.audit.model import Asked, Event, Issued, Proof, SigningKey, SinkState
from cuelight_server.audit.personal import opened
from cuelight_server.audit.store import checkpoints, personal, proofs
from cuelight_server.audit.store.lines import ALL, event_of
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Blocked, Invalid, NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, MAX_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.views.sight import is_seen

_CLOSED = ("source",)  # what administrators only are shown
_LAST = 2**53 - 1  # what JSON and both databases hold
_MOST_LOOKED_AT = 5000  # lines behind one page: a page may be short, and its cursor goes on from there
_Read = Callable[[Connection, int | None, int], Page[Event]]
MOST_PROVED = 100  # lines whose proofs are made at once for whoever does not see the whole log
_LATE = timedelta(minutes=5)  # a sink that is so far behind without taking anything asks for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who looks at the log: their own lines and those of what they see are there for them."""

    id: str = ""
    sight: Sight = EVERYTHING
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDetail:
    """One line: what it says, the bytes that were hashed, and the proof that it is in the log as it is now.

    `covered` is the size of the newest signed checkpoint, None where none was signed yet.
    """

    event: Event
    body: str
    leaf: str
    proof: Proof
    covered: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """How many lines that somebody sees were looked at, and which of them are not proved, in a log of this head."""

    lines: int
    broken: tuple[int, ...]
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkLine:
    """One place for checkpoints: `state` is go, standby (behind) or hold (it fails), `error` what it said last."""

    name: str
    state: str
    size: int
    attempts: int
    error: str
    tried_at: str | None
    delivered_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStanding:
    """How the log stands: how long it is, up to where it was signed, and how far each sink has come.

    `state` is go, standby (nothing is signed or nothing is brought out) or hold, and `words` say why.
    """

    state: str
    words: str
    size: int
    root: str
    signed: int | None
    signed_at: str | None
    key: str | None
    sinks: tuple[SinkLine, ...]


def events(
    desk: Desk, before: int | None = None, size: int = DEFAULT_SIZE, asked: Asked = ALL, reader: Reader | None = None
) -> Page[Event]:
    """Audit lines, newest first, from below the seq `before`, with names where they are still there.

    Those that are there for the reader; network addresses are for administrators.
    """
    return _page(desk, lambda sql, at, most: store.newest(sql, at, most, asked), before, size, reader or Reader())


def after(
    desk: Desk, seq: int | None = 0, size: int = DEFAULT_SIZE, asked: Asked = ALL, reader: Reader | None = None
) -> Page[Event]:
    """Audit lines, oldest first, from above `seq`, likewise."""
    return _page(desk, lambda sql, at, most: store.after(sql, at or 0, most, asked), seq, size, reader or Reader())


def _page(desk: Desk, read: _Read, cursor: int | None, size: int, reader: Reader) -> Page[Event]:
    with reading(desk.registry) as sql:
        if reader.sight.everything:
            return _opened(sql, read(sql, cursor, size), admin=reader.admin)
        found, looked, at = list[Event](), 0, cursor
        while looked < _MOST_LOOKED_AT:
            page = read(sql, at, MAX_SIZE)
            looked += len(page.items)
            for one in page.items:
                at = one.seq
                if is_seen(one, reader.sight, reader.id):
                    found.append(one)
                if len(found) == size:
                    return _opened(sql, Page(tuple(found), str(at)), admin=reader.admin)
            if page.next is None:
                return _opened(sql, Page(tuple(found), None), admin=reader.admin)
        return _opened(sql, Page(tuple(found), str(at)), admin=reader.admin)


def proved(desk: Desk, reader: Reader) -> Proved:
    """The newest lines that are there for the reader, each proved to be in the log as it is now."""
    seen = events(desk, size=MOST_PROVED, reader=reader).items
    with reading(desk.registry) as sql:
        now = store.checkpoint(sql)
        broken = tuple(one.seq for one in seen if not _is_proved(sql, one.seq, now))
    return Proved(lines=len(seen), broken=broken, size=now.size, root=now.root)


def asked_for(actor: str | None, verb: str | None, subject: str | None, since: str | None, until: str | None) -> Asked:
    """A search from what was typed: empty does not matter, times may have any zone; Invalid for what is no time."""
    words = [text.replace("\0", "\ufffd") if text else None for text in (actor, verb, subject)]  # as lines are filed
    times = [_time(text) if text else None for text in (since, until)]
    return Asked(actor=words[0], verb=words[1], subject=words[2], since=times[0], until=times[1])


def line(desk: Desk, seq: int, reader: Reader | None = None) -> LineDetail:
    """One line with its proof; NotFound, or Blocked where the log was changed so that there is no proof."""
    who = reader or Reader()
    with reading(desk.registry) as sql:
        found = store.line(sql, seq) if 0 < seq <= _LAST else None
        if found is None:
            raise NotFound(f"the log has no line {seq}", f"it ends with line {store.checkpoint(sql).size}")
        now, newest = store.checkpoint(sql), checkpoints.newest(sql)
        event = next(opened([event_of(found.body)], personal.of_lines(sql, [seq]), closed=() if who.admin else _CLOSED))
        if not is_seen(event, who.sight, who.id):
            raise NotFound(f"the log has no line {seq} for you", "it belongs to a workflow that you are not in")
        proof = _proof(sql, found, now)
    covered = newest.size if newest else None
    return LineDetail(event=event, body=found.body, leaf=found.leaf, proof=proof, covered=covered)


def inclusion(desk: Desk, seq: int, size: int | None = None) -> Proof:
    """The proof that the line is in the log of `size` lines; without a size, in the log as it is now."""
    with reading(desk.registry) as sql:
        at = _at(sql, size)
        found = store.line(sql, seq)
        if found is None or not 1 <= seq <= at.size:
            raise NotFound(f"the log of {at.size} lines has no line {seq}", "lines count from 1")
        return proofs.inclusion(sql, seq, at.size, found.leaf, at.root)


def consistency(desk: Desk, old: int, size: int | None = None) -> Proof:
    """The proof that the log of `old` lines is the start of the log of `size` lines, or of the log as it is now."""
    with reading(desk.registry) as sql:
        new = _at(sql, size)
        if not 1 <= old <= new.size:
            raise Invalid(f"a log of {old} lines is no start of one of {new.size}", "give 1 or more, up to the size")
        return proofs.consistency(sql, old, _at(sql, old).root, new.size, new.root)


def signed(desk: Desk, after: int = 0, size: int = DEFAULT_SIZE) -> list[Issued]:
    """The checkpoints that were signed above the size `after`, oldest first."""
    with reading(desk.registry) as sql:
        return checkpoints.issued_after(sql, after, size)


def keys(desk: Desk) -> list[SigningKey]:
    """Every key that ever signed here, oldest first; the last one signs now."""
    with reading(desk.registry) as sql:
        return checkpoints.keys(sql)


def standing(desk: Desk, sinks: Collection[str], *, signs: bool = True, every_s: int = 3600) -> LogStanding:
    """How the log, its checkpoints and the sinks of this server stand now; it signs every so many seconds."""
    now = desk.clock()
    with reading(desk.registry) as sql:
        head, newest, known = store.checkpoint(sql), checkpoints.newest(sql), checkpoints.keys(sql)
        states = checkpoints.sinks(sql)
        waiting = {name: _first_missing(sql, states[name].size if name in states else 0) for name in sinks}
        unsigned = store.line(sql, newest.size + 1) if newest else None
        broken = newest is not None and store.root_at(sql, newest.size) != parse_signed(newest.note).checkpoint.root
    lines = tuple(
        _sink(name, states.get(name), since is not None and parse(since) + _LATE < now)
        for name, since in waiting.items()
    )
    overdue = newest is not None and unsigned is not None and _overdue(newest, unsigned, now, every_s)
    state, words = _word(broken=broken, overdue=overdue, signs=signs, newest=newest, sinks=lines)
    return LogStanding(
        state=state,
        words=words,
        size=head.size,
        root=head.root,
        signed=newest.size if newest else None,
        signed_at=newest.issued_at if newest else None,
        key=known[-1].verifier if known else None,
        sinks=lines,
    )


def _word(
    *, broken: bool, overdue: bool, signs: bool, newest: Issued | None, sinks: tuple[SinkLine, ...]
) -> tuple[str, str]:
    failing = [one for one in sinks if one.state == "hold"]
    if broken:
        return "hold", "The log is not the one that was signed: it was cut or rewritten. Run cuelight-server verify."
    if failing:
        return "hold", "; ".join(
            f"Checkpoints do not reach the {one.name}: {one.error or 'nobody delivers'}" for one in failing
        )
    if overdue and newest is not None:
        words = f"Nothing was signed since line {newest.size}: no server runs, or its signing key is missing."
        return "hold", words + " See cuelight-server checkpoint."
    if not signs:
        return "standby", "This server has no signing key, so no checkpoint is signed."
    if newest is None:
        return "standby", "No checkpoint was signed yet; the first follows within seconds of the start of a server."
    if not sinks:
        words = "Checkpoints are signed but stay on this desk, where whoever holds it could rewrite both. "
        return "standby", words + "Give them a place outside, such as CUELIGHT_CHECKPOINT_FILE."
    return "go", "Checkpoints are signed and brought out of this desk."


def _sink(name: str, state: SinkState | None, late: bool) -> SinkLine:  # noqa: FBT001  asked once, above
    if state is None:
        return SinkLine(
            name=name,
            state="hold" if late else "standby",
            size=0,
            attempts=0,
            error="",
            tried_at=None,
            delivered_at=None,
        )
    return SinkLine(
        name=name,
        state="hold" if state.attempts or late else "go",
        size=state.size,
        attempts=state.attempts,
        error=state.error,
        tried_at=state.tried_at,
        delivered_at=state.delivered_at,
    )


def _overdue(newest: Issued, unsigned: Line, now: datetime, every_s: int) -> bool:
    """Whether the first line that no checkpoint covers should have been signed a while ago."""
    try:
        written = parse(event_of(unsigned.body).at)
    except (ValueError, TypeError, Invalid):
        return True
    return now > max(written, parse(newest.issued_at) + timedelta(seconds=every_s)) + _LATE


def _first_missing(sql: Connection, size: int) -> str | None:
    found = checkpoints.issued_after(sql, size, 1)
    return found[0].issued_at if found else None


def _proof(sql: Connection, found: Line, now: Checkpoint) -> Proof:
    if leaf_hash(found.body.encode(errors="surrogatepass")).hex() != found.leaf:
        raise Blocked(
            f"line {found.seq} does not say what it said when it was written, so it cannot be proved",
            "the log was changed: run `cuelight-server verify`",
        )
    return proofs.inclusion(sql, found.seq, now.size, found.leaf, now.root)


def _is_proved(sql: Connection, seq: int, now: Checkpoint) -> bool:
    found = store.line(sql, seq)
    try:
        return found is not None and _proof(sql, found, now).size == now.size
    except (Blocked, ValueError):
        return False


def _at(sql: Connection, size: int | None) -> Checkpoint:
    if size is None:
        return store.checkpoint(sql)
    root = store.root_at(sql, size)
    if root is None:
        raise NotFound(f"the log never had {size} lines", f"it has {store.checkpoint(sql).size}")
    return Checkpoint(size, root)


def _opened(sql: Connection, page: Page[Event], *, admin: bool) -> Page[Event]:
    kept = personal.of_lines(sql, [one.seq for one in page.items])
    return Page(tuple(opened(page.items, kept, closed=() if admin else _CLOSED)), page.next)


def _time(text: str) -> str:
    return rfc3339(parse(text))


def lines(desk: Desk) -> int:
    """How many lines the log has: it grows with every governed change."""
    with reading(desk.registry) as sql:
        return store.checkpoint(sql).size
