"""The sealing keys in a file beside the database, for its owner only: made at the first start, never in a backup."""

import os
import stat
from pathlib import Path

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.vault.sealing import SealingKeys, key_text, read_keys

_MOST_BYTES = 10_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_or_make(file: Path, fresh: bytes) -> SealingKeys:
    """The keys of the file; where there is none it is made with the key `fresh`. Invalid, Unavailable."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a desk on PostgreSQL has no data folder yet
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load(file)
    except OSError as bad:
        raise Unavailable(f"{file} cannot be written: {bad.strerror}", "may this user write there?") from bad
    _write(descriptor, key_text(fresh))
    return load(file)


def load(file: Path) -> SealingKeys:
    """The keys of the file. Invalid where others may read it, or where it holds no keys; Unavailable."""
    try:
        if file.stat().st_mode & _OTHERS:
            raise Invalid(f"others may read {file}", f"chmod 600 {file}; if others did read it, reseal with a new key")
        with file.open("rb") as content:
            return read_keys(content.read(_MOST_BYTES).decode("ascii", "replace"))
    except OSError as bad:
        raise Unavailable(f"{file} cannot be read: {bad.strerror}", "name it with CUELIGHT_SEALING_KEY_FILE") from bad


def put_in_front(file: Path, fresh: bytes) -> SealingKeys:
    """A new current key before the older ones, which go on opening what they sealed."""
    kept = file.read_text(encoding="ascii").split() if file.exists() else []
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    _write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "\n".join([key_text(fresh), *kept]))
    beside.replace(file)
    return load(file)


def _write(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
