"""What may be kept of a call: pure, by the workflow's trace policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.snapshot import Reason
from cuelight_server.telemetry.model import Call

FULL = "full"


def unserved(calls: Sequence[Call], served: Collection[str]) -> Call | None:
    """The first call of a prompt that its environment never served; the app's own fallback needs no deployment."""
    own = Reason.FALLBACK.value
    return next(
        (one for one in calls if one.prompt not in served and not (one.reason == own and one.number is None)), None
    )


def keep(call: Call, policy: str) -> Call:
    """The call as it may be stored. Unless the policy is `full`, texts become digests, whatever the app sent.

    Findings keep their code and place, an error its first word; both may quote what the policy protects.
    """
    return call if policy == FULL else replace(call, document=_hashed(call.document))


def _hashed(document: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in document.items() if name not in ("values", "output", "facts", "error")}
    if "values" in document:
        kept["values_digest"] = digest(document["values"])
    if "output" in document:
        kept["output_digest"] = digest_bytes(document["output"].encode())
    if "error" in document:
        kept["error"] = document["error"].partition(":")[0][:80]
    if "findings" in document:
        kept["findings"] = [{**one, "message": ""} for one in document["findings"]]
    return kept
