"""Blind reviews, their signatures, and what was tried by hand: against the lines that tell of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import UNREADABLE, Key, Log, Row, compare, document, with_seal

_BOUND = {"content": "content_digest", "baseline": "baseline_digest", "suite": "suite_digest"}
_BOUND |= {"evidence": "evidence_digest", "evaluation": "evaluation", "role": "role", "question": "question"}


def reviews(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every review: of which report, which cases were drawn, and the seed that decides who sees what as A."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(Verb.REVIEW_OPEN):
        prompt, _, label = one.subject.rpartition("@")
        line = {column: one.facts[name] for name, column in _BOUND.items()}
        line |= {"prompt": prompt, "label": label, "actor": one.actor, "created_at": one.at}
        told[(one.facts["review"],)] = {**line, "sealed": one.facts["cases"], "seed_digest": one.facts["seed"]}
    sealed = with_seal(rows, lambda row: digest(json.loads(row["cases"])))
    yield from compare("review", ("id",), ({**row, "seed_digest": _seed(row)} for row in sealed), told)


def signatures(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every signature is of exactly the answers that its line tells of."""
    told: dict[Key, Mapping[str, Any]] = {
        (one.facts["review"], one.actor): {"sealed": one.facts["answers"], "signed_at": one.at}
        for one in log.of(Verb.REVIEW_SIGN)
    }
    yield from compare("signed review", ("review", "person"), with_seal(rows, document), told)


def tries(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every try: of which content, and what came of it."""
    told: dict[Key, Mapping[str, Any]] = {}
    for one in log.of(Verb.PROMPT_TRY):
        prompt, _, label = one.subject.rpartition("@")
        line = {"prompt": prompt, "label": label, "content_digest": one.facts["content"], "actor": one.actor}
        line |= {"provider": one.facts["provider"], "recorded": one.facts["recorded"], "created_at": one.at}
        told[(one.facts["tried"],)] = {**line, "sealed": one.facts["sealed"]}
    yield from compare("try", ("id",), with_seal(rows, document), told)


def _seed(row: Row) -> str:
    return digest(row["seed"]) if isinstance(row["seed"], str) else UNREADABLE
