"""The two stores of a desk, opened: two SQLite files in its data folder, or wherever in PostgreSQL it was told."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData

from cuelight_server.db import schema
from cuelight_server.db.migrations import TODAY, Line
from cuelight_server.db.sqlite import file_engine
from cuelight_server.db.standing import is_made, make_missing
from cuelight_server.db.transactions import BUSY_TIMEOUT_MS, Intent, reading, transaction
from cuelight_server.kernel.errors import Invalid, Unavailable

__all__ = [
    "BUSY_TIMEOUT_MS",
    "CALLS_FILE",
    "FILES",
    "REGISTRY_FILE",
    "Connection",
    "Databases",
    "Engine",
    "Intent",
    "calls_engine",
    "open_calls",
    "open_registry",
    "reading",
    "registry_engine",
    "registry_is_made",
    "transaction",
]

REGISTRY_FILE, CALLS_FILE = "registry.db", "calls.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Where the registry and the calls are: a PostgreSQL URL each, or None for the SQLite file in the data folder."""

    registry: str | None = field(default=None, repr=False)  # a URL may hold a password
    calls: str | None = field(default=None, repr=False)


FILES = Databases()


def open_registry(folder: Path, databases: Databases = FILES, line: Line = TODAY) -> Engine:
    """The engine of the registry; folder (0700), file (0600), tables and triggers are made where they are missing.

    Invalid when the folder holds other things and no desk; Unavailable when the store cannot be used, or is of
    another schema than this server's.
    """
    return _made(registry_engine(folder, databases), schema.registry, line)


def open_calls(folder: Path, databases: Databases = FILES, line: Line = TODAY) -> Engine:
    """The engine of the calls, as `open_registry`; a power cut may take the last calls, never their order."""
    return _made(calls_engine(folder, databases), schema.calls, line)


def registry_engine(folder: Path, databases: Databases = FILES, *, migrating: bool = False) -> Engine:
    """The engine of the registry as it is: nothing but an empty file is made, and nothing is checked."""
    if databases.registry:
        return _on_a_server(databases.registry)
    prepare_folder(folder)
    return file_engine(folder / REGISTRY_FILE, synchronous="FULL", foreign_keys=not migrating)


def calls_engine(folder: Path, databases: Databases = FILES, *, migrating: bool = False) -> Engine:
    """The engine of the calls, as `registry_engine`."""
    if databases.calls:
        return _on_a_server(databases.calls)
    prepare_folder(folder)
    return file_engine(folder / CALLS_FILE, synchronous="NORMAL", foreign_keys=not migrating)


def registry_is_made(folder: Path, databases: Databases = FILES) -> bool:
    """Whether there is a registry at all; looking makes none."""
    if not databases.registry:
        return (folder / REGISTRY_FILE).exists()
    engine = _on_a_server(databases.registry)
    try:
        return is_made(engine, schema.registry)
    finally:
        engine.dispose()


def prepare_folder(folder: Path) -> None:
    """Make the folder, for its owner only; a folder that is full of other things is refused, not taken over."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ours = any((folder / name).exists() for name in (REGISTRY_FILE, CALLS_FILE))
    if not ours and any(folder.iterdir()):
        raise Invalid(f"{folder} holds other things and no desk", "give an empty or a new folder")
    folder.chmod(0o700)


def _made(engine: Engine, tables: MetaData, line: Line) -> Engine:
    try:
        make_missing(engine, tables, line)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _on_a_server(url: str) -> Engine:
    try:
        from cuelight_server.db.postgresql import server_engine  # noqa: PLC0415  an optional extra: SQLite needs none
    except ImportError as missing:
        raise Unavailable(
            f"a PostgreSQL URL is set and its driver is not installed: {missing}",
            "pip install 'cuelight-server[postgres]'",
        ) from missing
    return server_engine(url)
