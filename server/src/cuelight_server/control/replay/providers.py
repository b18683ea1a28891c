"""How the desk reaches its model providers, against the lines that set it."""

from collections.abc import Iterable, Iterator
from typing import Any

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Log, Row, compare, sealed


def connections(log: Log, rows: Iterable[Row]) -> Iterator[str]:
    """Every provider: where it answers, who set it, and that its sealed key is the one that was stored."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log.of(Verb.PROVIDER_SET, Verb.PROVIDER_REMOVE, Verb.PROVIDER_RESEAL):
        if one.verb == Verb.PROVIDER_SET:
            known = {"base_url": one.facts["base_url"], "sealed_digest": one.facts["sealed"]}
            known["options"] = one.facts.get("options")
            told[(one.subject,)] = {**known, "actor": one.actor, "updated_at": one.at}
        elif one.verb == Verb.PROVIDER_REMOVE:
            told.pop((one.subject,), None)
        else:
            for provider, anew in one.facts["sealed"].items():
                told.setdefault((provider,), {})["sealed_digest"] = anew
    known_rows = ({**row, "sealed_digest": sealed_digest(row["sealed"])} for row in rows)
    yield from compare("provider", ("provider",), known_rows, told)


def sealed_digest(key: Any) -> str | None:
    """What the log tells of a sealed key; None where the provider needs none."""
    return None if key is None else sealed(key)
