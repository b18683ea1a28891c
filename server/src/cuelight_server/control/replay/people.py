"""The desk itself, who is here, and their tokens: against the lines that made them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight_server.audit.model import Event
from cuelight_server.audit.personal import ERASED
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Row, compare
from cuelight_server.kernel.terms import ActorKind

_PUSHES = (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.WORKFLOW_GOVERN)


def desk(log: Sequence[Event], rows: Iterable[Row]) -> Iterator[str]:
    """What the desk was made as: demo or not, local or not; its epoch is that of the last restore."""
    made = dict(next((one.facts for one in log if one.verb == Verb.DESK_CREATE), {}))
    for one in log:
        if one.verb == Verb.DESK_RESTORE:
            made["epoch"] = one.facts["epoch"]["to"]
    yield from compare("desk", ("key",), rows, {(key,): {"value": value} for key, value in made.items()})


def accounts(log: Sequence[Event], rows: Iterable[Row]) -> Iterator[str]:
    """Every account, whether it is an administrator, and whether it is disabled."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log:
        if one.verb in (Verb.ACTOR_ADD, Verb.TOKEN_ISSUE) and "kind" in one.facts:
            known = {name: one.facts[name] for name in ("kind", "name", "admin")}
            if known["name"] == ERASED:
                del known["name"]  # by an erasure, which says what the name is now; otherwise `personal` tells
            told[(one.subject,)] = {**known, "created_at": one.at, "disabled_at": None}
        elif one.verb in _PUSHES:
            brought = {"kind": ActorKind.PERSON.value, "admin": False, "created_at": one.at, "disabled_at": None}
            told |= {(id,): dict(brought) for id in one.facts.get("people", ())}
        elif one.verb == Verb.ACTOR_DISABLE:
            told.setdefault((one.subject,), {})["disabled_at"] = one.at
        elif one.verb == Verb.PERSON_ERASE and (one.subject,) in told:
            told[(one.subject,)]["name"] = one.subject
    yield from compare("account", ("id",), rows, told)


def tokens(log: Sequence[Event], rows: Iterable[Row]) -> Iterator[str]:
    """Every token: whose it is, for what, whether it is revoked, and that its secret is the one that was issued."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log:
        if one.verb == Verb.TOKEN_ISSUE:
            line = {"actor": one.subject, "environment": one.facts["environment"], "created_at": one.at}
            secret = {"secret": one.facts["secret"]} if "secret" in one.facts else {}
            told[(one.facts["token"],)] = {**line, **secret, "revoked_at": None}
        elif one.verb == Verb.TOKEN_REVOKE:
            told.setdefault((one.subject,), {})["revoked_at"] = one.at
    known = ({**row, "secret": digest_bytes(str(row["secret_hash"]).encode(errors="replace"))} for row in rows)
    yield from compare("token", ("id",), known, told)
