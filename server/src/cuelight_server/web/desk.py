"""The desk page: what needs a person, what happened lately, and what serves where."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.sight import Sight
from cuelight_server.views import activity
from cuelight_server.views import desk as desk_view
from cuelight_server.views.ownership import ownership
from cuelight_server.views.sight import sight_of
from cuelight_server.web.words import ago, event_words

_LATELY = 6
_OUTCOMES = {"pass": "passed", "fail": "failed", "inconclusive": "was not clear"}


@dataclass(frozen=True, slots=True)
class Need:
    """One line that asks for a person."""

    state: str
    prompt: str
    words: str
    next: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    words: str
    who: str
    at: str
    ago: str


@dataclass(frozen=True, slots=True)
class ServingRow:
    """One prompt in one environment."""

    state: str
    word: str
    prompt: str
    why: str
    environment: str
    serves: str
    since: str
    report: str
    back_to: str
    clients: str


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Everything that the desk page shows."""

    title: str
    person: str
    greeting: str
    summary: str
    demo: bool
    needs: tuple[Need, ...]
    lately: tuple[Line, ...]
    rows: tuple[ServingRow, ...]
    template: str = "desk/desk.html"


def page(desk: Desk, person: Actor, _asked: Mapping[str, str]) -> DeskPage:
    """The desk as this person sees it now."""
    now = desk.clock()
    sight = sight_of(desk, person)
    status = desk_view.status(desk, sight)
    found = [*(need for row in status.rows if (need := _need(row))), *_ownerless(desk, sight)]
    needs = tuple(sorted(found, key=lambda one: one.state != "hold"))
    return DeskPage(
        title="Desk",
        person=person.name,
        greeting=f"{_time_of_day(now)}, {person.name.split()[0]}",
        summary=_summary(len(needs), len(status.rows)),
        demo=desk.demo,
        needs=needs,
        lately=_lately(desk, now, sight, person.id),
        rows=tuple(_row(row, now) for row in status.rows),
    )


def _time_of_day(now: datetime) -> str:
    noon, evening, hour = 12, 18, now.astimezone().hour
    return "Good morning" if hour < noon else "Good afternoon" if hour < evening else "Good evening"


def _summary(needs: int, rows: int) -> str:
    if not rows:
        return "This desk is empty. It fills with the first push."
    if not needs:
        return "Nothing needs you. Everything is running as approved."
    return f"{'One thing needs' if needs == 1 else f'{needs} things need'} a person. Everything else is running as approved."


def _need(row: desk_view.Row) -> Need | None:
    if row.state == "hold":
        return Need(
            "hold", row.prompt, row.why, "Find the cause, add the missing test case, then release a new version."
        )
    if row.state == "standby":
        return Need("standby", row.prompt, row.why, f"cuelight release {row.prompt}@<version> names what is missing.")
    return None


def _ownerless(desk: Desk, sight: Sight) -> Iterator[Need]:
    """Roles whose people are gone: told the moment an account is disabled."""
    for one in ownership(desk, sight).findings:
        if one.kind in ("gap", "orphan") and one.blocks:
            yield Need("standby", one.prompt, one.words, "Hand the role over: cuelight owners, cuelight handover.")


def _row(row: desk_view.Row, now: datetime) -> ServingRow:
    return ServingRow(
        state=row.state,
        word=row.word,
        prompt=row.prompt,
        why=row.why,
        environment=row.environment,
        serves=_serves(row.serves),
        since=ago(parse(row.since), now) if row.since else "–",
        report=_report(row.report),
        back_to=row.rollback_target or ("switched off" if row.serves else "–"),
        clients=f"{row.clients.following} of {row.clients.known}" if row.clients.known else "none live",
    )


def _serves(weights: Iterable[tuple[str, int]]) -> str:
    arms = tuple(weights)
    if not arms:
        return "nothing"
    return arms[0][0] if len(arms) == 1 else " · ".join(f"{label} {weight / 1000:g} %" for label, weight in arms)


def _report(report: desk_view.ReportLine | None) -> str:
    if report is None:
        return "none yet"
    outcome = _OUTCOMES.get(report.verdict or "", "is being evaluated")
    return f"{report.label} {outcome}{' (recorded)' if report.recorded else ''}"


def _lately(desk: Desk, now: datetime, sight: Sight, reader: str) -> tuple[Line, ...]:
    names = {one.id: one.name for one in desk_view.people(desk)} | {SYSTEM.id: "the desk"}
    events = activity.events(desk, size=_LATELY, sight=sight, reader=reader).items
    return tuple(
        Line(event_words(one), names.get(one.actor, one.actor), one.at, ago(parse(one.at), now)) for one in events
    )
