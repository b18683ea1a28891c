"""Making a desk in an empty folder, and opening the one that is there."""

from dataclasses import replace
from pathlib import Path

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor, check_person
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.db import desk as facts
from cuelight_server.db.engine import REGISTRY_FILE, open_calls, open_registry, reading
from cuelight_server.db.rows import missing_in
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import Clock, rfc3339, system_clock
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
) -> Desk:
    """Make a desk and open it; `admin` is the (id, name) of its first administrator.

    Conflict when the folder is a desk already, Invalid when it holds other things or the id is none.
    """
    if is_desk(folder):
        raise Conflict(f"{folder} is a desk already", "open it, or give an empty folder")
    if admin is not None:
        check_person(admin[0])  # before anything is written: a desk is made whole or not at all
    desk = _assemble(folder, ids.epoch(), demo=demo, local=local, clock=clock, new_id=new_id)
    with act(desk, SYSTEM, Verb.DESK_CREATE, "desk") as work:
        made = {
            "epoch": desk.epoch,
            "demo": _flag(demo),
            "local": _flag(local),
            "format": FORMAT,
            "created_at": rfc3339(work.at),
        }
        facts.save(work.sql, made, list(Environment))
        work.note(**made)
    if admin is not None:
        add_actor(desk, SYSTEM, *admin, admin=True)
    return desk


def open_desk(folder: Path, *, clock: Clock = system_clock, new_id: NewId | None = None) -> Desk:
    """Open the desk in a folder; NotFound when there is none, Unavailable when a newer Cuelight made it."""
    missing = missing_in(folder / REGISTRY_FILE)
    known = _facts(folder)
    if not known:
        raise NotFound(f"there is no desk in {folder}", "make one with `cuelight-server init`, or set CUELIGHT_DATA")
    if known.get("format") != FORMAT:
        raise Unavailable(
            f"the desk in {folder} has format {known.get('format')}, this server reads {FORMAT}",
            "use the version of cuelight-server that made it, or a newer one",
        )
    demo, local = known.get("demo") == _flag(on=True), known.get("local") == _flag(on=True)
    return replace(
        _assemble(folder, known.get("epoch", ""), demo=demo, local=local, clock=clock, new_id=new_id), missing=missing
    )


def is_desk(folder: Path) -> bool:
    """Whether a desk was made, and finished, in this folder."""
    return bool(_facts(folder))


def _facts(folder: Path) -> dict[str, str]:
    if not (folder / REGISTRY_FILE).exists():
        return {}
    engine = open_registry(folder)
    try:
        with reading(engine) as sql:
            return facts.load(sql)
    finally:
        engine.dispose()


def _assemble(folder: Path, epoch: str, *, demo: bool, local: bool, clock: Clock, new_id: NewId | None) -> Desk:
    return Desk(
        registry=open_registry(folder),
        calls=open_calls(folder),
        clock=clock,
        new_id=new_id or ids.minter(clock),
        demo=demo,
        local=local,
        epoch=epoch,
    )


def _flag(on: bool) -> str:  # noqa: FBT001  the flag is the point
    return "true" if on else "false"
