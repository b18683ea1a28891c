"""The port to whatever answers a prompt: one blocking call that may be made from several threads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cuelight_server.kernel.errors import Invalid, Unavailable

Json = Mapping[str, Any]


class BadSetting(Invalid):
    """The provider will never answer as it is set up (address, model): no other case will fare better."""


class BadKey(Unavailable):
    """The provider refuses the key: no other case will fare better."""


ENDS_A_RUN = (BadSetting, BadKey)


def always() -> bool:
    """Nobody counts requests."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One model call: who asks (content digest, case id, sample from 1) and the rendered messages, settings, tools.

    `output` is the output contract, for providers that can be asked for JSON. `most_s` is how many seconds it may take
    at most, None for as many as the provider allows; `again` is asked before each further try, and may say no.
    """

    content_digest: str
    case: str
    sample: int
    messages: tuple[Json, ...]
    settings: Json
    tools: tuple[Json, ...] = ()
    output: Json | None = None
    most_s: float | None = None
    again: Callable[[], bool] = always


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer. Tool calls are {name, arguments}; tokens and milliseconds are None where nobody counted them.

    Cached and cache-write tokens are a part of `input_tokens`, reasoning tokens one of `output_tokens`. `tries` is how
    often it was asked for until it came.
    """

    text: str
    tool_calls: tuple[Json, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_ms: float | None = None
    model: str = ""
    finish_reason: str = ""
    provenance: str = ""
    tries: int = 1


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

    @property
    def adapter(self) -> str:
        """Who answers, and in which version of our words: a part of what an answer is cached under; empty = never."""

    def complete(self, request: CompletionRequest) -> Completion:
        """The answer, or one of the six errors: Invalid (a request that can never work), Unavailable (try later)."""
