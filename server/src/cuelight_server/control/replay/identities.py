"""Who somebody is elsewhere, and which pipelines are trusted: against the lines that made them."""

from collections.abc import Iterable, Iterator
from typing import Any

from cuelight_server.access.oidc import AUDITOR
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, read, sealed

_LINKS = (Verb.IDENTITY_LINK, Verb.IDENTITY_CONNECT, Verb.ACTOR_ADD)
_GROUPS = (Verb.ADMIN_APPOINT, Verb.ADMIN_DISMISS, Verb.AUDITOR_APPOINT, Verb.AUDITOR_DISMISS)
_NEW = {"ended_at": None, "last_used_at": None}
_TRUST = ("issuer", "audience", "conditions", "scopes", "environment", "minutes")


def identities(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every identity by its digest: whose it is, since when, and what its groups gave."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_LINKS, *_GROUPS, Verb.IDENTITY_UNLINK, Verb.PERSON_ERASE):
        key = (one.facts.get("identity"),)
        if one.verb in _LINKS and "identity" in one.facts:
            told[key] = {"actor": one.subject, "linked_at": one.at, "gave": []}
        elif one.verb in _GROUPS and "identity" in one.facts:
            told.setdefault(key, {})["gave"] = one.facts["gave"]
        elif one.verb == Verb.AUDITOR_DISMISS:
            for gone in one.facts.get("withdrawn", ()):
                row = told.setdefault((gone,), {})
                row["gave"] = [what for what in row.get("gave", ()) if what != AUDITOR]
        elif one.verb == Verb.IDENTITY_UNLINK:
            told.pop(key, None)
        elif one.verb == Verb.PERSON_ERASE:
            told = {known: row for known, row in told.items() if row.get("actor") != one.subject}
    known = ({**row, "sealed": _sealed(row), "gave": read(row["gave"])} for row in rows)
    yield from compare("identity", ("sealed",), known, told)


def trusts(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every trust: for which account, in whom, on which conditions, for what, when it was used, and whether it is over."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(Verb.TRUST_ADD, Verb.TRUST_END, Verb.TOKEN_EXCHANGE):
        if one.verb == Verb.TRUST_ADD:
            line = {name: one.facts[name] for name in _TRUST}
            told[(one.facts["trust"],)] = {**line, "actor": one.subject, "created_at": one.at, **_NEW}
        elif one.verb == Verb.TRUST_END:
            told.setdefault((one.subject,), {})["ended_at"] = one.at
        elif one.verb == Verb.TOKEN_EXCHANGE:
            told.setdefault((one.facts["trust"],), {})["last_used_at"] = one.at
    known = ({**row, "conditions": read(row["conditions"]), "scopes": read(row["scopes"])} for row in rows)
    yield from compare("trust", ("id",), known, told)


def _sealed(row: Row) -> str:
    return sealed(f"{row['salt']}:{row['issuer']}:{row['subject']}")
