"""Erasing what is known of a person beside their id: the log and its proofs stay as they are."""

from cuelight_server.access import store as access
from cuelight_server.audit.model import STRANGER
from cuelight_server.audit.store import personal
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, NotFound


def erase_person(desk: Desk, actor: Actor, person: str) -> int:
    """Take away every text about the person: their name, their e-mail address, addresses that signed in as them; how many texts there were.

    Who they are at the sign-in provider is forgotten with that.

    Their id stays as a pseudonym in what they did. `-` stands for strangers: the addresses of failed sign-ins that
    named nobody who is here. Blocked for somebody who may still come in; NotFound for an id that is nobody's.
    """
    with act(desk, actor, Verb.PERSON_ERASE, person, workflow="") as work:
        account = access.account(work.sql, person)
        if account is None and person != STRANGER:
            raise NotFound(f"there is no {person}", "see who is here: `cuelight-server user list`")
        if account is not None and account.disabled_at is None:
            raise Blocked(f"{person} may still come in", f"first: `cuelight-server user disable {person}`")
        texts = personal.erase(work.sql, person)
        if account is not None:
            access.forget_name(work.sql, person)
            access.forget_email(work.sql, person)
            access.forget_identities(work.sql, person)
        work.note(texts=texts)
    return texts
