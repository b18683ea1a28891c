"""The two databases that a desk may stand on, and for each the bare driver beside it: the same disk, the same promise."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.figures import skipped
from cuelight_server.db.engine import FILES, Databases
from server.tests.postgres import Places, programs, server

MEMORY = Path("/dev/shm")
TABLE = "CREATE TABLE bare (seq BIGINT PRIMARY KEY, body TEXT NOT NULL, leaf TEXT NOT NULL)"


@dataclass(frozen=True)
class Place:
    """Room for one desk, and a bare connection to an empty file or schema beside it, with the table `bare`.

    `write` commits rows in one transaction; `read` runs a query in a transaction and gives its rows.
    """

    name: str
    folder: Path
    databases: Databases
    write: Callable[[list[tuple[int, str, str]]], None]
    read: Callable[[], list[tuple[object, ...]]]


@contextlib.contextmanager
def sqlite(*, durable: bool) -> Iterator[Place]:
    """SQLite, WAL and FULL on both sides; not durable: the same in memory, so that no disk is measured."""
    room = None if durable or not MEMORY.is_dir() else MEMORY
    home = Path(tempfile.mkdtemp(prefix="cuelight-bench-", dir=room))
    raw = sqlite3.connect(home / "bare.db", isolation_level=None)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute(TABLE)

        def write(rows: list[tuple[int, str, str]]) -> None:
            raw.execute("BEGIN IMMEDIATE")
            for row in rows:
                raw.execute("INSERT INTO bare VALUES (?, ?, ?)", row)
            raw.execute("COMMIT")

        def read() -> list[tuple[object, ...]]:
            return raw.execute("SELECT seq, body, leaf FROM bare ORDER BY seq").fetchall()

        yield Place("sqlite", home / "desk", FILES, write, read)
    finally:
        raw.close()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def postgresql(*, durable: bool) -> Iterator[Place]:
    """PostgreSQL on a server of its own, fsync and synchronous_commit on; not durable: both off."""
    state = "on" if durable else "off"
    with server(fsync=state, synchronous_commit=state, full_page_writes=state) as url:
        places = Places(url)
        raw = psycopg.connect(url)
        home = Path(tempfile.mkdtemp(prefix="cuelight-bench-"))
        try:
            with raw.transaction():
                raw.execute(TABLE)

            def write(rows: list[tuple[int, str, str]]) -> None:
                with raw.transaction():
                    for row in rows:
                        raw.execute("INSERT INTO bare VALUES (%s, %s, %s)", row)

            def read() -> list[tuple[object, ...]]:
                with raw.transaction():
                    return raw.execute("SELECT seq, body, leaf FROM bare ORDER BY seq").fetchall()

            yield Place("postgresql", home / "desk", places.databases(places.new()), write, read)
        finally:
            raw.close()
            places.close()
            shutil.rmtree(home, ignore_errors=True)


def has_postgresql() -> bool:
    """Whether this machine has the programs of a PostgreSQL server."""
    return programs() is not None


def every(figures: str, *, durable: bool, postgres: bool) -> Iterator[Place]:
    """SQLite, then PostgreSQL; where there is no PostgreSQL its figures are skipped, with a line on stderr."""
    with sqlite(durable=durable) as place:
        yield place
    if not postgres:
        skipped(figures, "no PostgreSQL here; as root: sh server/tests/get_postgres.sh")
        return
    with postgresql(durable=durable) as place:
        yield place
