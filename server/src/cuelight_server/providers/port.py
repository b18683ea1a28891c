"""The port to whatever answers a prompt: one blocking call that may be made from several threads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One model call: who asks (content digest, case id, sample from 1) and the rendered messages, settings, tools.

    `output` is the output contract, for providers that can be asked for JSON.
    """

    content_digest: str
    case: str
    sample: int
    messages: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()
    output: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer. Tool calls are {name, arguments}; tokens and milliseconds are None where nobody counted them."""

    text: str
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    model: str = ""
    finish_reason: str = ""
    provenance: str = ""


class Provider(Protocol):
    """Answers prompts. `concurrency` is how many calls at once do any good; `recorded` marks stand-ins for a model."""

    @property
    def name(self) -> str:
        """The name in reports."""

    @property
    def concurrency(self) -> int:
        """Calls at once, from 1."""

    @property
    def recorded(self) -> bool:
        """Whether no model is called at all."""

    def complete(self, request: CompletionRequest) -> Completion:
        """The answer, or one of the six errors: Invalid (a request that can never work), Unavailable (try later)."""
