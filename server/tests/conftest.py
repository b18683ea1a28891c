"""Desks to test on, each on both databases: nothing in them, a clock that ticks a second a call, ids that count."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from cuelight.contract.canonical import canonical_text, digest
from cuelight_server.access import store as access
from cuelight_server.control.access import add_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import FILES, Databases, Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from server.tests.postgres import Places, programs, server

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

BOTH = ("sqlite", "postgresql")

Person = Callable[..., Actor]
Workflow = Callable[..., None]


FACES = ("web", "openid")  # pages, and what lies to the exchange: the verbs and views below them have tests on both


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever touches a store runs on both databases, unless it says `@pytest.mark.database("sqlite")` or is a page."""
    if "database" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("database")
        usual = BOTH[:1] if metafunc.definition.path.parent.name in FACES else BOTH
        metafunc.parametrize("database", marker.args if marker else usual, indirect=True)


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """Schemas on a PostgreSQL server of this session's own."""
    if programs() is None:
        pytest.skip("no PostgreSQL here; as root, server/tests/get_postgres.sh brings it")
    with server() as url:
        made = Places(url)
        yield made
        made.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`: where this run of the test keeps its desks."""
    return str(request.param)


Where = Callable[[str], Databases]


@pytest.fixture
def databases(request: pytest.FixtureRequest, database: str) -> Iterator[Where]:
    """`databases("desk")`: where the desk of this name keeps its stores; asked again, the same."""
    if database == "sqlite":
        yield lambda _name: FILES
        return
    places: Places = request.getfixturevalue("places")
    taken: dict[str, str] = {}

    def where(name: str) -> Databases:
        if name not in taken:
            taken[name] = places.take()
        return places.databases(taken[name])

    yield where
    for schema_name in taken.values():
        places.give_back(schema_name)


@pytest.fixture
def untouched(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[tuple[Path, Databases]]:
    """A folder and databases in which there is no table, for a test of the tables themselves."""
    if database == "sqlite":
        yield tmp_path / "desk", FILES
        return
    places: Places = request.getfixturevalue("places")
    name = places.new()
    yield tmp_path / "desk", places.databases(name)
    places.throw_away(name)


@pytest.fixture
def fresh(request: pytest.FixtureRequest, database: str) -> Callable[[], AbstractContextManager[Databases]]:
    """`with fresh() as databases`: an empty place as often as one asks, for tests that make many desks in a row."""

    @contextmanager
    def place() -> Iterator[Databases]:
        if database == "sqlite":
            yield FILES
            return
        places: Places = request.getfixturevalue("places")
        name = places.take()
        yield places.databases(name)
        places.give_back(name)

    return place


@pytest.fixture
def make_desk(tmp_path: Path, databases: Where) -> Iterator[Callable[..., Desk]]:
    """`make_desk("local", local=True)`: a desk of this name, closed at the end."""
    made: list[Desk] = []

    def make(name: str = "desk", **how: Any) -> Desk:
        made.append(create_desk(tmp_path / name, databases=databases(name), **how))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def open_again(tmp_path: Path, databases: Where) -> Iterator[Callable[..., Desk]]:
    """`open_again("desk")`: another opening of the desk of this name, as another process would have it."""
    made: list[Desk] = []

    def again(name: str = "desk", **how: Any) -> Desk:
        made.append(open_desk(tmp_path / name, databases=databases(name), **how))
        return made[-1]

    yield again
    for one in made:
        one.close()


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
def desk(make_desk: Callable[..., Desk], clock: TickingClock) -> Desk:
    return make_desk("desk", clock=clock, new_id=counting_ids())


@pytest.fixture
def demo_desk(make_desk: Callable[..., Desk], clock: TickingClock) -> Desk:
    return make_desk("demo", demo=True, clock=clock, new_id=counting_ids())


@pytest.fixture
def person(request: pytest.FixtureRequest, database: str) -> Person:
    """`person("mei.tanaka", admin=False, of=desk)`: an actor who has an account; asked again, the same one."""

    def make(id: str, *, admin: bool = False, of: Desk | None = None) -> Actor:
        desk: Desk = of or request.getfixturevalue("desk")
        with reading(desk.registry) as sql:
            known = access.account(sql, id)
        account = known or add_actor(desk, SYSTEM, id, id.replace(".", " ").title(), admin=admin)
        return account.actor()

    return make


@pytest.fixture
def workflow(request: pytest.FixtureRequest, database: str) -> Workflow:
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
