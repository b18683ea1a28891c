"""The disk copy: the last known good snapshot, checked by its digest, readable by this user only."""

# ruff: noqa: PTH101, PTH103, PTH105, PTH108, PTH111, PTH118 (pathlib costs 3 ms to load, a tenth of a cold start)

import contextlib
import json
import os
import stat
from dataclasses import dataclass

from cuelight.contract.canonical import digest_bytes

FORMAT = "cuelight/disk@1"
_FILE = "snapshot.json"


@dataclass(frozen=True, slots=True)
class Copy:
    """A snapshot from disk: its bytes, their digest, and when a server last confirmed it (Unix seconds)."""

    body: bytes
    digest: str
    confirmed: float


class DiskCopy:
    """One snapshot file in a directory of its own (0700, file 0600). Written by the refreshing thread only."""

    def __init__(self, folder: str | os.PathLike[str], url: str, key: str) -> None:
        """A directory under `folder`, named by a hash of the server and the public half of the app key."""
        name = digest_bytes(f"{url}\0{public_half(key)}".encode()).removeprefix("sha256:")[:32]
        self._folder = os.path.join(folder, name)
        self.path = os.path.join(self._folder, _FILE)

    def load(self) -> Copy | None:
        """What was saved, or None where there is nothing, or nothing that can be trusted."""
        try:
            # O_NONBLOCK: a pipe that lies there must not hold up the start of an app
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with os.fdopen(os.open(self.path, flags)) as file:
                facts = os.fstat(file.fileno())
                saved = json.load(file) if _ours(facts) else {}
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(saved, dict) or saved.get("format") != FORMAT or not isinstance(saved.get("body"), str):
            return None
        body = saved["body"].encode(errors="replace")
        return Copy(body, saved["digest"], facts.st_mtime) if digest_bytes(body) == saved.get("digest") else None

    def save(self, body: bytes, digest: str) -> None:
        """Replace the file in one step; OSError where the disk does not take it."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        os.chmod(self._folder, 0o700)
        fresh = f"{self.path}.{os.getpid()}.new"
        _unlink(fresh)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump({"format": FORMAT, "digest": digest, "body": body.decode()}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self.path)
        finally:
            _unlink(fresh)

    def confirm(self) -> None:
        """Note that a server still serves this very snapshot now."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def drop(self) -> None:
        """Forget it: the key was revoked."""
        _unlink(self.path)


def default_folder() -> str:
    """`$XDG_CACHE_HOME/cuelight`, or `~/.cache/cuelight`."""
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cuelight")


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def public_half(key: str) -> str:
    """The id in `cue_<environment>_<id>_<secret>_<crc>`; a hash of any other key, so that no secret becomes a file name."""
    parts = key.split("_")
    return parts[2] if len(parts) == 5 else digest_bytes(key.encode())


def _ours(facts: os.stat_result) -> bool:
    """Whether a file is a plain one, belongs to this user and is closed to all others."""
    mine = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
    return mine and stat.S_ISREG(facts.st_mode) and not (os.name == "posix" and facts.st_mode & 0o077)
