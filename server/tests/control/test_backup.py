"""A desk goes out as one file while it works, and comes back whole, verified, and under a new epoch."""

import gzip
import io
import json
import sqlite3
import stat
import tarfile
import threading
from contextlib import suppress

import pytest

from cuelight.contract.errors import Blocked, Conflict, Invalid, NotFound, Unavailable
from cuelight.contract.note import is_rotation, parse_verifier
from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import FILE as KEY_FILE
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.audit.store import checkpoints
from cuelight_server.control.backup import back_up, restore
from cuelight_server.control.checkpoints import issue
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.releases import release, roll_back
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import FILES, Databases, reading
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.runtime import current
from cuelight_server.views.traces import why
from server.tests.pushing import rows
from server.tests.releasing import ENGINEER, PROMPT, evaluate, live, prepare, who


@pytest.fixture
def folder(tmp_path):
    """A desk whose v1 serves in staging, and v2 could."""
    made = tmp_path / "desk"
    desk = create_desk(made)
    prepare(desk, versions=3)
    put_out(desk, "v1")
    desk.close()
    return made


def put_out(desk, label):
    evaluate(desk, label)
    release(desk, who(desk, ENGINEER), PROMPT, label, "staging")


def called(desk):
    app = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.STAGING)
    call = {"id": "out_1", "at": "2026-01-05T09:00:00Z", "prompt": PROMPT, "reason": "stable", "version": "v1"}
    record_calls(desk, app, json.dumps({"calls": [call]}).encode())


def opened(folder, look):
    desk = open_desk(folder)
    try:
        return look(desk)
    finally:
        desk.close()


def served(desk):
    document = json.loads(current(desk, "staging").body)
    return {key: value for key, value in document.items() if key not in ("epoch", "version")}


def test_a_restored_desk_serves_the_same_under_a_new_epoch_and_says_so_in_its_log(folder, tmp_path):
    made = back_up(folder, tmp_path / "one.tar.gz")
    assert stat.S_IMODE((tmp_path / "one.tar.gz").stat().st_mode) == 0o600
    before = opened(folder, served)
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again")
    assert again.epoch != made.epoch
    assert again.snapshots == {"staging": 2}
    desk = open_desk(tmp_path / "again")
    assert (desk.epoch, live(desk, "staging")) == (again.epoch, 1)
    assert served(desk) == before
    assert json.loads(current(desk, "staging").body)["epoch"] == again.epoch
    assert verify_desk(desk, made.checkpoint).problems == ()
    with reading(desk.registry) as sql:
        line = audit.newest(sql, size=1).items[0]
    assert (line.verb, line.actor, line.subject) == ("desk.restore", "system", "desk")
    assert line.facts["epoch"] == {"from": made.epoch, "to": again.epoch}
    assert line.facts["backup"] == {"made_at": made.made_at, "checkpoint": made.checkpoint}
    assert line.facts["snapshots"]["staging"]["digest"] == current(desk, "staging").digest
    put_out(desk, "v2")
    assert live(desk, "staging") == 2
    desk.close()
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "again").iterdir()} == {0o600}


def test_a_backup_while_others_release_holds_one_moment_whole(folder, tmp_path):
    desk, enough = open_desk(folder), threading.Event()

    def busy():
        while not enough.is_set():
            roll_back(desk, SYSTEM, PROMPT, "staging", why="to and fro")
            for label in ("v2", "v3"):
                evaluate(desk, label)
                with suppress(Blocked, Conflict):
                    release(desk, who(desk, ENGINEER), PROMPT, label, "staging")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for number in range(5):
            back_up(folder, tmp_path / f"{number}.tar.gz")
    finally:
        enough.set()
        thread.join()
        desk.close()
    for number in range(5):
        restore(tmp_path / f"{number}.tar.gz", tmp_path / f"desk-{number}")  # verifies everything that is stored
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_backup_never_writes_over_another_file(folder, tmp_path):
    back_up(folder, tmp_path / "one.tar.gz")
    kept = (tmp_path / "one.tar.gz").read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        back_up(folder, tmp_path / "one.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == kept


def test_what_is_no_desk_cannot_be_backed_up_and_is_not_made_one(tmp_path):
    with pytest.raises(NotFound):
        back_up(tmp_path / "nothing", tmp_path / "one.tar.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_restore_goes_into_an_empty_folder_only(folder, tmp_path):
    back_up(folder, tmp_path / "one.tar.gz")
    with pytest.raises(Conflict, match="not empty"):
        restore(tmp_path / "one.tar.gz", folder)
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "one.tar.gz", tmp_path / "empty")
    assert opened(tmp_path / "empty", lambda desk: live(desk, "staging")) == 1


def members(file):
    with tarfile.open(file) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive.getmembers()}


