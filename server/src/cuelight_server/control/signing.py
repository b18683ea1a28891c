"""The key that signs checkpoints: made at the first start, announced in the log, and handed over to the next one."""

from dataclasses import dataclass

from cuelight.contract.note import Note, Verifier, parse_verifier, rotation_text
from cuelight_server.audit.model import SigningKey
from cuelight_server.audit.signing import KeyPlace, Signer
from cuelight_server.audit.store import checkpoints as store
from cuelight_server.audit.store import head
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.db.engine import reading
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Conflict, Unavailable

_SUBJECT = "signing key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The key of a desk that was made of a backup, and whether the one before signed it."""

    signer: Signer
    endorsed: bool


def ensure_key(desk: Desk, place: KeyPlace) -> Signer:
    """The key that signs here now; the first time it is made, kept outside of the database, and announced in the log.

    Unavailable where the key is lost or is another than the log announced; nothing else of the desk needs it.
    """
    announced = _announced(desk)
    if announced is not None and _was_cut_short(place, announced):
        place.take_over()
    signer = place.load()
    if signer is None:
        if announced is not None:
            raise Unavailable(
                f"the signing key {announced.id} is not where it should be",
                "bring it back from its backup, or start anew with `cuelight-server keys rotate --lost`",
            )
        signer = Signer(ids.origin(), ids.signing_seed())
        place.make(signer)
    if announced is None:
        _announce(desk, signer.verifier)
    elif announced.verifier != str(signer.verifier):
        raise Unavailable(
            f"the signing key is {signer.verifier.id}, the log announced {announced.id}",
            "bring the right one back, or hand over with `cuelight-server keys rotate`",
        )
    return signer


def rotate_key(desk: Desk, place: KeyPlace, *, lost: bool = False) -> Verifier:
    """A new key takes over: the old one signs it, a line tells of it, and then it takes the old one's place.

    With `lost` nobody can sign it, and every verifier says so; Conflict where the old key is there after all.
    """
    old, announced = place.load(), _announced(desk)
    if announced is None:
        return ensure_key(desk, place).verifier
    before = parse_verifier(announced.verifier)
    if lost == (old is not None and old.verifier == before):
        raise (Conflict if lost else Unavailable)(
            "the signing key is not lost" if lost else f"the signing key {announced.id} is not where it should be",
            "rotate it without --lost" if lost else "bring it back from its backup, or say --lost",
        )
    new = Signer(before.name, ids.signing_seed())
    endorsement = None if lost or old is None else _endorsed(old, new)
    waiting = place.waiting()
    place.drop_waiting()
    waiting.make(new)
    _hand_over(desk, announced, new.verifier, endorsement)
    place.take_over()
    return new.verifier


def renew_key(desk: Desk, old: Signer | None) -> Renewed | None:
    """A new key for a desk that was made of a backup: the old one goes on signing the history that the backup was taken from.

    The old one signs it where it is at hand; without it every verifier says that nobody did. The caller keeps the key.
    None where no key was ever announced.
    """
    announced = _announced(desk)
    if announced is None:
        return None
    before = parse_verifier(announced.verifier)
    new = Signer(before.name, ids.signing_seed())
    endorsement = _endorsed(old, new) if old is not None and old.verifier == before else None
    _hand_over(desk, announced, new.verifier, endorsement)
    return Renewed(signer=new, endorsed=endorsement is not None)


def _hand_over(desk: Desk, announced: SigningKey, new: Verifier, endorsement: str | None) -> None:
    with act(desk, SYSTEM, Verb.KEY_ROTATE, _SUBJECT, workflow="") as work:
        if (now := store.keys(work.sql)[-1].verifier) != announced.verifier:
            raise Conflict("somebody else rotated the key just now", f"it is {parse_verifier(now).id}")
        _save(work, new, endorsement)
        work.note(previous=announced.id, lost=endorsement is None)


def _was_cut_short(place: KeyPlace, announced: SigningKey) -> bool:
    """Whether a rotation wrote its line and ended before the new key took its place."""
    if place.given is not None or place.file is None:
        return False
    waits = place.waiting().load()
    return waits is not None and str(waits.verifier) == announced.verifier


def _endorsed(old: Signer, new: Signer) -> str:
    text = rotation_text(old.verifier, new.verifier)
    return str(Note(text, (old.signature(text), new.signature(text))))


def _announced(desk: Desk) -> SigningKey | None:
    with reading(desk.registry) as sql:
        found = store.keys(sql)
    return found[-1] if found else None


def _announce(desk: Desk, verifier: Verifier) -> None:
    with act(desk, SYSTEM, Verb.KEY_MAKE, _SUBJECT, workflow="") as work:
        if store.keys(work.sql):
            raise Conflict("another server announced a key just now", "all servers of a desk need the same signing key")
        _save(work, verifier, None)


def _save(work: Work, verifier: Verifier, endorsement: str | None) -> None:
    seq = head(work.sql).size + 1  # the line that this work leaves
    store.save_key(work.sql, SigningKey(seq=seq, id=verifier.id, verifier=str(verifier), endorsement=endorsement))
    work.note(key=verifier.id, verifier=str(verifier), endorsement=endorsement)
