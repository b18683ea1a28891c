"""A PostgreSQL server of the test session's own, and places in it: a schema for each desk, swept and used again."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql as words

from cuelight_server.db.engine import Databases

USER = "postgres"  # a server does not run as root
_SETTINGS = {
    "fsync": "off",  # what a crash of the machine would lose is no test's business here
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "jit": "off",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
    "timezone": "Asia/Kathmandu",  # nothing may lean on the server's time zone
}


def programs() -> Path | None:
    """The folder with initdb and postgres, or None on a machine that has none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def server(**settings: str) -> Iterator[str]:
    """A running server with an empty data folder; yields the URL of its database, without a driver's name.

    Its language orders words differently than their code points do, so that an ORDER BY that forgot to say so shows.
    """
    with durable(**settings) as made:
        yield made.url


@contextlib.contextmanager
def durable(**settings: str) -> Iterator["Server"]:
    """The same, to be killed and started again: `durable(fsync="on", synchronous_commit="on")` keeps what it promised."""
    home = Path(tempfile.mkdtemp(prefix="cuelight-pg-"))
    made = Server(home, _SETTINGS | settings)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


class Server:
    """One PostgreSQL server: its data folder, its port, its process."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        bin_ = programs()
        assert bin_ is not None
        self.home, self.program = home, bin_ / "postgres"
        self.who = USER if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            shutil.chown(home, USER)
        language = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
        made = [bin_ / "initdb", "-D", home / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", *language]
        subprocess.run(made, check=True, capture_output=True, **_as(self.who))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.url = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres?sslmode=disable&gssencmode=disable"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        self.process = subprocess.Popen(
            [self.program, "-D", self.home / "data", "-p", str(self.port), *self.options],
            stdout=subprocess.DEVNULL,
            stderr=(self.home / "log").open("ab"),
            **_as(self.who),
        )
        _wait(self.process, self.url, self.home / "log")

    def crash(self) -> None:
        """At once, without tidying up (SIGQUIT, `pg_ctl stop -m immediate`): the next start goes through the log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)

    def stop(self) -> None:
        """In good order, and then whoever still holds a connection loses it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


def _as(who: str) -> dict[str, str]:
    return {"user": who} if os.geteuid() == 0 else {}


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=5).close()
            return
        if process.poll() is not None:
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


class Places:
    """Schemas for desks. A used one is swept and given again: its tables stay, which is quicker than making them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.raw = psycopg.connect(url, autocommit=True)
        self.raw.execute("SET session_replication_role = replica")  # no trigger and no key stands in the broom's way
        self.raw.execute("SET lock_timeout = '2s'; SET client_min_messages = warning")
        self.free: list[str] = []
        self.count = 0

    def take(self) -> str:
        """The name of a schema with no row in it."""
        return self.free.pop() if self.free else self.new()

    def new(self) -> str:
        """The name of a schema with no table in it."""
        self.count += 1
        name = f"desk_{self.count}"
        self.raw.execute(words.SQL("CREATE SCHEMA {}").format(words.Identifier(name)))
        return name

    def databases(self, schema: str) -> Databases:
        """Both stores of a desk in this schema."""
        url = f"{self.url.replace('postgresql:', 'postgresql+psycopg:')}&options=-csearch_path%3D{schema}"
        return Databases(registry=url, calls=url)

    def give_back(self, schema: str) -> None:
        """Sweep it; one that cannot be swept (somebody still holds it, or it was rebuilt) is thrown away."""
        try:
            self.raw.execute(_SWEEP.replace("PLACE", schema))
        except psycopg.Error:
            self.throw_away(schema)
        else:
            self.free.append(schema)

    def throw_away(self, schema: str) -> None:
        """For a test that changed the tables themselves."""
        with contextlib.suppress(psycopg.Error):  # held by a connection that somebody left open: nobody gets it again
            self.raw.execute(words.SQL("DROP SCHEMA {} CASCADE").format(words.Identifier(schema)))

    def close(self) -> None:
        self.raw.close()


_SWEEP = """
DO $$
DECLARE one name;
BEGIN
    FOR one IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'PLACE' AND c.relkind = 'r' AND c.relname NOT LIKE 'alembic_version%'
    LOOP
        EXECUTE format('DELETE FROM PLACE.%I', one);
    END LOOP;
END $$
"""
