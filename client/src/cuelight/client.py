"""The client: prompts are resolved and rendered from memory, whatever the network does; a thread keeps memory fresh."""

import atexit
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Self

from cuelight.cache import DiskCopy, default_folder
from cuelight.call import Compiled, Prompt
from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Invalid, Unavailable
from cuelight.contract.snapshot import Reason, Resolution
from cuelight.refresh import Held, Memory, Refresher, Source, read
from cuelight.tracing import CallLog
from cuelight.transport import HttpTransport, Transport

DEFAULT_URL = "http://127.0.0.1:7080"
_MOST_COMPILED = 1000
_CLOSE_SECONDS = 2.0
_log = logging.getLogger("cuelight")


class Client:
    """Managed prompts for one environment, the one of the app key. Make one per process and use it from any thread.

    A forked child goes on with the same snapshot and threads of its own; calls that wait to be sent stay with the parent.
    """

    def __init__(  # noqa: PLR0913 - the settings of a client, each with a default
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        bundled: str | os.PathLike[str] | None = None,
        refresh_seconds: float = 2.0,
        app: str = "",
        ready_timeout: float = 5.0,
        fresh_timeout: float = 1.0,
        transport: Transport | None = None,
        queue_size: int = 10_000,
    ) -> None:
        """Start; nothing here waits for the network.

        `url` and `key` default to CUELIGHT_URL and CUELIGHT_KEY. `cache_dir` holds the disk copy (default: the user's
        cache folder; "" = none). `bundled` is a snapshot file shipped with the app: the body of GET
        /runtime/v1/snapshot. `app` names the app to the desk. The first answers wait up to `ready_timeout` seconds for
        a snapshot while there is none, and up to `fresh_timeout` for the desk while there is only a disk copy or a
        bundle: a process that starts after a rollback must not begin with what was taken back. 0 serves the copy at
        once. Without a key and a transport the client works from `bundled` alone. Invalid where `url`, `key` or
        `bundled` cannot be used.
        """
        self._url = url or os.environ.get("CUELIGHT_URL") or DEFAULT_URL
        key = key or os.environ.get("CUELIGHT_KEY") or ""
        self._transport = transport or (HttpTransport(self._url, key) if key else None)
        self._app, self._every, self._queue_size = app, refresh_seconds, queue_size
        self._ready_timeout, self._fresh_timeout, self._bundled = ready_timeout, fresh_timeout, bundled
        folder = default_folder() if cache_dir is None else os.fspath(cache_dir)
        self._disk = DiskCopy(folder, self._url, key) if folder and self._transport is not None else None
        self._compiled: dict[str, Compiled] = {}
        self._memory = Memory()
        self._start_from_disk()
        self._start()
        _outlive(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prompt(
        self,
        name: str,
        key: str | None = None,
        tenant: str = "",
        experiment: str | None = None,
        fallback: Mapping[str, Any] | None = None,
    ) -> Prompt:
        """The version of `name` that this request is served, from memory.

        `key` is what sticks to a version: a conversation, session, user or tenant. `fallback` is a content document of
        the app's own, used only while there is no snapshot at all. NotFound where nothing is live, Denied after the app
        key was revoked, Unavailable where there is neither snapshot nor fallback.
        """
        memory = self._memory
        held = memory.held
        if held is not None and not memory.asked:
            memory.wait_asked(self._fresh_until - time.monotonic())
            held = memory.held
        if held is None:
            memory.wait(self._ready_until - time.monotonic())
            held = memory.held
        if memory.denied is not None:
            raise memory.denied
        if held is None:
            return self._without_snapshot(name, key, tenant, fallback)
        resolution = held.snapshot.resolve(name, key, tenant=tenant, experiment=experiment)
        compiled = self._compiled.get(resolution.digest or "")
        if compiled is None and resolution.version is not None:
            compiled = self._compile(held, resolution)
        age = None if held.confirmed is None else time.monotonic() - held.confirmed
        return Prompt(resolution, held, compiled, (key, tenant), held.source, age, self._keep)

    @property
    def dropped(self) -> int:
        """How many calls were not recorded, because the queue was full or the server did not take them."""
        return self._calls.dropped

    def status(self) -> dict[str, Any]:
        """What this client serves and how it fares, as JSON."""
        held, error = self._memory.held, self._memory.error
        return {
            "client": self._who["client"],
            "app": self._app,
            "environment": held.snapshot.environment if held else None,
            "epoch": held.snapshot.epoch if held else None,
            "version": held.snapshot.version if held else None,
            "digest": held.digest if held else None,
            "source": held.source.value if held else None,
            "age_s": time.monotonic() - held.confirmed if held and held.confirmed is not None else None,
            "revoked": self._memory.denied is not None,
            "error": error.to_json() if error else None,
            "calls_waiting": self._calls.waiting,
            "calls_dropped": self._calls.dropped,
        }

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Send the calls that wait and say goodbye, for at most so many seconds, and end. Resolving still works."""
        until = time.monotonic() + seconds
        self._refresher.stop.set()
        self._calls.close(seconds)
        self._refresher.end(until - time.monotonic())
        if self._transport is not None:
            self._transport.close()

    def _start(self) -> None:
        """Threads, queue and name of this process; again in a forked child."""
        self._ready_until = time.monotonic() + self._ready_timeout
        self._fresh_until = time.monotonic() + self._fresh_timeout
        host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "host")
        name = f"{host[:40]}-{os.getpid()}-{os.urandom(4).hex()}"
        self._who = {"client": name, "app": self._app}
        transport = self._transport or _Nowhere()
        clock, draw = time.monotonic, random.random
        self._refresher = Refresher(self._memory, transport, self._disk, self._who, self._every, clock, draw)
        self._calls = CallLog(transport, draw, most=self._queue_size)
        if self._transport is None:
            self._ready_until = self._fresh_until = 0.0
            return
        self._refresher.start()
        self._calls.start()

    def _start_from_disk(self) -> None:
        copy = self._disk.load() if self._disk is not None else None
        try:
            if copy is not None:
                age = max(0.0, time.time() - copy.confirmed)
                held = Held(read(copy.body, copy.digest), copy.digest, Source.DISK, time.monotonic() - age)
                self._memory.serve(held)
                return
        except Invalid as bad:
            _log.warning("cuelight cannot use its disk copy: %s", bad.message)
        if self._bundled is not None:
            self._memory.serve(_read_bundle(self._bundled))

    def _without_snapshot(self, name: str, key: str | None, tenant: str, fallback: Mapping[str, Any] | None) -> Prompt:
        if fallback is None:
            why = self._memory.error.message if self._memory.error else "it has not answered yet"
            if self._transport is None:
                why = "there is no app key"
            raise Unavailable(
                f"there is no snapshot to serve {name} from: {why}",
                "set CUELIGHT_URL and CUELIGHT_KEY, ship a snapshot with bundled=, or pass fallback=",
            )
        _log.warning("cuelight: %s is served from the caller's fallback", name)
        compiled = Compiled(fallback, None)
        resolution = Resolution(name, None, compiled.content.digest, Reason.FALLBACK)
        return Prompt(resolution, None, compiled, (key, tenant), Source.FALLBACK, None, self._keep)

    def _compile(self, held: Held, resolution: Resolution) -> Compiled:
        """Compile once for each digest. Two threads may do it at the same time; both get the same thing."""
        version, digest = str(resolution.version), str(resolution.digest)
        if len(self._compiled) >= _MOST_COMPILED:
            self._compiled.clear()
        made = Compiled(held.snapshot.content(resolution.prompt, version), digest)
        self._compiled[digest] = made
        return made

    def _keep(self, call: str) -> None:
        self._calls.add(call)


class _Nowhere:
    """The transport of a client without a server: it has only what was bundled."""

    def snapshot(self, digest: str) -> None:
        """Nothing newer, ever."""

    def acknowledge(self, ack: Mapping[str, Any]) -> None:
        """Nobody listens."""

    def record(self, calls: Sequence[str]) -> None:
        """Calls wait, are counted when they are dropped, and go nowhere."""
        raise Unavailable(f"{len(calls)} calls wait, and there is no server to send them to")

    def close(self) -> None:
        """Nothing to let go of."""


def _read_bundle(path: str | os.PathLike[str]) -> Held:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs 3 ms to load
            body = file.read()
    except OSError as bad:
        raise Invalid(f"the bundled snapshot {os.fspath(path)} cannot be read", "check bundled=") from bad
    digest = digest_bytes(body)
    return Held(read(body, digest), digest, Source.BUNDLED, None)


def _outlive(client: Client) -> None:
    """Let a client restart in a forked child, and send its last calls when the process ends."""
    here = weakref.ref(client)

    def in_child() -> None:
        if (alive := here()) is not None:
            alive._start()  # noqa: SLF001 - the client's own business, done by a weak reference

    def at_exit() -> None:
        if (alive := here()) is not None and threading.main_thread() is threading.current_thread():
            alive.close(1.0)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)
    atexit.register(at_exit)
