"""The files of a desk as one archive and back: copied while the server runs, each with its checksum."""

import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from cuelight_server.db.copying import copy_in, copy_out
from cuelight_server.db.engine import CALLS_FILE, REGISTRY_FILE, Databases
from cuelight_server.db.failures import our_kind
from cuelight_server.kernel.errors import Conflict, CuelightError, Invalid, Unavailable

FORMAT = "cuelight/backup@1"
FILES = (CALLS_FILE, REGISTRY_FILE)  # calls first: the version behind each of them is in the registry that follows
_MANIFEST, _MOST_MANIFEST, _AT_ONCE = "manifest.json", 1_000_000, 1 << 20
_BROKEN = (tarfile.TarError, zlib.error, EOFError, KeyError, TypeError, ValueError)


@contextmanager
def room_beside(place: Path) -> Iterator[Path]:
    """A folder for unfinished work on the same disk as `place`, gone afterwards. Unavailable where there is none."""
    with _in_our_words(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        room = tempfile.mkdtemp(prefix=".cuelight-", dir=place.parent)
    try:
        yield Path(room)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def copy_stores(folder: Path, databases: Databases, into: Path) -> None:
    """Copy both stores into files in a new folder (0700), each as it was at one moment; writers go on. Unavailable."""
    with _in_our_words(into):
        into.mkdir(mode=0o700)
    copy_out(folder, databases, into)
    with _in_our_words(into):
        for name, elsewhere in ((CALLS_FILE, databases.calls), (REGISTRY_FILE, databases.registry)):
            _one_file(into / name, None if elsewhere else folder / name)


def put_stores(files: Path, folder: Path, databases: Databases) -> None:
    """Make the files of a desk its stores, in an empty or new folder, or in empty databases. Conflict, Unavailable."""
    for name in FILES:
        _one_file(files / name, None)
    copy_in(files, folder, databases)
    for name, elsewhere in ((CALLS_FILE, databases.calls), (REGISTRY_FILE, databases.registry)):
        if elsewhere:
            (files / name).unlink()
    if any(files.iterdir()):
        files.rename(folder)


def _one_file(file: Path, source: Path | None) -> None:
    """A database as one file with nothing beside it; a copy of `source`, or the one that is there."""
    if source is not None:
        _new_file(file).close()
    with closing(sqlite3.connect(file)) as new:
        if source is not None:
            with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old:
                old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")


def pack(folder: Path, file: Path, manifest: Mapping[str, Any]) -> None:
    """Write the archive (0600), whole or not at all; Conflict where the file exists, Unavailable where it cannot be."""
    if file.exists():
        raise Conflict(f"{file} exists already", "give each backup a name of its own, for example with the date")
    partial = file.with_name(f".{file.name}.partial")
    with _in_our_words(file):
        told = {"format": FORMAT, **manifest, "files": {name: _facts(folder / name) for name in FILES}}
        partial.unlink(missing_ok=True)
        try:
            with _new_file(partial) as out:
                _write(out, folder, told)
                out.flush()
                os.fsync(out.fileno())
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)


def unpack(file: Path, into: Path) -> dict[str, Any]:
    """Write the files of an archive into a new folder and return its manifest; Invalid where a byte of it is wrong."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            manifest = _manifest(archive)
            into.mkdir(mode=0o700)
            for name in FILES:
                _extract(archive, name, into / name, manifest["files"][name])
    except FileNotFoundError as gone:
        raise Invalid(f"there is no {file}", "name a file that `cuelight-server backup` wrote") from gone
    except (*_BROKEN, OSError) as bad:
        raise Invalid(f"{file} is no backup, or it is damaged: {bad}", "take another backup file") from bad
    return manifest


def _write(out: IO[bytes], folder: Path, manifest: Mapping[str, Any]) -> None:
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
        text = json.dumps(manifest, indent=2, sort_keys=True).encode()
        archive.addfile(_member(_MANIFEST, len(text)), BytesIO(text))
        for name in FILES:
            with (folder / name).open("rb") as content:
                archive.addfile(_member(name, (folder / name).stat().st_size), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        return {"size": path.stat().st_size, "sha256": file_digest(content, "sha256").hexdigest()}


def _manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    member = archive.next()
    if member is None or member.name != _MANIFEST or not member.isfile() or member.size > _MOST_MANIFEST:
        raise ValueError("it does not begin with a manifest")
    content = archive.extractfile(member)
    manifest: dict[str, Any] = json.loads(content.read() if content else b"")
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']}, this server reads {FORMAT}")
    return manifest


def _extract(archive: tarfile.TarFile, name: str, path: Path, told: Mapping[str, Any]) -> None:
    member = archive.getmember(name)
    content = archive.extractfile(member) if member.isfile() and member.size == told["size"] else None
    if content is None:
        raise ValueError(f"{name} is not {told['size']} bytes long")
    with _new_file(path) as out:
        while part := content.read(_AT_ONCE):
            out.write(part)
    if _facts(path) != dict(told):
        raise ValueError(f"{name} does not have its checksum")


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def _in_our_words(place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as bad:
        raise our_kind(bad) or Unavailable(f"the databases cannot be copied: {bad}", "run `verify`") from bad
    except OSError as bad:
        raise _not_written(place, bad) from bad


def _not_written(place: Path, bad: OSError) -> CuelightError:
    return Unavailable(f"{place} cannot be written: {bad.strerror}", "is there room, and may this user write there?")
