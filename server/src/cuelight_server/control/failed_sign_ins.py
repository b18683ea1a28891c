"""Failed sign-ins leave a line too: counted in memory and written once a minute, so that nobody can fill the log."""

from datetime import datetime, timedelta

from cuelight_server.audit.model import SIGN_IN_FAILED, STRANGER
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.db.desk import FailedSignIn
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import CuelightError

_LONGEST = 100


def note_failed_sign_in(desk: Desk, kind: str, who: str | None, source: str) -> None:
    """Somebody did not get in: `kind` says why (`password`, `token unknown`, ...), `source` from which address.

    `who` is the id of an account that is there, and None otherwise: what a stranger typed may be a password in the
    wrong field, so it is never kept. This only counts; at most 33 lines a minute come of it, whatever happens.
    """
    desk.failed.add(FailedSignIn(kind[:_LONGEST], who, source[:_LONGEST]), desk.clock())


def write_failed_sign_ins(desk: Desk, *, all_of_it: bool = False) -> int:
    """Write a line for each kind, account and source of every minute that is over; how many lines.

    `all_of_it` also writes the minute that is still going on, at the end of a server. What cannot be written waits.
    """
    counted = desk.failed.take(desk.clock() + timedelta(minutes=1 if all_of_it else 0))
    for done, (minute, one, count) in enumerate(counted):
        try:
            _write(desk, minute, one, count)
        except CuelightError:
            desk.failed.put_back(counted[done:])
            raise
    return len(counted)


def _write(desk: Desk, minute: datetime, one: FailedSignIn, count: int) -> None:
    with act(desk, SYSTEM, Verb.SIGN_IN_FAIL, SIGN_IN_FAILED, workflow="") as work:
        work.note(kind=one.kind, who=one.who, count=count, minute=rfc3339(minute))
        if one.source:
            work.personal(one.who or STRANGER, source=one.source)
