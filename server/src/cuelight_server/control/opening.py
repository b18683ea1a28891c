"""Making a desk in an empty folder, and opening the one that is there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor, check_person
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.db import desk as facts
from cuelight_server.db.engine import FILES, Databases, Engine, open_calls, open_registry, reading, registry_is_made
from cuelight_server.db.rows import missing_in
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import Clock, system_clock
from cuelight_server.kernel.errors import Conflict, NotFound, Unavailable
from cuelight_server.kernel.ids import NewId
from cuelight_server.kernel.terms import Environment

FORMAT = "1"


def create_desk(
    folder: Path,
    *,
    demo: bool = False,
    local: bool = False,
    admin: tuple[str, str] | None = None,
    clock: Clock = system_clock,
    new_id: NewId | None = None,
    databases: Databases = FILES,
) -> Desk:
    """Make a desk and open it; `admin` is the (id, name) of its first administrator.

    Conflict when the folder, or the database, is a desk already; Invalid when the folder holds other things or the
    id is none.
    """
    if databases.registry and registry_is_made(folder):
        raise Conflict(
            f"{folder} holds a desk of its own", "give another data folder, or leave CUELIGHT_DATABASE_URL out"
        )
    if admin is not None:
        check_person(admin[0])  # before anything is written: a desk is made whole or not at all
    registry = open_registry(folder, databases)
    with _closed_on_failure(registry):
        if _facts(registry):
            raise Conflict(f"{_place(folder, databases)} is a desk already", "open it, or give an empty one")
        made = {"epoch": ids.epoch(), "demo": _flag(demo), "local": _flag(local), "format": FORMAT}
        desk = _assemble(registry, open_calls(folder, databases), made, (), clock, new_id)
        with act(desk, SYSTEM, Verb.DESK_CREATE, "desk") as work:
            made["created_at"] = work.at_text
            facts.save(work.sql, made, list(Environment))
            work.note(**made)
        if admin is not None:
            add_actor(desk, SYSTEM, *admin, admin=True)
    return desk


def open_desk(
    folder: Path, *, clock: Clock = system_clock, new_id: NewId | None = None, databases: Databases = FILES
) -> Desk:
    """Open a desk; NotFound when there is none, Unavailable when another version of Cuelight made it."""
    place = _place(folder, databases)
    nowhere = NotFound(f"there is no desk in {place}", "make one with `cuelight-server init`, or set CUELIGHT_DATA")
    if not registry_is_made(folder, databases):
        raise nowhere
    missing = missing_in(folder, databases)  # opening it puts them back
    registry = open_registry(folder, databases)
    with _closed_on_failure(registry):
        known = _facts(registry)
        if not known:
            raise nowhere
        if known.get("format") != FORMAT:
            raise Unavailable(
                f"the desk in {place} has format {known.get('format')}, this server reads {FORMAT}",
                "use the version of cuelight-server that made it, or a newer one",
            )
        return _assemble(registry, open_calls(folder, databases), known, missing, clock, new_id)


def is_desk(folder: Path, databases: Databases = FILES) -> bool:
    """Whether a desk was made, and finished, in this folder or database."""
    if not registry_is_made(folder, databases):
        return False
    registry = open_registry(folder, databases)
    try:
        return bool(_facts(registry))
    finally:
        registry.dispose()


@contextmanager
def _closed_on_failure(registry: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        registry.dispose()
        raise


def _facts(registry: Engine) -> dict[str, str]:
    with reading(registry) as sql:
        return facts.load(sql)


def _assemble(
    registry: Engine,
    calls: Engine,
    known: Mapping[str, str],
    missing: tuple[str, ...],
    clock: Clock,
    new_id: NewId | None,
) -> Desk:
    return Desk(
        registry=registry,
        calls=calls,
        clock=clock,
        new_id=new_id or ids.minter(clock),
        demo=known.get("demo") == _flag(on=True),
        local=known.get("local") == _flag(on=True),
        epoch=known.get("epoch", ""),
        missing=missing,
    )


def _place(folder: Path, databases: Databases) -> str:
    return "the database of CUELIGHT_DATABASE_URL" if databases.registry else str(folder)


def _flag(on: bool) -> str:  # noqa: FBT001  the flag is the point
    return "true" if on else "false"
