"""Under what an answer is kept so that it can stand in: everything that could make another answer of it."""

import json
from dataclasses import fields
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight_server.evaluation.model import Json
from cuelight_server.providers.port import Completion, CompletionRequest

_NAMES = tuple(one.name for one in fields(Completion))


def cache_key(request: CompletionRequest, adapter: str, only_for: str = "") -> str:
    """The digest of the rendered messages, settings, tools, output mode, sample and adapter.

    `only_for` is the run that alone may use the answer; empty where any may.
    """
    asked = {
        "messages": list(request.messages),
        "settings": dict(request.settings),
        "tools": list(request.tools),
        "output": request.output,
        "sample": request.sample,
        "adapter": adapter,
        "only_for": only_for,
    }
    return digest_bytes(json.dumps(asked, sort_keys=True, ensure_ascii=True, default=str).encode())


def to_text(answer: Completion) -> str:
    """The answer as it is kept."""
    kept: dict[str, Any] = {name: getattr(answer, name) for name in _NAMES}
    return json.dumps({**kept, "tool_calls": list(answer.tool_calls)}, ensure_ascii=True)


def from_json(kept: Json) -> Completion:
    """The answer as it was kept; what later versions added is left out."""
    known = {name: kept[name] for name in _NAMES if name in kept}
    return Completion(**{**known, "tool_calls": tuple(kept["tool_calls"])})
