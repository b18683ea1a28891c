"""Proposals to change what governs, the yes to them, and places in a workflow: against their lines."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, with_seal
from cuelight_server.governance.model import AUDITOR, EVERYWHERE, RECEIVER, State
from cuelight_server.kernel.terms import Member

_ENDS = {
    Verb.GOVERNANCE_WITHDRAW: State.WITHDRAWN,
    Verb.GOVERNANCE_DECLINE: State.DECLINED,
    Verb.HANDOVER_DECLINE: State.DECLINED,
    Verb.GOVERNANCE_APPLY: State.IN_FORCE,
}
_PLACES = (
    *(Verb.WORKFLOW_CREATE, Verb.MEMBER_ADMIT, Verb.MEMBER_DISMISS),
    *(Verb.AUDITOR_APPOINT, Verb.AUDITOR_DISMISS),
)
_OPEN = {"state": State.OPEN.value, "ended_at": None, "ended_by": None, "ended_why": None}
_MADE = ("kind", "base", "base_revision", "binding", "sealed", "note", "receiver")


def proposals(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every proposal: from what to what, by whom, and how it ended."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(Verb.GOVERNANCE_PROPOSE, Verb.HANDOVER_OFFER, *_ENDS):
        if one.verb in (Verb.GOVERNANCE_PROPOSE, Verb.HANDOVER_OFFER):
            _end(told, one.facts.get("replaces"), State.REPLACED, one, f"replaced by {one.facts['proposal']}")
            made = {name: one.facts[name] for name in _MADE}
            line = {"workflow": one.subject, "author": one.actor, "created_at": one.at, **_OPEN}
            told[(one.facts["proposal"],)] = {**made, **line}
        else:
            state = _ENDS[Verb(one.verb)]
            why = f"revision {one.facts['revision']}" if state is State.IN_FORCE else one.facts["why"]
            _end(told, one.facts["proposal"], state, one, why)
    yield from compare("proposal", ("id",), with_seal(rows, lambda row: digest(json.loads(row["document"]))), told)


def consents(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every yes to a proposal: by whom, and in which role."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(Verb.GOVERNANCE_APPROVE, Verb.HANDOVER_ACCEPT):
        role = RECEIVER if one.verb == Verb.HANDOVER_ACCEPT else one.facts["role"]
        line = {"proposal": one.facts["proposal"], "role": role, "note": one.facts["note"]}
        told[(one.facts["id"],)] = {**line, "person": one.actor, "created_at": one.at}
    yield from compare("consent", ("id",), rows, told)


def memberships(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every place in a workflow, and who gave it."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(*_PLACES):
        given = {"granted_by": one.actor, "granted_at": one.at}
        if one.verb == Verb.WORKFLOW_CREATE and "member" in one.facts:
            told[(one.subject, one.facts["member"], Member.MEMBER.value)] = given
        elif one.verb == Verb.MEMBER_ADMIT:
            told[(one.subject, one.facts["account"], one.facts["role"])] = given
        elif one.verb == Verb.MEMBER_DISMISS:
            told.pop((one.subject, one.facts["account"], one.facts["role"]), None)
        elif one.verb == Verb.AUDITOR_APPOINT:
            told[(EVERYWHERE, one.subject, AUDITOR)] = given
        elif one.verb == Verb.AUDITOR_DISMISS:
            told.pop((EVERYWHERE, one.subject, AUDITOR), None)
    yield from compare("place", ("workflow", "account", "role"), rows, told)


def _end(told: dict[Key, dict[str, Any]], id: str | None, state: State, by: Event, why: str) -> None:
    if (id,) in told:
        told[(id,)].update(state=state.value, ended_at=by.at, ended_by=by.actor, ended_why=why)
