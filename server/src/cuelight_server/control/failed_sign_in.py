"""That somebody did not get in, as a line of the log."""

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.kernel.actor import SYSTEM


def note_failed_sign_in(desk: Desk, kind: str, who: str | None, source: str) -> None:
    """One line: `kind` is how it was tried (password, link), `who` the id of an account that is there, else None.

    Whatever else was typed is never written: it may be a password in the wrong field.
    """
    with act(desk, SYSTEM, Verb.SIGN_IN_FAIL, "sign-in", workflow="") as work:
        work.note(kind=kind, who=who, source=source)
