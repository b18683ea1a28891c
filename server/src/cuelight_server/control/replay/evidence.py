"""Evaluations and their outputs, against the lines that asked for them and wrote down how they ended."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, with_seal
from cuelight_server.evaluation.report import evidence
from cuelight_server.evaluation.seal import Output, results_digest

_WRONG = "evaluation {}: its outputs are not those that it ended with"
_OPEN = {"verdict": None, "evidence_digest": None, "sealed": None, "told_verdict": None, "finished_at": None}


def evaluations(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every evaluation: of what, on which suite, how it ended, and that its report is the evidence that was noted."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(Verb.EVALUATION_RUN, Verb.EVALUATION_CANCEL, Verb.EVALUATION_FINISH):
        if one.verb == Verb.EVALUATION_RUN:
            told[(one.facts["evaluation"],)] = {**_asked(one), **_OPEN}
        elif one.verb == Verb.EVALUATION_CANCEL:
            by = {"cancelled_by": one.actor, "cancelled_at": one.at}
            told.setdefault((one.facts["evaluation"],), {}).update(by)
        else:
            told.setdefault((one.facts["evaluation"],), {}).update(_ended(one))
    yield from compare("evaluation", ("id",), with_seal(map(_read, rows), _evidence), told)


def results(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """The outputs of every finished evaluation are those that it ended with."""
    told = {one.facts["evaluation"]: one.facts.get("results") for one in log.of(Verb.EVALUATION_FINISH)}
    for id, stored in groupby(
        rows, lambda row: row["evaluation"]
    ):  # the key begins with it, and rows come by their key
        outputs, wanted = [_output(row) for row in stored], told.pop(id, None)
        read = [one for one in outputs if one is not None]
        if wanted is not None and (len(read) < len(outputs) or results_digest(read) != wanted):
            yield _WRONG.format(id)
    yield from (_WRONG.format(id) for id, wanted in told.items() if wanted not in (None, results_digest(())))


def _output(row: Row) -> Output | None:
    try:
        return row["arm"], row["case_id"], row["sample"], row["passed"], json.loads(row["document"])
    except (ValueError, TypeError, RecursionError):
        return None


def _asked(one: Event) -> dict[str, Any]:
    prompt, _, label = one.subject.rpartition("@")
    return {
        "prompt": prompt,
        "label": label,
        "content_digest": one.facts["content"],
        "suite_digest": one.facts["suite"],
        "provider": one.facts["provider"],
        "baseline_digest": one.facts["baseline"],
        "actor": one.actor,
        "created_at": one.at,
        "plan": one.facts.get("plan"),
        "cancelled_by": None,
        "cancelled_at": None,
    }


def _ended(one: Event) -> dict[str, Any]:
    return {
        "state": one.facts["state"],
        "verdict": one.facts["verdict"],
        "told_verdict": one.facts["verdict"],
        "evidence_digest": one.facts["evidence"],
        "sealed": one.facts["evidence"],
        "finished_at": one.at,
    }


def _read(row: Row) -> Row:
    """With the verdict that stands in the report."""
    try:
        told = json.loads(row["report"])["verdict"] if row["report"] is not None else None
    except (LookupError, TypeError, ValueError, RecursionError):
        told = "unreadable"
    return {**row, "told_verdict": told}


def _evidence(row: Row) -> str | None:
    return digest(evidence(json.loads(row["report"]))) if row["report"] is not None else None
