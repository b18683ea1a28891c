"""The page of the owners: what is missing first, then who holds which role of each prompt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from cuelight_server.audit.duties import DUTIES
from cuelight_server.control import proposals
from cuelight_server.control.desk import Desk
from cuelight_server.control.proposals import ProposalShown
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.terms import Role
from cuelight_server.views.ownership import Holder, OwnerRow, ownership
from cuelight_server.views.sight import sight_of
from cuelight_server.web.words import ago

_LIGHTS = {"gap": "hold", "orphan": "hold", "two_owners": "standby", "single": "standby", "ok": "go"}
_STATES = {"gap": "Nobody", "orphan": "Gone", "single": "No backup", "ok": "Held"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who holds a role, and when they were last here, in words."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role of one prompt."""

    state: str
    word: str
    role: str
    duty: str
    person: Person | None
    backup: Person | None


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """One prompt with its roles."""

    name: str
    tier: str
    rows: tuple[RoleRow, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is missing."""

    state: str
    prompt: str
    words: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """One change of who decides that waits for people."""

    workflow: str
    words: str
    changes: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class OwnersPage:
    """Everything that the page shows."""

    title: str
    person: str
    summary: str
    waiting: tuple[Waiting, ...]
    findings: tuple[Wrong, ...]
    prompts: tuple[PromptBlock, ...]
    template: str = "ownership/ownership.html"


def page(desk: Desk, person: Actor, asked: Mapping[str, str]) -> OwnersPage:
    """The map of what this person sees; NotFound for a workflow that is not there for them."""
    sight, now = sight_of(desk, person), desk.clock()
    found = ownership(desk, sight, asked.get("workflow", ""))
    blocks = tuple(
        PromptBlock(name, rows[0].tier, tuple(_row(row, now) for row in rows))
        for name, rows in ((name, list(rows)) for name, rows in groupby(found.rows, lambda row: row.prompt))
    )
    waiting = proposals.listing(desk, asked.get("workflow", ""), sight=sight, only_open=True).items
    wrong = len(found.findings)
    things = f"{wrong} {'thing' if wrong == 1 else 'things'} to look at" if wrong else "nothing is missing"
    return OwnersPage(
        title="Owners",
        person=person.name,
        summary=f"{len(blocks)} {'prompt' if len(blocks) == 1 else 'prompts'}, {things}.",
        waiting=tuple(map(_waiting, waiting)),
        findings=tuple(Wrong(_LIGHTS[one.kind], one.prompt, one.words, one.blocks) for one in found.findings),
        prompts=blocks,
    )


def _row(row: OwnerRow, now: datetime) -> RoleRow:
    return RoleRow(
        state=_LIGHTS[row.state],
        word=_STATES[row.state],
        role=row.role.replace("_", " "),
        duty=DUTIES[Role(row.role)].duty,
        person=_person(row.person, now),
        backup=_person(row.backup, now),
    )


def _person(one: Holder | None, now: datetime) -> Person | None:
    if one is None:
        return None
    if not one.here:
        return Person(one.name, "not here any more")
    return Person(one.name, f"last act {ago(parse(one.last_active), now)}" if one.last_active else "no act yet")


def _waiting(one: ProposalShown) -> Waiting:
    missing = [
        f"{need.role.replace('_', ' ')} ({' or '.join(need.could) or 'nobody'})"
        for need in one.needs
        if not need.given_by
    ]
    ready = f"Every yes is there: cuelight govern apply {one.id}"
    return Waiting(
        workflow=one.workflow,
        words=f"{one.author} proposed {one.id}",
        changes=one.changes,
        next=f"Still asked: {', '.join(missing)}. cuelight govern show {one.id}" if missing else ready,
    )
