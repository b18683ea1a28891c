"""The folder that a config stands in: files read within limits, and none outside of it unless that was asked for."""

import glob
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from cuelight.moving.report import CannotCarry

MAX_FILE, MAX_ALL, MAX_FILES, MAX_MATCHES = 10_000_000, 100_000_000, 5_000, 2_000
_MAGIC = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


class Sources:
    """Reads files by their paths in the config. Everything that it cannot have is CannotCarry, with the reason."""

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        """Stand in `folder`."""
        self.folder = folder
        self._root = folder.resolve()
        self._allow_outside = allow_outside
        self._bytes = self._files = 0

    def has(self, path: str) -> bool:
        """Whether there is such a file, inside."""
        try:
            return self._inside(path).is_file()
        except (CannotCarry, OSError, ValueError):
            return False

    def text(self, path: str) -> str:
        """The text of a file, with LF line ends."""
        try:
            file = self._inside(path)
            if not file.is_file():
                raise CannotCarry(f"there is no file {path}" if not file.is_dir() else f"{path} is a folder")
            body = self._bounded(path, file)
        except (OSError, ValueError) as bad:
            raise CannotCarry(f"{path} cannot be read: {getattr(bad, 'strerror', None) or bad}") from bad
        try:
            return body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as bad:
            raise CannotCarry(f"{path} is no UTF-8 text") from bad

    def matches(self, pattern: str) -> list[str]:
        """The files that fit a pattern, sorted; the path itself where it is none."""
        if not _MAGIC.search(pattern) or self.has(pattern):
            return [pattern]
        self._refuse_leaving(pattern)
        found: set[str] = set()
        for one in _unfolded(pattern):
            for path in itertools.islice(_found(one, self.folder), MAX_MATCHES + 1):
                if (self.folder / path).is_file():
                    found.add(Path(path).as_posix())
        if len(found) > MAX_MATCHES:
            raise CannotCarry(f"more than {MAX_MATCHES:,} files fit {pattern}")
        if not found:
            raise CannotCarry(f"no file fits {pattern}")
        return sorted(found)

    def _refuse_leaving(self, pattern: str) -> None:
        if not self._allow_outside and (Path(pattern).is_absolute() or ".." in Path(pattern).parts):
            raise CannotCarry(f"{pattern} leaves the folder of the config (--allow-outside reads it all the same)")

    def _inside(self, path: str) -> Path:
        if "\0" in path:
            raise CannotCarry("a path with a NUL in it")
        file = self.folder / path
        try:
            there = file.resolve()
        except (OSError, RuntimeError) as bad:
            raise CannotCarry(f"{path} is a link that leads back to itself") from bad
        if not self._allow_outside and not there.is_relative_to(self._root):
            raise CannotCarry(f"{path} leaves the folder of the config (--allow-outside reads it all the same)")
        return there

    def _bounded(self, path: str, file: Path) -> bytes:
        with file.open("rb") as stream:
            body = stream.read(MAX_FILE + 1)
        self._files, self._bytes = self._files + 1, self._bytes + len(body)
        if len(body) > MAX_FILE:
            raise CannotCarry(f"{path} has more than {MAX_FILE // 1_000_000} MB")
        if self._bytes > MAX_ALL or self._files > MAX_FILES:
            raise CannotCarry(f"with {path} more than {MAX_ALL // 1_000_000} MB or {MAX_FILES:,} files were read")
        return body


def _found(pattern: str, folder: Path) -> Iterator[str]:
    """`Path.glob` takes neither an absolute pattern nor one that climbs; whether it may was asked before."""
    return glob.iglob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207  see above


def _unfolded(pattern: str) -> list[str]:
    """`a.{txt,md}` as `a.txt` and `a.md`; at most 64."""
    found = _BRACES.search(pattern)
    if found is None:
        return [pattern]
    heads = (pattern[: found.start()] + one + pattern[found.end() :] for one in found.group(1).split(","))
    return list(itertools.islice((whole for one in heads for whole in _unfolded(one)), 64))
