"""The desk page: what needs a person, what happened lately, and what serves where."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.sight import Sight
from cuelight_server.views import audit
from cuelight_server.views import desk as desk_view
from cuelight_server.views.sight import sight_of
from cuelight_server.views.teams import Team, teams
from cuelight_server.web.needs import Need, needs
from cuelight_server.web.words import ago, counted, event_words, is_step

_LATELY, _LOOKED_AT = 8, 60
_OUTCOMES = {"pass": "passed", "fail": "failed", "inconclusive": "was not clear"}


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
    workflow: str
    prompt: str
    why: str
    environment: str
    serves: str
    since: str
    report: str
    back_to: str
    clients: str


@dataclass(frozen=True, slots=True)
class Group:
    """One workflow's prompts; `yours` where the person holds a role in it, or stands in for one."""

    workflow: str
    title: str
    tier: str
    yours: bool
    rows: tuple[ServingRow, ...]


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
    groups: tuple[Group, ...]
    template: str = "desk/desk.html"


def page(desk: Desk, person: Actor, _asked: Mapping[str, str]) -> DeskPage:
    """The desk as this person sees it now."""
    now = desk.clock()
    sight = sight_of(desk, person)
    status = desk_view.status(desk, sight)
    of = {one.workflow: one for one in teams(desk) if sight.sees(one.workflow)}
    mine = {name for name, team in of.items() if team.holds(person.id)}
    found = needs(desk, sight, status.rows, mine)
    return DeskPage(
        title="Desk",
        person=person.name,
        greeting=f"{_time_of_day(now)}, {person.name.split()[0]}",
        summary=_summary(len(found), len(status.rows)),
        demo=desk.demo,
        needs=found,
        lately=_lately(desk, now, person, sight),
        groups=_groups([_row(row, now) for row in status.rows], of, mine),
    )


def _groups(rows: Sequence[ServingRow], of: dict[str, Team], mine: set[str]) -> tuple[Group, ...]:
    """By workflow; those of this person come first."""
    names = sorted({row.workflow for row in rows}, key=lambda name: (name not in mine, name))
    return tuple(
        Group(
            workflow=name,
            title=of[name].title if name in of else name,
            tier=of[name].tier if name in of else "no tier",
            yours=name in mine,
            rows=tuple(row for row in rows if row.workflow == name),
        )
        for name in names
    )


def _time_of_day(now: datetime) -> str:
    noon, evening, hour = 12, 18, now.astimezone().hour
    return "Good morning" if hour < noon else "Good afternoon" if hour < evening else "Good evening"


def _summary(needs: int, rows: int) -> str:
    if not rows:
        return "This desk is empty. It fills with the first push."
    if not needs:
        return "Nothing needs you. Everything is running as approved."
    things = "One thing needs" if needs == 1 else f"{counted(needs)} things need"
    rest = "" if needs == rows else " Everything else is running as approved."
    return f"{things} a person.{rest}"


def _row(row: desk_view.Row, now: datetime) -> ServingRow:
    workflow, _, prompt = row.prompt.partition(".")
    return ServingRow(
        state=row.state,
        word=row.word,
        workflow=workflow,
        prompt=prompt,
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


def _lately(desk: Desk, now: datetime, person: Actor, sight: Sight) -> tuple[Line, ...]:
    """The newest events that changed what the desk says; the steps in between are in the audit log."""
    names = {one.id: one.name for one in desk_view.people(desk)} | {SYSTEM.id: "the desk"}
    reader = audit.Reader(id=person.id, sight=sight)
    events = [one for one in audit.events(desk, size=_LOOKED_AT, reader=reader).items if not is_step(one)][:_LATELY]
    return tuple(
        Line(event_words(one), names.get(one.actor, one.actor), one.at, ago(parse(one.at), now)) for one in events
    )
