"""Taking a desk out as one file while it runs, and making a desk of such a file again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cuelight_server import __version__
from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import FILE as KEY_FILE
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.control.opening import FORMAT, is_desk, open_desk
from cuelight_server.control.routing import publish_everywhere
from cuelight_server.control.signing import Renewed, renew_key
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import backup as files
from cuelight_server.db import desk as facts
from cuelight_server.db.engine import FILES, Databases, reading
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import Clock, rfc3339, system_clock
from cuelight_server.kernel.errors import Blocked, Conflict
from cuelight_server.kernel.terms import Environment
from cuelight_server.routing import store as routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds: the desk's epoch, its snapshot version in each environment, and the log's checkpoint."""

    made_at: str
    epoch: str
    snapshots: Mapping[str, int]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A desk made of a backup: its new epoch and, where anything was served, the snapshot versions under it."""

    made_at: str
    epoch: str
    snapshots: Mapping[str, int]
    key: str = ""  # the verifier of the new signing key; empty where no key was ever announced
    key_file: Path | None = None
    endorsed: bool = False


def back_up(folder: Path, file: Path, *, clock: Clock = system_clock, databases: Databases = FILES) -> Backup:
    """Write a desk to `file` (0600) while it may be served; nobody waits for it.

    The file is the same wherever the desk keeps its stores, so it is also how a desk moves from one database to another.
    NotFound when there is no desk, Conflict when the file exists, Unavailable when there is no room for it.
    """
    open_desk(folder, databases=databases).close()  # is it one, and one that this server can read?
    if file.exists():
        raise Conflict(f"{file} exists already", "give each backup a name of its own, for example with the date")
    with files.room_beside(file) as room:
        copy = room / "desk"
        files.copy_stores(folder, databases, copy)
        made = _look(copy, rfc3339(clock()))
        files.pack(copy, file, _manifest(made))
    return made


def restore(
    file: Path,
    folder: Path,
    *,
    clock: Clock = system_clock,
    databases: Databases = FILES,
    place: KeyPlace | None = None,
    old: KeyPlace | None = None,
) -> Restored:
    """Make a desk of a backup, in a new or empty folder or in empty databases, whole or not at all.

    Checksums and then everything stored are verified first. The desk gets a new epoch, by which running clients notice
    that they may hold something newer, and publishes again what the backup serves. It also gets a new signing key, so
    that no two histories are signed with one: kept in `place`, or in the folder where a key is there already, and signed
    by the one before where that is in `old` or in `place`. Conflict when there is something
    already, Invalid when the file is damaged, Blocked when what it holds was changed behind the desk's back.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not empty", "restore into a new folder, look at it, then serve it instead")
    if is_desk(folder, databases):
        raise Conflict("the database of CUELIGHT_DATABASE_URL is a desk already", "name an empty one, or a new schema")
    place = place or KeyPlace(folder / KEY_FILE)
    before = (old or place).load()
    with files.room_beside(folder) as room:
        made = room / "desk"
        manifest = files.unpack(file, made)
        desk = open_desk(made, clock=clock)
        try:
            _refuse_changed(desk, manifest)
            restored = _begin_anew(desk, manifest)
            renewed = renew_key(desk, before)
        finally:
            desk.close()
        files.put_stores(made, folder, databases)
    return restored if renewed is None else _kept(restored, renewed, place, folder)


def _kept(restored: Restored, renewed: Renewed, place: KeyPlace, folder: Path) -> Restored:
    """The new key goes to a place where none is: the old one may still sign for the desk that the backup came from."""
    taken = place.given is not None or place.file is None or place.file.exists()
    file = folder / KEY_FILE if taken or place.file is None else place.file
    KeyPlace(file).make(renewed.signer)
    verifier = str(renewed.signer.verifier)
    return replace(restored, key=verifier, key_file=file, endorsed=renewed.endorsed)


def _look(copy: Path, made_at: str) -> Backup:
    desk = open_desk(copy)
    try:
        with reading(desk.registry) as sql:
            versions = {place.value: routing.version(sql, place) for place in Environment}
            return Backup(made_at=made_at, epoch=desk.epoch, snapshots=versions, checkpoint=str(audit.checkpoint(sql)))
    finally:
        desk.close()


def _manifest(made: Backup) -> dict[str, Any]:
    return {
        "made_at": made.made_at,
        "made_by": f"cuelight-server {__version__}",
        "desk_format": FORMAT,
        "epoch": made.epoch,
        "snapshots": dict(made.snapshots),
        "checkpoint": made.checkpoint,
    }


def _refuse_changed(desk: Desk, manifest: Mapping[str, Any]) -> None:
    found = verify_desk(desk, manifest["checkpoint"])
    if found.problems:
        raise Blocked(
            f"what the backup holds does not verify: {found.problems[0]}",
            "take an earlier backup; to look into this one, unpack it with tar and run `cuelight-server verify`",
            problems=list(found.problems),
        )


def _begin_anew(desk: Desk, manifest: Mapping[str, Any]) -> Restored:
    fresh = replace(desk, epoch=ids.epoch())
    with act(desk, SYSTEM, Verb.DESK_RESTORE, "desk") as work:
        facts.change_epoch(work.sql, fresh.epoch)
        published = publish_everywhere(fresh, work)
        work.note(
            backup={"made_at": manifest["made_at"], "checkpoint": manifest["checkpoint"]},
            epoch={"from": desk.epoch, "to": fresh.epoch},
        )
    versions = {place: one.version for place, one in published.items()}
    return Restored(made_at=manifest["made_at"], epoch=fresh.epoch, snapshots=versions)
