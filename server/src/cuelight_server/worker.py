"""The worker: the clock's face, one thread that runs what waits and ticks what is due."""

import logging
import threading
from collections.abc import Callable, Sequence

from cuelight_server.control import checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.control.evaluation import NOTHING_OUTSIDE, Outside, Providers, Ways, abandon, requeue, run_pending
from cuelight_server.control.failed_sign_ins import write_failed_sign_ins
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.ids import worker_id

Tick = Callable[[Desk], None]
_log = logging.getLogger("cuelight.worker")


class Worker:
    """Runs evaluations one after the other, and every tick once a round: `start`, `wake` when there is work, `stop`.

    A fault in one of them is logged and ends that one, never the worker.
    """

    def __init__(
        self,
        desk: Desk,
        providers: Providers,
        *,
        every_s: float = 1.0,
        ticks: Sequence[Tick] = (),
        outside: Outside = NOTHING_OUTSIDE,
    ) -> None:
        """Make it; `every_s` is the longest sleep in seconds, should nobody call `wake`; `outside` serves graders."""
        self._desk = desk
        self._providers = providers
        self._every_s = every_s
        self._ticks, self._outside = ticks, outside
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._broken = ""
        self._id = worker_id()
        self._thread = threading.Thread(target=self._loop, name="cuelight-worker", daemon=True)

    def start(self) -> None:
        """Begin; what a worker that is gone left behind waits again."""
        self._thread.start()

    def wake(self) -> None:
        """There may be work now."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Ask it to end and wait so long; True when it has. What it was running waits again."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            if not self._round():
                self._wake.wait(self._every_s)

    def _round(self) -> bool:
        """One evaluation and every tick; whether there may be more to do at once."""
        worked = False
        try:
            worked = self._evaluate()
        except Exception as fault:  # noqa: BLE001  a fault ends that evaluation, not the worker
            _log.exception("an evaluation met a fault")
            self._broken = f"{type(fault).__name__}: {fault}"
        for tick in self._ticks:
            self._tick(tick)
        return worked

    def _evaluate(self) -> bool:
        if self._broken:  # first write down what broke last time: the disk may have been full
            abandon(self._desk, self._broken, self._id)
            self._broken = ""
        requeue(self._desk)
        return run_pending(
            self._desk, self._providers, self._stopping.is_set, worker=self._id, ways=Ways(self._outside)
        )

    def _tick(self, tick: Tick) -> None:
        try:
            tick(self._desk)
        except Exception:  # noqa: BLE001  a fault ends that round of the tick, not the worker
            _log.exception("a tick met a fault")


class Courier:
    """A thread of its own for what must not wait for an evaluation: checkpoints, and the lines of failed sign-ins.

    Nothing waits for it either. A fault is logged and ends that round, never the thread.
    """

    def __init__(self, desk: Desk, how: checkpoints.Checkpoints, *, every_s: float = 1.0) -> None:
        """Make it; `every_s` is how long it sleeps between two rounds, in seconds."""
        self._desk = desk
        self._how = how
        self._every_s = every_s
        self._said: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="cuelight-courier", daemon=True)

    def start(self) -> None:
        """Begin with a round at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Ask it to end after one last round, and wait so long; True when it has."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        while True:
            ending = self._stopping.is_set()
            self._round(self._count_all if ending else self._count)
            self._round(self._bring)
            if ending:
                return
            self._stopping.wait(self._every_s)

    def _count(self) -> None:
        write_failed_sign_ins(self._desk)

    def _count_all(self) -> None:
        write_failed_sign_ins(self._desk, all_of_it=True)

    def _bring(self) -> None:
        checkpoints.tick(self._desk, self._how)

    def _round(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CuelightError as refused:
            if refused.message != self._said.get(work.__name__):  # once, not every second
                _log.error("%s; %s", refused.message, refused.hint)
            self._said[work.__name__] = refused.message
        except Exception:  # noqa: BLE001  a fault ends that round, not the thread
            _log.exception("the courier met a fault")
