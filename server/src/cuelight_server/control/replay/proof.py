"""What stands beside the log to prove it: texts about people, signing keys, and the columns that lines are searched by."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cuelight_server.audit import personal as texts
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare

_SEARCHED = {"at": 32, "actor": 80, "verb": 40, "subject": 240}


def personal(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every text about a person is the one that its line vouches for, and is gone where a line erased it."""
    yield from texts.problems(log.holding(texts.SALTED), log.of(Verb.PERSON_ERASE), rows)


def keys(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every key that signs was announced by a line."""
    told: dict[Key, dict[str, Any]] = {
        (one.seq,): {
            "id": one.facts["key"],
            "verifier": one.facts["verifier"],
            "endorsement": one.facts["endorsement"],
        }
        for one in log.of(Verb.KEY_MAKE, Verb.KEY_ROTATE)
    }
    yield from compare("signing key of line", ("seq",), rows, told)


def searchable(_log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """The columns that lines are searched by say what the lines say: a line is not hidden from whoever looks for it."""
    for row in rows:
        try:
            line = json.loads(row["body"])
            told = {name: str(line[name]).replace("\0", "\ufffd")[:most] for name, most in _SEARCHED.items()}
        except (LookupError, TypeError, ValueError, RecursionError):
            continue  # `log` names it
        for name, wanted in told.items():
            if row[name] != wanted:
                yield f"line {row['seq']} is filed under another {name} than it says, so a search would miss it"
