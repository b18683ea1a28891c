"""A store in PostgreSQL: readers see one moment, governed writers stand in a row, operational ones keep to their list."""

import re

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from cuelight_server.db.failures import in_our_words
from cuelight_server.db.transactions import BUSY_TIMEOUT_MS, Intent, intent_of, patience_of
from cuelight_server.kernel.errors import Denied

_POOL_SIZE, _POOL_OVERFLOW, _POOL_TIMEOUT_S = 8, 56, 10
# A writer that waits longer is told so; one that stopped in the middle does not hold up the others for ever.
_SET_UP = f"SET lock_timeout = {BUSY_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = '60s'"
# One statement: say to the guards that this is a governed write, then wait so long for the turn. The lock belongs to the schema.
_TAKE_TURN = (
    "SELECT set_config('cuelight.writes', 'governed', true), "
    "set_config('lock_timeout', '{wait_ms}', true), "
    "pg_advisory_xact_lock(hashtextextended('cuelight ' || current_schema(), 0))"
)
_ROWS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_WAYS_ROUND = re.compile(r";|set_config|U&|^\s*(SELECT|WITH)\b.*\bINTO\b", re.IGNORECASE | re.DOTALL)


def server_engine(url: str) -> Engine:
    """The engine of one store on a PostgreSQL server; nobody is asked before the first use."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_TIMEOUT_S,
        pool_pre_ping=True,  # a server that was restarted costs no request
    )
    event.listen(engine, "connect", lambda raw, _record: _set_up(raw))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _keep_to_rows)
    event.listen(engine, "handle_error", in_our_words, retval=True)
    return engine


def _set_up(raw: "psycopg.Connection[object]") -> None:
    raw.autocommit = True
    raw.execute(_SET_UP)
    raw.autocommit = False


def _begin(sql: Connection) -> None:
    """Reading is REPEATABLE READ, READ ONLY; for writing an administrator's default_transaction_read_only counts."""
    intent = intent_of(sql)
    driver = sql.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101  this engine has one driver
    driver.read_only = True if intent is Intent.READ else None
    driver.isolation_level = IsolationLevel.REPEATABLE_READ if intent is Intent.READ else IsolationLevel.READ_COMMITTED
    if intent is Intent.WRITE:
        sql.exec_driver_sql(_TAKE_TURN.format(wait_ms=patience_of(sql)))


def _keep_to_rows(sql: Connection, _cursor: object, statement: str, *_more: object) -> None:
    """The guards on the tables refuse rows; what is more than rows (DDL, settings) is refused before it is sent."""
    if intent_of(sql) is Intent.OPERATIONAL and (not _ROWS.match(statement) or _WAYS_ROUND.search(statement)):
        raise Denied("an operational write is rows and nothing else", "use act() in control/door.py")