def write(file, parts):
    with tarfile.open(file, "w:gz") as archive:
        for name, body in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))


@pytest.mark.parametrize("damage", ["a byte", "cut", "no file", "another file", "no backup", "a path that leads out"])
def test_a_damaged_backup_is_refused_and_leaves_nothing_behind(folder, tmp_path, damage):
    file = tmp_path / "one.tar.gz"
    back_up(folder, file)
    parts, raw = members(file), file.read_bytes()
    manifest = json.loads(parts["manifest.json"])
    match damage:
        case "a byte":
            body = parts["registry.db"]
            write(file, {**parts, "registry.db": body[:5000] + bytes([body[5000] ^ 1]) + body[5001:]})
        case "cut":
            file.write_bytes(raw[: len(raw) // 2])
        case "no file":
            write(file, {name: body for name, body in parts.items() if name != "calls.db"})
        case "another file":
            file.write_bytes(gzip.compress(b"hello"))
        case "no backup":
            file.write_text("hello")
        case _:
            manifest["files"]["../../out"] = manifest["files"].pop("calls.db")
            told = json.dumps(manifest).encode()
            write(file, {"manifest.json": told, "../../out": parts["calls.db"], "registry.db": parts["registry.db"]})
    with pytest.raises(Invalid, match="is no backup, or it is damaged"):
        restore(file, tmp_path / "again")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["desk", "one.tar.gz"]


def test_a_backup_of_a_desk_that_was_changed_behind_its_back_is_not_restored(folder, tmp_path):
    with sqlite3.connect(folder / "registry.db") as raw:
        raw.execute("DROP TRIGGER version_no_update")
        raw.execute("UPDATE version SET content = replace(content, 'version 1', 'version 9') WHERE number = 1")
    back_up(folder, tmp_path / "one.tar.gz")
    with pytest.raises(Blocked, match=r"does not verify: version: sales\.qualify@v1") as refused:
        restore(tmp_path / "one.tar.gz", tmp_path / "again")
    assert refused.value.details["problems"]
    assert not (tmp_path / "again").exists()


def test_a_backup_whose_log_was_cut_and_resealed_is_not_restored(folder, tmp_path):
    file = tmp_path / "one.tar.gz"
    back_up(folder, file)
    parts = members(file)
    manifest = {**json.loads(parts["manifest.json"]), "checkpoint": "999 " + "0" * 64}
    write(file, {**parts, "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(Blocked, match="the checkpoint was taken at 999 lines"):
        restore(file, tmp_path / "again")


def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(folder, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="cannot be written"):
        back_up(folder, tmp_path / "file" / "one.tar.gz")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["desk", "file"]


@pytest.fixture
def elsewhere(request):
    """`elsewhere("postgresql")`: empty databases of that kind."""
    taken = []

    def place(kind):
        if kind == "sqlite":
            return FILES
        places = request.getfixturevalue("places")
        taken.append((places, places.new()))
        return places.databases(taken[-1][1])

    yield place
    for places, name in taken:
        places.throw_away(name)


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_a_desk_moves_from_any_database_to_any_other_and_goes_on(tmp_path, databases, elsewhere, to):
    desk = create_desk(tmp_path / "desk", databases=databases("desk"))
    prepare(desk, versions=3)
    put_out(desk, "v1")
    called(desk)
    before, calls = rows(desk), why(desk, "out_1").call
    desk.close()
    made = back_up(tmp_path / "desk", tmp_path / "one.tar.gz", databases=databases("desk"))
    there = elsewhere(to)
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again", databases=there)
    desk = open_desk(tmp_path / "again", databases=there)
    assert (desk.epoch, again.snapshots) == (again.epoch, {"staging": 2})
    assert verify_desk(desk, made.checkpoint).problems == ()
    after = rows(desk)
    grown = {"desk", "environment", "snapshot"}  # by the restore itself
    assert {name for name in before if before[name] != after[name]} == grown
    assert why(desk, "out_1").call == calls
    put_out(desk, "v2")
    assert live(desk, "staging") == 2
    desk.close()
    with pytest.raises(Conflict):
        restore(tmp_path / "one.tar.gz", tmp_path / "again", databases=there)


def test_a_restore_into_a_database_with_rows_takes_nothing_and_leaves_what_was_there(folder, tmp_path, elsewhere):
    back_up(folder, tmp_path / "one.tar.gz")
    there = elsewhere("postgresql")
    desk = create_desk(tmp_path / "other", databases=there)
    before = rows(desk)
    with pytest.raises(Conflict, match="is a desk already"):
        restore(tmp_path / "one.tar.gz", tmp_path / "again", databases=there)
    assert rows(desk) == before
    desk.close()
    calls_only = Databases(calls=there.calls)
    desk = create_desk(tmp_path / "third", databases=calls_only)
    prepare(desk)
    put_out(desk, "v1")
    called(desk)
    desk.close()
    with pytest.raises(Conflict, match="has rows already, in call"):
        restore(tmp_path / "one.tar.gz", tmp_path / "again", databases=calls_only)
    assert not (tmp_path / "again").exists()


def signed(folder, place):
    """The desk announced a key and signed; the verifier."""
    desk = open_desk(folder)
    try:
        issue(desk, place)
        return str(place.load().verifier)
    finally:
        desk.close()


def keys_of(folder):
    desk = open_desk(folder)
    try:
        with reading(desk.registry) as sql:
            return checkpoints.keys(sql), verify_desk(desk).problems
    finally:
        desk.close()


def test_a_restored_desk_signs_with_a_key_of_its_own_that_the_old_one_has_signed(folder, tmp_path):
    before = signed(folder, KeyPlace(folder / KEY_FILE))
    back_up(folder, tmp_path / "one.tar.gz")
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again", old=KeyPlace(folder / KEY_FILE))
    (first, second), problems = keys_of(tmp_path / "again")
    assert (first.verifier, second.verifier, again.endorsed) == (before, again.key, True)
    assert is_rotation(second.endorsement, parse_verifier(before), parse_verifier(again.key))
    assert problems == ()
    assert signed(tmp_path / "again", KeyPlace(again.key_file)) == again.key != before
    assert signed(folder, KeyPlace(folder / KEY_FILE)) == before  # the desk that was backed up goes on as it was


def test_a_restored_desk_takes_no_key_that_is_brought_along_later(folder, tmp_path):
    signed(folder, KeyPlace(folder / KEY_FILE))
    back_up(folder, tmp_path / "one.tar.gz")
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again")
    assert again.endorsed is False
    (_, second), problems = keys_of(tmp_path / "again")
    assert (second.endorsement, problems) == (None, ())
    with pytest.raises(Unavailable, match="the log announced"):
        signed(tmp_path / "again", KeyPlace(folder / KEY_FILE))
    assert signed(tmp_path / "again", KeyPlace(again.key_file)) == again.key


def test_a_key_that_lies_where_the_restored_desk_looks_signs_the_new_one_and_is_not_written_over(folder, tmp_path):
    shared = KeyPlace(tmp_path / "keys" / "signing.key")
    before = signed(folder, shared)
    back_up(folder, tmp_path / "one.tar.gz")
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again", place=shared)
    assert (again.endorsed, again.key_file) == (True, tmp_path / "again" / KEY_FILE)
    assert str(shared.load().verifier) == before


def test_a_desk_that_never_signed_is_restored_without_a_key(folder, tmp_path):
    back_up(folder, tmp_path / "one.tar.gz")
    again = restore(tmp_path / "one.tar.gz", tmp_path / "again")
    assert (again.key, again.key_file, keys_of(tmp_path / "again")[0]) == ("", None, [])
