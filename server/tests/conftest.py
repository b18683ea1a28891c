"""Desks to test on: a fresh data folder each, a clock that ticks a second a call, ids that count."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from cuelight.contract.canonical import canonical_text, digest
from cuelight_server.access import store as access
from cuelight_server.control.access import add_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.opening import create_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

Person = Callable[..., Actor]
Workflow = Callable[..., None]


class TickingClock:
    """Each call is one second later than the one before; `forward` moves it on. Safe to share between threads."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self.lock = threading.Lock()

    def __call__(self) -> datetime:
        with self.lock:
            self.now += timedelta(seconds=1)
            return self.now

    def forward(self, by: timedelta) -> None:
        with self.lock:
            self.now += by


def counting_ids() -> Callable[[str], str]:
    """`rel_000001`, `ev_000002`, ... in the order in which they are asked for."""
    numbers = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(numbers):06d}"


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def desk(tmp_path: Path, clock: TickingClock) -> Iterator[Desk]:
    made = create_desk(tmp_path / "desk", clock=clock, new_id=counting_ids())
    yield made
    made.close()


@pytest.fixture
def demo_desk(tmp_path: Path, clock: TickingClock) -> Iterator[Desk]:
    made = create_desk(tmp_path / "demo", demo=True, clock=clock, new_id=counting_ids())
    yield made
    made.close()


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Person:
    """`person("mei.tanaka", admin=False, of=desk)`: an actor who has an account; asked again, the same one."""

    def make(id: str, *, admin: bool = False, of: Desk | None = None) -> Actor:
        desk: Desk = of or request.getfixturevalue("desk")
        with reading(desk.registry) as sql:
            known = access.account(sql, id)
        account = known or add_actor(desk, SYSTEM, id, id.replace(".", " ").title(), admin=admin)
        return account.actor()

    return make


@pytest.fixture
def workflow(request: pytest.FixtureRequest) -> Workflow:
    """`workflow("sales", workflow_owner="mei.tanaka", of=desk)`: a bare workflow with these owners, past the door."""

    def make(name: str, *, of: Desk | None = None, **owners: str) -> None:
        desk: Desk = of or request.getfixturevalue("desk")
        document = {"tier": "low", "owners": {role: {"person": who, "backup": None} for role, who in owners.items()}}
        at = rfc3339(START)
        with transaction(desk.registry, Intent.WRITE) as sql:
            sql.execute(insert(schema.workflow).values(name=name, revision=1, created_at=at))
            sql.execute(
                insert(schema.workflow_revision).values(
                    workflow=name,
                    revision=1,
                    digest=digest(document),
                    document=canonical_text(document),
                    authority=json.dumps({}),
                    actor="system",
                    created_at=at,
                )
            )

    return make
