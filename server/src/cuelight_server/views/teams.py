"""Each workflow with its title, its tier and the people who hold its roles."""

from collections.abc import Mapping
from dataclasses import dataclass

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import Role
from cuelight_server.prompts import store
from cuelight_server.prompts.model import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A workflow and its people: `owners` and `backups` map the id of a person to their roles, in the order of the roles."""

    workflow: str
    title: str
    tier: str
    owners: Mapping[str, tuple[Role, ...]]
    backups: Mapping[str, tuple[Role, ...]]

    def holds(self, person: str) -> bool:
        """Whether a person has a role here, or stands in for one."""
        return person in self.owners or person in self.backups


def teams(desk: Desk) -> tuple[Team, ...]:
    """The workflows of this desk, by name; at most 200."""
    with reading(desk.registry) as sql:
        found = [store.workflow(sql, name) for name in store.workflows(sql, size=MAX_SIZE).items]
    return tuple(_team(one) for one in found if one is not None)


def _team(one: Workflow) -> Team:
    return Team(
        workflow=one.name,
        title=str(one.document.get("title") or one.name),
        tier=str(one.document.get("tier") or "no tier"),
        owners=_held(one, "person"),
        backups=_held(one, "backup"),
    )


def _held(one: Workflow, seat: str) -> dict[str, tuple[Role, ...]]:
    held: dict[str, tuple[Role, ...]] = {}
    for role in Role:
        person = one.document.get("owners", {}).get(role.value, {}).get(seat)
        if person:
            held[person] = (*held.get(person, ()), role)
    return held
