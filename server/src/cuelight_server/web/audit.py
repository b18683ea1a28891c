"""The log as pages: looked through, one line with its proof, and everything recomputed while one waits."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import REFUSED, Verb
from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.control.verify import Turns
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Blocked, CuelightError, Invalid, NotFound, Unavailable
from cuelight_server.views import audit as view
from cuelight_server.views import desk as desk_view
from cuelight_server.views.sight import sight_of
from cuelight_server.web.doors import Doors
from cuelight_server.web.forms import Form
from cuelight_server.web.frame import form, signed_in
from cuelight_server.web.words import ago, event_words

_SIZE = 50
_FIELDS = ("actor", "verb", "subject", "since", "until")
_WORDS = {"go": "Go", "standby": "Standby", "hold": "Hold"}
_SHOWN = 100  # problems on one page
_MOST_CHARACTERS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the log in a list."""

    seq: int
    words: str
    who: str
    at: str
    ago: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """The log, searched: `problem` says why a search could not be made, `older` is where it goes on."""

    title: str
    person: str
    lines: tuple[Line, ...]
    asked: dict[str, str]
    verbs: tuple[str, ...]
    problem: str
    older: str
    standing: view.LogStanding
    word: str
    signed: str
    whole: bool
    template: str = "audit/audit.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """One line: `state` and `proved` say whether it is proved to be in the log, and whether a signature covers it."""

    title: str
    person: str
    seq: int
    words: str
    who: str
    at: str
    verb: str
    subject: str
    facts: tuple[tuple[str, str], ...]
    state: str
    word: str
    proved: str
    leaf: str
    root: str
    size: int
    hashes: tuple[str, ...]
    template: str = "audit/line.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPage:
    """What recomputing everything found."""

    title: str
    person: str
    state: str
    word: str
    words: str
    summary: str
    problems: tuple[str, ...]
    more: int
    status: int = 200
    template: str = "audit/verify.html"


def routes(desk: Desk, doors: Doors, how: Checkpoints) -> list[BaseRoute]:
    """The pages of the log."""
    look = declares(Verb.DESK_READ)

    def log(visit: Visit, request: Request) -> Any:
        return page(desk, visit.actor, request, how)

    def line(visit: Visit, request: Request) -> Any:
        try:
            return line_page(desk, visit.actor, request.path_params["seq"])
        except (NotFound, Blocked) as refused:
            return _refused(visit, refused)

    return [
        Route("/audit", look(signed_in(desk, doors, log)), methods=["GET"]),
        Route("/audit/{seq:int}", look(signed_in(desk, doors, line)), methods=["GET"]),
        Route("/audit/verify", look(form(desk, doors, _verify(desk), _refused)), methods=["POST"]),
    ]


def page(desk: Desk, person: Actor, request: Request, how: Checkpoints) -> AuditPage:
    """The newest lines that were asked for."""
    asked = {name: request.query_params.get(name, "").strip()[:_MOST_CHARACTERS] for name in _FIELDS}
    before, problem, found, older = request.query_params.get("before", ""), "", tuple[Event, ...](), ""
    try:
        search = view.asked_for(
            asked["actor"], asked["verb"], asked["subject"], _day(asked["since"]), _day(asked["until"], 1)
        )
        got = view.events(
            desk, int(before) if before.isdigit() and len(before) < 16 else None, _SIZE, search, _reader(desk, person)
        )
        found, older = got.items, got.next or ""
    except Invalid as bad:
        problem = f"{bad.message[:1].upper()}{bad.message[1:]}. {bad.hint}"
    standing = view.standing(desk, tuple(how.sinks), signs=how.signs, every_s=how.every_s)
    now, names = desk.clock(), _names(desk)
    return AuditPage(
        title="Log",
        person=person.name,
        lines=tuple(_line(one, names, now) for one in found),
        asked=asked,
        verbs=(*(one.value for one in Verb if one is not Verb.DESK_READ), REFUSED),
        problem=problem,
        older=urlencode({**{name: text for name, text in asked.items() if text}, "before": older}) if older else "",
        standing=standing,
        word=_WORDS[standing.state],
        signed=_signed(standing, now),
        whole=_reader(desk, person).sight.everything,
    )


def line_page(desk: Desk, person: Actor, seq: int) -> LinePage:
    """One line; NotFound, or Blocked where it cannot be proved any more."""
    found = view.line(desk, seq, _reader(desk, person))
    one, names = found.event, _names(desk)
    covered = found.covered is not None and found.covered >= seq
    proved = (
        f"It is in the log of {found.proof.size} lines: recomputed from the line and {len(found.proof.hashes)} hashes."
    )
    if covered:
        proved += f" A signed checkpoint (of {found.covered} lines) covers it."
    else:
        proved += " No signed checkpoint covers it yet."
    return LinePage(
        title=f"Line {seq}",
        person=person.name,
        seq=seq,
        words=event_words(one),
        who=names.get(one.actor, one.actor),
        at=one.at,
        verb=one.verb,
        subject=one.subject,
        facts=tuple((name.replace("_", " "), _fact(value)) for name, value in one.facts.items()),
        state="go" if covered else "standby",
        word="Proved and signed" if covered else "Proved",
        proved=proved,
        leaf=found.leaf,
        root=found.proof.root,
        size=found.proof.size,
        hashes=found.proof.hashes,
    )


def verify_page(desk: Desk, person: Actor, turns: Turns) -> VerifyPage:
    """Everything recomputed now, for who sees every workflow; for the others the lines that they see, proved."""
    reader = _reader(desk, person)
    if not reader.sight.everything:
        return _proved_page(view.proved(desk, reader), person)
    found = turns.verify()
    bad = len(found.problems)
    shown = found.problems[:_SHOWN]
    return VerifyPage(
        title="Verify",
        person=person.name,
        state="hold" if bad else "go",
        word="Hold" if bad else "Go",
        words=(
            f"{'One thing does' if bad == 1 else f'{bad} things do'} not fit what the log says. Somebody changed the "
            "database past this program: tell whoever runs the desk."
            if bad
            else "Every line, every version and everything that serves is what the log says."
        ),
        summary=found.summary,
        problems=shown,
        more=bad - len(shown),
    )


def _proved_page(found: view.Proved, person: Actor) -> VerifyPage:
    bad = len(found.broken)
    all_of_them = f"Each of the {found.lines} newest lines that you see"
    return VerifyPage(
        title="Your lines",
        person=person.name,
        state="hold" if bad else "go",
        word="Hold" if bad else "Go",
        words=(
            "Not every line that you see can be proved. Somebody changed the database past this program: tell whoever "
            "runs the desk."
            if bad
            else f"{all_of_them} is proved to be in the log. Auditors and administrators verify the whole desk."
        ),
        summary=f"log of {found.size} lines, root {found.root}",
        problems=tuple(f"line {seq} cannot be proved" for seq in found.broken),
        more=0,
    )


def _reader(desk: Desk, person: Actor) -> view.Reader:
    return view.Reader(id=person.id, sight=sight_of(desk, person), admin=person.admin)


def _verify(desk: Desk) -> Callable[[Visit, Request, Form], Any]:
    turns = Turns(desk)
    return lambda visit, _request, _form: verify_page(desk, visit.actor, turns)


def _refused(visit: Visit, refused: CuelightError) -> VerifyPage:
    """A line that is not there, or cannot be proved, or a verification that has to wait, said on the page of one."""
    missing = isinstance(refused, NotFound)
    state, word = ("off", "Not here") if missing else ("hold", "Hold")
    if isinstance(refused, Unavailable):
        state, word = "standby", "Standby"
    return VerifyPage(
        title="Log",
        person=visit.actor.name,
        state=state,
        word=word,
        words=f"{refused.message[:1].upper()}{refused.message[1:]}.",
        summary=refused.hint,
        problems=(),
        more=0,
        status=404 if missing else 200,
    )


def _line(one: Event, names: dict[str, str], now: datetime) -> Line:
    return Line(
        seq=one.seq,
        words=event_words(one),
        who=names.get(one.actor, one.actor),
        at=one.at,
        ago=ago(parse(one.at), now),
        refused=one.verb == REFUSED,
    )


def _names(desk: Desk) -> dict[str, str]:
    return {one.id: one.name for one in desk_view.people(desk)} | {SYSTEM.id: "the desk"}


def _signed(standing: view.LogStanding, now: datetime) -> str:
    if standing.signed is None or standing.signed_at is None:
        return "nothing is signed yet"
    return f"signed up to line {standing.signed}, {ago(parse(standing.signed_at), now)}"


def _day(text: str, days: int = 0) -> str:
    """A day as a form sends it (`2026-01-05`) as its first moment, or that of the day after; anything else as it is."""
    if len(text) != len("2026-01-05"):
        return text
    return rfc3339(parse(f"{text}T00:00:00Z") + timedelta(days=days))


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
