"""What was released where, by whom, with whose yes."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from cuelight_server.access import store as access
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.releases import store
from cuelight_server.releases.model import Approval, Release
from cuelight_server.routing.rules import label


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """One approval, with the person's name; `at` is RFC 3339."""

    person: str
    name: str
    role: str
    at: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """One release; `evaluation` is the id of the report that it rests on."""

    id: str
    prompt: str
    label: str
    environment: str
    previous: str | None
    state: str
    actor: str
    name: str
    note: str
    at: str
    ended_at: str | None
    ended_why: str | None
    binding: str
    evaluation: str | None
    approvals: tuple[Yes, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as it goes over the wire."""
        return asdict(self)


def history(desk: Desk, prompt: str, before: str | None = None, size: int = DEFAULT_SIZE) -> Page[ReleaseLine]:
    """The releases of one prompt, newest first, from below the id `before`."""
    with reading(desk.registry) as sql:
        found = store.history(sql, prompt, before, size)
        return Page(tuple(line(sql, one) for one in found.items), found.next)


def show(desk: Desk, id: str) -> ReleaseLine:
    """One release; NotFound."""
    with reading(desk.registry) as sql:
        found = store.release(sql, id)
        if found is None:
            raise NotFound(f"there is no release {id}", "list them: GET /api/v1/releases?prompt=")
        return line(sql, found)


def line(sql: Connection, found: Release) -> ReleaseLine:
    """A release with its approvals and everyone's name."""
    given = store.approvals(sql, found.prompt, found.number, found.environment, found.binding)
    return ReleaseLine(
        id=found.id,
        prompt=found.prompt,
        label=label(found.number),
        environment=found.environment,
        previous=label(found.previous) if found.previous is not None else None,
        state=found.state.value,
        actor=found.actor,
        name=name_of(sql, found.actor),
        note=found.note,
        at=found.created_at,
        ended_at=found.ended_at,
        ended_why=found.ended_why,
        binding=found.binding,
        evaluation=found.checklist["bound"]["evaluation"],
        approvals=tuple(_yes(sql, one) for one in given),
    )


def name_of(sql: Connection, id: str) -> str:
    """The name of an account, or its id where it has none."""
    account = access.account(sql, id)
    return account.name if account else id


def _yes(sql: Connection, one: Approval) -> Yes:
    return Yes(person=one.person, name=name_of(sql, one.person), role=one.role.value, at=one.created_at, note=one.note)
