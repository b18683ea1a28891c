"""What was pushed: workflows, prompts, versions, drafts, suites, knowledge, prices and recordings, against its lines."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import (
    Key,
    Log,
    Row,
    Told,
    compare,
    differing,
    document,
    label_number,
    with_seal,
)
from cuelight_server.prompts.bundle import workflow_digest
from cuelight_server.prompts.recordings import shelf_digest

_GOVERNING = (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.WORKFLOW_GOVERN, Verb.GOVERNANCE_APPLY)
_WRITING = (Verb.PROMPT_MINT, Verb.DRAFT_SAVE)


def workflows(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every workflow and the number of its newest revision."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_GOVERNING):
        if "revision" in one.facts:
            known = told.setdefault((one.subject,), {"created_at": one.at})
            known["revision"] = one.facts["revision"]
    yield from compare("workflow", ("name",), rows, told)


def revisions(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every revision of a workflow: owners, tier, rules and authority as they were pushed."""
    told = {
        (one.subject, one.facts["revision"]): _made(one, one.facts["digest"])
        for one in log.of(*_GOVERNING)
        if "revision" in one.facts
    }
    sealed = with_seal(rows, lambda row: workflow_digest(json.loads(row["document"]), json.loads(row["authority"])))
    yield from compare("workflow revision", ("workflow", "revision"), sealed, told)


def prompts(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every prompt was named first by a version or a draft; whether it is retired since."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(*_WRITING, Verb.PROMPT_RETIRE, Verb.PROMPT_REVIVE):
        if one.verb in _WRITING:
            name = one.subject.partition("@")[0]
            told.setdefault((name,), {"workflow": name.partition(".")[0], "created_at": one.at, "retired_at": None})
        else:
            gone = one.verb == Verb.PROMPT_RETIRE
            told.setdefault((one.subject,), {})["retired_at"] = one.at if gone else None
    yield from compare("prompt", ("name",), rows, told)


def versions(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """When each version was minted; the rest of it is looked at by `prompts.verify`."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(Verb.PROMPT_MINT):
        name, _, label = one.subject.rpartition("@")
        told[name, label_number(label)] = {"created_at": one.at}
    for row in rows:
        yield from differing(f"version {row['prompt']}@v{row['number']}", row, told.get(_version_key(row), {}))


def drafts(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every draft as it was saved last; it is gone when a version of its label was minted."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(*_WRITING):
        name, _, label = one.subject.rpartition("@")
        if one.verb == Verb.DRAFT_SAVE:
            known = {"digest": one.facts["digest"], "sealed": one.facts["digest"]}
            told[name, label] = {**known, "author": one.actor, "updated_at": one.at}
        else:
            told.pop((name, label), None)
    sealed = with_seal(rows, lambda row: digest(json.loads(row["content"])))
    yield from compare("draft", ("prompt", "label"), sealed, told)


def contributions(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Who wrote what, also in drafts: nobody approves what they wrote."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(*_WRITING):
        name, _, label = one.subject.rpartition("@")
        told.setdefault((name, one.facts["digest"], one.actor, label), {"at": one.at})
    yield from compare("contribution", ("prompt", "digest", "actor", "label"), rows, told)


def suites(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every suite of test cases, number by number."""
    yield from _numbered("suite", log, rows, Verb.SUITE_PUSH)


def knowledge(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every piece of knowledge, number by number."""
    yield from _numbered("knowledge", log, rows, Verb.KNOWLEDGE_PUSH)


def prices(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every price list, number by number."""
    told = {(one.subject, one.facts["number"]): _made(one, one.facts["digest"]) for one in log.of(Verb.PRICES_PUSH)}
    yield from compare("prices", ("workflow", "number"), with_seal(rows, document), told)


def retired_models(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every model that is no longer offered: who said so, and why."""
    told: Told = {
        (one.subject,): {"actor": one.actor, "why": one.facts["why"], "created_at": one.at}
        for one in log.of(Verb.MODEL_RETIRE)
    }
    yield from compare("retired model", ("model",), rows, told)


def recordings(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """The recordings of each workflow, all together, are those that the last push left."""
    told = {one.subject: one.facts.get("state") for one in log.of(Verb.RECORDING_PUSH)}
    stored: dict[str, list[tuple[str, str, int, str]]] = {name: [] for name in told}
    for row in rows:
        one = (row["content_digest"], row["case_id"], row["sample"], row["document"])
        stored.setdefault(row["workflow"], []).append(one)
    for name, lines in stored.items():
        if name not in told:
            yield f"recordings of {name} are there, and no line of the log tells of them"
        elif told[name] is not None and shelf_digest(lines) != told[name]:
            yield f"recordings of {name} are not those that were pushed"


def _numbered(what: str, log: Log, rows: Iterable[Row], verb: Verb) -> Iterator[str]:
    told: Told = {(*_split(one.subject), one.facts["number"]): _made(one, one.facts["digest"]) for one in log.of(verb)}
    yield from compare(what, ("workflow", "name", "number"), with_seal(rows, document), told)


def _made(one: Event, sealed: str) -> dict[str, Any]:
    return {"digest": sealed, "sealed": sealed, "actor": one.facts.get("author", one.actor), "created_at": one.at}


def _split(subject: str) -> tuple[str, str]:
    workflow, _, name = subject.partition(".")
    return workflow, name


def _version_key(row: Row) -> Key:
    return row["prompt"], row["number"]
