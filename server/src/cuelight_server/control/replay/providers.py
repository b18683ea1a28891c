"""How the desk reaches its model providers, against the lines that set it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.replay.compare import Key, Row, compare


def connections(log: Sequence[Event], rows: Iterable[Row]) -> Iterator[str]:
    """Every provider: where it answers, who set it, and that its sealed key is the one that was stored."""
    told: dict[Key, dict[str, Any]] = {}
    for one in log:
        if one.verb == Verb.PROVIDER_SET:
            known = {"base_url": one.facts["base_url"], "sealed_digest": one.facts["sealed"]}
            known["options"] = one.facts.get("options")
            told[(one.subject,)] = {**known, "actor": one.actor, "updated_at": one.at}
        elif one.verb == Verb.PROVIDER_REMOVE:
            told.pop((one.subject,), None)
        elif one.verb == Verb.PROVIDER_RESEAL:
            for provider, sealed in one.facts["sealed"].items():
                told.setdefault((provider,), {})["sealed_digest"] = sealed
    known_rows = ({**row, "sealed_digest": sealed_digest(row["sealed"])} for row in rows)
    yield from compare("provider", ("provider",), known_rows, told)


def sealed_digest(sealed: Any) -> str | None:
    """What the log tells of a sealed key; None where the provider needs none."""
    return None if sealed is None else digest_bytes(str(sealed).encode(errors="replace"))
