"""Approvals, releases, what serves where, and the snapshots that said so: against the lines of the decisions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest, digest_bytes
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, label_number, read, with_seal
from cuelight_server.kernel.terms import ReleaseState

_MOVES = (Verb.RELEASE_OPEN, Verb.RELEASE_ROLL_BACK, Verb.PROMPT_SWITCH_OFF)
_ENDED = {Verb.PROMPT_SWITCH_OFF: "switched off", Verb.PROMPT_RETIRE: "retired"}


def approvals(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every yes: by whom, in which role, to exactly what."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(Verb.RELEASE_APPROVE):
        given = {name: one.facts[name] for name in ("environment", "role", "binding", "note")}
        told[(one.facts["id"],)] = {**_version(one), **given, "person": one.actor, "created_at": one.at}
    yield from compare("approval", ("id",), rows, told)


def releases(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every release, the checklist that it was opened with, and how it ended."""
    told: dict[Key, dict[str, Any]] = {}
    live: dict[Key, str | None] = {}
    for one, environment, facts in _moves(log):
        place = (one.subject.partition("@")[0], environment)
        before, live[place] = live.get(place), facts.get("revived")
        if one.verb == Verb.RELEASE_OPEN:
            told[(facts["id"],)] = _opened(one)
            _end(told, before, ReleaseState.SUPERSEDED, one.at, f"superseded by {facts['id']}")
            live[place] = facts["id"]
        elif one.verb == Verb.RELEASE_ROLL_BACK:
            _end(told, facts["release"], ReleaseState.ROLLED_BACK, one.at, one.facts["why"])
            if (live[place],) in told:
                told[(live[place],)].update(_LIVE)
        else:
            words = f"{_ENDED[Verb(one.verb)]}: {one.facts['why']}"
            _end(told, facts["release"], ReleaseState.SUPERSEDED, one.at, words)
    sealed = with_seal(rows, lambda row: digest(json.loads(row["checklist"])))
    yield from compare("release", ("id",), sealed, told)


def deployments(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """What serves where is what the last decision about it left: weights, kill switch, the way back."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one, environment, facts in _moves(log):
        told[(one.subject.partition("@")[0], environment, "")] = {**facts.get("deployment", {}), "since": one.at}
    known = ({**row, "weights": read(row["weights"]), "kill": read(row["kill"])} for row in rows)
    yield from compare("what serves:", ("prompt", "environment", "tenant"), known, told)


def environments(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """The number of the newest snapshot of each environment."""
    newest = {environment: snapshot["version"] for _, environment, snapshot in _published(log)}
    for row in rows:
        wanted = newest.pop(row["name"], 0)
        if row["snapshot_version"] != wanted:
            stored = row["snapshot_version"]
            yield f"environment {row['name']}: its newest snapshot is {stored}, the log tells {wanted}"
    yield from (f"environment {name} is gone; the log tells of it" for name in newest)


def snapshots(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every snapshot is byte for byte the one that its decision published."""
    told = {
        (environment, snapshot["version"]): {
            "digest": snapshot["digest"],
            "sealed": snapshot["digest"],
            "created_at": one.at,
        }
        for one, environment, snapshot in _published(log)
    }
    yield from compare("snapshot", ("environment", "version"), with_seal(rows, _body), told)


_LIVE = {"state": ReleaseState.LIVE.value, "ended_at": None, "ended_why": None}


def _moves(log: Log) -> Iterator[tuple[Event, str, Mapping[str, Any]]]:
    """Every change of what serves: its line, the environment, and what the line tells of it there."""
    for one in log.of(*_MOVES, Verb.PROMPT_RETIRE):
        if one.verb in _MOVES and not one.facts.get("no_op"):
            yield one, one.facts["environment"], one.facts
        elif one.verb == Verb.PROMPT_RETIRE:
            yield from ((one, environment, facts) for environment, facts in one.facts["ended"].items())


def _published(log: Log) -> Iterator[tuple[Event, str, Mapping[str, Any]]]:
    """Every snapshot: the line that published it, its environment, and its version and digest."""
    for one in log.holding("snapshot", "snapshots"):
        if "snapshot" in one.facts:
            yield one, one.facts["environment"], one.facts["snapshot"]
        yield from ((one, environment, told) for environment, told in one.facts.get("snapshots", {}).items())


def _version(one: Event) -> dict[str, Any]:
    prompt, _, label = one.subject.rpartition("@")
    return {"prompt": prompt, "number": label_number(label)}


def _opened(one: Event) -> dict[str, Any]:
    previous = one.facts["previous"]
    sealed = {"sealed": one.facts["checklist"]} if "checklist" in one.facts else {}
    return {
        **_version(one),
        "environment": one.facts["environment"],
        "previous": label_number(previous) if previous else None,
        "binding": one.facts["binding"],
        "note": one.facts["note"],
        "actor": one.actor,
        "created_at": one.at,
        **sealed,
        **_LIVE,
    }


def _end(told: dict[Key, dict[str, Any]], id: str | None, state: ReleaseState, at: str, why: str) -> None:
    if (id,) in told:
        told[(id,)].update(state=state.value, ended_at=at, ended_why=why)


def _body(row: Row) -> str:
    body = row["body"]
    return digest_bytes(body.encode() if isinstance(body, str) else body)
