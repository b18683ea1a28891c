"""What a recorded call is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One managed call as it happened.

    `id` is the output's id, `at` RFC 3339. `number` and `digest` name the version that was used, None when the prompt
    was off; `ok` is whether the output kept its contract, None when that is not known. `document` is all of it (JSON).
    """

    id: str
    at: str
    environment: str
    prompt: str
    number: int | None
    digest: str | None
    reason: str
    ok: bool | None
    document: Mapping[str, Any]
