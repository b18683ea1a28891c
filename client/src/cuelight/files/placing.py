"""Placing: a folder of files appears whole or not at all, whatever stops the writing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuelight.contract.errors import Conflict, Unavailable


def refuse_filled(folder: Path) -> None:
    """Conflict where the folder holds anything already, Unavailable where nobody lets us look."""
    try:
        filled = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as bad:
        raise unwritable(folder, bad) from bad
    if filled:
        raise Conflict(f"{folder} is there already and not empty", "name a new folder")


def unwritable(folder: Path, bad: OSError) -> Unavailable:
    """The error of a folder that cannot be written, with the reason of the system."""
    return Unavailable(f"{folder} cannot be written: {bad.strerror or bad}", "name a folder that you may write")


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A place to write; on leaving it becomes `folder`, which is new or empty. On any error, nothing is left behind.

    A new folder comes by one rename, together with the parents that it lacks; into an empty one its entries are moved.
    """
    there = folder.is_dir()
    top = folder if there else _highest_new(folder)
    aside = (folder if there else top.parent) / f".cuelight-{os.getpid()}"
    moved: list[Path] = []
    try:
        place = aside / folder.relative_to(top)
        place.mkdir(parents=True)
        yield place
        if there:
            for entry in sorted(place.iterdir()):
                moved.append(folder / entry.name)
                entry.rename(moved[-1])
        else:
            aside.rename(top)
    except BaseException as bad:
        for entry in moved:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
        if isinstance(bad, OSError):
            raise unwritable(folder, bad) from bad
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _highest_new(folder: Path) -> Path:
    """The topmost folder on the way to this one that is not there yet."""
    while not folder.parent.exists():
        folder = folder.parent
    return folder
