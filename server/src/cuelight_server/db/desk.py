"""A data folder, open, and what it says about itself: written once, when the desk is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, insert, select, update

from cuelight_server.db.schema import desk, environment
from cuelight_server.db.tally import Tally
from cuelight_server.kernel.clock import Clock
from cuelight_server.kernel.ids import NewId


@dataclass(frozen=True, slots=True)
class FailedSignIn:
    """Who could not get in: what was wrong, the account where there is one, and where it came from (an address)."""

    kind: str
    who: str | None
    source: str


OTHERS = FailedSignIn("various", None, "")  # what is counted together when there are too many at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One data folder, open.

    `demo` and `local` were settled when the desk was made: a demo may release on recorded outputs and says so
    everywhere; what a local desk finds never opens a gate. `epoch` tells a restored desk from the one before.
    """

    registry: Engine
    calls: Engine
    clock: Clock
    new_id: NewId
    demo: bool
    local: bool
    epoch: str
    missing: tuple[str, ...] = ()  # triggers that were gone when it was opened: somebody took them out
    failed: Tally[FailedSignIn] = field(default_factory=lambda: Tally(OTHERS))

    def close(self) -> None:
        """Close every connection to both files."""
        self.registry.dispose()
        self.calls.dispose()


def save(sql: Connection, facts: Mapping[str, str], environments: Iterable[str]) -> None:
    """Write the facts of a new desk and its environments, each with an empty history. Conflict if it is one already."""
    sql.execute(insert(desk), [{"key": key, "value": value} for key, value in facts.items()])
    sql.execute(insert(environment), [{"name": name, "snapshot_version": 0} for name in environments])


def change_epoch(sql: Connection, epoch: str) -> None:
    """The desk was restored from a backup: from now on it is another one to its clients."""
    sql.execute(update(desk).where(desk.c.key == "epoch").values(value=epoch))


def load(sql: Connection) -> dict[str, str]:
    """The facts of the desk; empty when it was never finished."""
    return {row.key: row.value for row in sql.execute(select(desk))}
