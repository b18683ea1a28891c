"""What is kept of a try."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Some examples on one content. `document` is {"examples": [...]}, each with its input and its output or its error."""

    id: str
    prompt: str
    label: str
    content_digest: str
    provider: str
    recorded: bool
    document: Mapping[str, Any]
    actor: str
    created_at: str

    @property
    def answered(self) -> frozenset[str]:
        """The keys of the examples that got an output: the digest of each input."""
        return frozenset(one["key"] for one in self.document["examples"] if one["error"] is None)
