"""The desk itself, who is here, and what lets them in: against the lines that made them."""

from collections.abc import Iterable, Iterator
from typing import Any

from cuelight_server.audit.personal import ERASED
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, read, sealed
from cuelight_server.kernel.terms import ActorKind

_ADDS = (Verb.ACTOR_ADD, Verb.TOKEN_ISSUE, Verb.INVITATION_ACCEPT, Verb.TRUST_ADD)
_ISSUES = (Verb.TOKEN_ISSUE, Verb.TOKEN_ISSUE_OWN, Verb.TOKEN_EXCHANGE)
_ADMINS = (Verb.ADMIN_APPOINT, Verb.ADMIN_DISMISS)
_MERGES = (Verb.ACTOR_LINK, Verb.EMAIL_VERIFY, Verb.IDENTITY_CONNECT)
_LINKS = (Verb.INVITATION_ISSUE, Verb.INVITATION_ACCEPT)
_PUSHES = (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.WORKFLOW_GOVERN)


# What a key was before there were scopes and ends: lines of that time do not tell of them.
_KEYS_AT_FIRST: dict[str, Any] = {"scopes": None, "expires_at": None, "label": ""}


def desk(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """What the desk was made as: demo or not, local or not; its epoch is that of the last restore."""
    made = dict(next((one.facts for one in log.of(Verb.DESK_CREATE)), {}))
    for one in log.of(Verb.DESK_RESTORE):
        made["epoch"] = one.facts["epoch"]["to"]
    yield from compare("desk", ("key",), rows, {(key,): {"value": value} for key, value in made.items()})


def accounts(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every account, whether it is an administrator, whether it is disabled, and which person it belongs to."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_ADDS, *_PUSHES, *_ADMINS, *_MERGES, Verb.ACTOR_DISABLE, Verb.PERSON_ERASE):
        if one.verb in _ADDS and "kind" in one.facts:
            known = {name: one.facts[name] for name in ("kind", "name", "admin")}
            if known["name"] == ERASED:
                del known["name"]  # by an erasure, which says what the name is now; otherwise `personal` tells
            told[(one.subject,)] = {**known, "created_at": one.at, "disabled_at": None, "person": None}
        elif one.verb in _PUSHES:
            brought = {"kind": ActorKind.PERSON.value, "admin": False, "created_at": one.at, "disabled_at": None}
            told |= {(id,): {**brought, "person": None} for id in one.facts.get("people", ())}
        elif one.verb == Verb.ACTOR_DISABLE:
            told.setdefault((one.subject,), {})["disabled_at"] = one.at
        elif one.verb == Verb.PERSON_ERASE and (one.subject,) in told:
            told[(one.subject,)]["name"] = one.subject
        elif one.verb in _ADMINS:
            told.setdefault((one.subject,), {})["admin"] = one.verb == Verb.ADMIN_APPOINT
        for id in one.facts.get("accounts", ()) if one.verb in _MERGES else ():
            told.setdefault((id,), {})["person"] = one.facts["person"]
    yield from compare("account", ("id",), rows, told)


def tokens(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every key: whose it is, for what, until when, whether it is revoked, and that its secret is the one issued."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_ISSUES, Verb.TOKEN_REVOKE, Verb.TOKEN_REVOKE_OWN):
        if one.verb in _ISSUES:
            line = _KEYS_AT_FIRST | {name: one.facts[name] for name in ("environment", "secret")}
            line |= {name: one.facts[name] for name in _KEYS_AT_FIRST if name in one.facts}
            told[(one.facts["token"],)] = {**line, "actor": one.subject, "created_at": one.at, "revoked_at": None}
        else:
            told.setdefault((one.subject,), {})["revoked_at"] = one.at
    known = ({**row, "secret": sealed(row["secret_hash"]), "scopes": read(row["scopes"])} for row in rows)
    yield from compare("token", ("id",), known, told)


def passwords(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every password is the one that its person set last."""
    told: dict[Key, dict[str, Any]] = {
        (one.subject,): {"secret": one.facts["password"], "changed_at": one.at}
        for one in log.of(Verb.INVITATION_ACCEPT, Verb.PASSWORD_CHANGE)
    }
    yield from compare("password of", ("actor",), ({**row, "secret": sealed(row["hash"])} for row in rows), told)


def emails(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every e-mail address is the one that somebody vouched for last, and gone where it was erased."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(Verb.EMAIL_VERIFY, Verb.PERSON_ERASE):
        if one.verb == Verb.EMAIL_VERIFY:
            told[(one.subject,)] = {"sealed": one.facts["address"], "verified_at": one.at}
        else:
            told.pop((one.subject,), None)
    known = ({**row, "sealed": sealed(f"{row['salt']}:{row['address']}")} for row in rows)
    yield from compare("e-mail of", ("actor",), known, told)


def invitations(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every one-time link: for whom, until when, and whether it is over."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_LINKS):
        for id in one.facts.get("ended", ()):
            told.setdefault((id,), {})["ended_at"] = one.at
        if one.verb == Verb.INVITATION_ISSUE:
            line = {name: one.facts[name] for name in ("purpose", "expires_at", "secret")}
            whom = None if line["purpose"] == "owner" else one.subject
            told[(one.facts["invitation"],)] = {**line, "actor": whom, "created_at": one.at, "ended_at": None}
    known = ({**row, "secret": sealed(row["secret_hash"])} for row in rows)
    yield from compare("invitation", ("id",), known, told)
