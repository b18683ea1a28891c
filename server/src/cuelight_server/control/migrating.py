"""Bringing an older desk up to this server, with a line in its log that says so."""

from pathlib import Path

from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.door import tell
from cuelight_server.db import migrating
from cuelight_server.db.engine import FILES, Connection, Databases
from cuelight_server.db.migrations import TODAY, Line
from cuelight_server.kernel.clock import Clock, system_clock


def migrate(folder: Path, databases: Databases = FILES, *, clock: Clock = system_clock, line: Line = TODAY) -> None:
    """Bring both stores to the newest revision; the registry's transaction also writes the line, or nothing of it is done.

    Tables in which no desk was made yet have no log, and get no line.
    """

    def told(sql: Connection, before: str, after: str) -> None:
        if audit.head(sql).size:
            tell(sql, clock, Verb.DESK_MIGRATE, "desk", {"from": before, "to": after})

    migrating.migrate(folder, databases, line, told)
