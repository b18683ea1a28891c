"""What needs a person: told on the desk, and counted in the frame of every page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cuelight_server.control.desk import Desk
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.sight import Sight
from cuelight_server.views import desk as desk_view
from cuelight_server.views.ownership import ownership
from cuelight_server.views.sight import sight_of
from cuelight_server.views.teams import teams

_STEPS = {
    "hold": "Find the cause, add the missing test case, then release a new version.",
    "standby": "Ask for its release: the checklist says what is missing, if anything is.",
}


@dataclass(frozen=True, slots=True)
class Need:
    """One line that asks for a person."""

    state: str
    workflow: str
    prompt: str
    words: str
    next: str
    yours: bool


def count(desk: Desk, person: Actor) -> int:
    """How many things need a person, of what this one sees."""
    sight = sight_of(desk, person)
    return len(needs(desk, sight, desk_view.status(desk, sight).rows, mine(desk, sight, person)))


def mine(desk: Desk, sight: Sight, person: Actor) -> set[str]:
    """The workflows in which the person holds a role, or stands in for one."""
    return {one.workflow for one in teams(desk) if sight.sees(one.workflow) and one.holds(person.id)}


def needs(desk: Desk, sight: Sight, rows: Iterable[desk_view.Row], mine: set[str]) -> tuple[Need, ...]:
    """What is in sight and needs a person; what is this person's comes first."""
    found = [*(need for row in rows if (need := _need(row, mine))), *_ownerless(desk, sight, mine)]
    return tuple(sorted(found, key=lambda one: (not one.yours, one.state != "hold")))


def _need(row: desk_view.Row, mine: set[str]) -> Need | None:
    if row.state not in _STEPS:
        return None
    workflow, _, prompt = row.prompt.partition(".")
    return Need(row.state, workflow, prompt, row.why, _STEPS[row.state], yours=workflow in mine)


def _ownerless(desk: Desk, sight: Sight, mine: set[str]) -> Iterator[Need]:
    """Roles whose people are gone: told the moment an account is disabled."""
    for one in ownership(desk, sight).findings:
        if one.kind in ("gap", "orphan") and one.blocks:
            workflow, _, prompt = one.prompt.partition(".")
            step = "Hand the role over: cuelight owners, cuelight handover."
            yield Need("standby", workflow, prompt, one.words, step, yours=workflow in mine)
