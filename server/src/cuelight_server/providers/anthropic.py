"""Models behind Anthropic's /messages endpoint."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.kernel.errors import Invalid
from cuelight_server.providers.openai import NEVER, extra_of, tool_call, wire_names
from cuelight_server.providers.port import Completion, CompletionRequest, Json
from cuelight_server.providers.remote import Family, count, no_answer

VERSION = "2023-06-01"  # of the endpoint, as its header asks for it
MOST_OUTPUT = 4096  # the endpoint wants a limit; a version that sets none gets this one
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_SYSTEM = frozenset({"system", "developer"})


def headers(key: str | None) -> Mapping[str, str]:
    """The key, and the version of the endpoint."""
    return {"anthropic-version": VERSION, **({"x-api-key": key} if key else {})}


def encode(request: CompletionRequest, _base_url: str) -> Json:
    """The body of the call. `settings.extra` is sent as it is and wins. Invalid for what does not exist here."""
    settings, names = request.settings, wire_names(request.tools)
    if "seed" in settings:
        raise Invalid("the messages endpoint takes no seed", "leave it out, or use another provider")
    system = [text for one in request.messages if one["role"] in _SYSTEM for text in _texts(one["content"])]
    body: dict[str, Any] = {
        "model": settings["model"],
        "max_tokens": settings.get("max_output_tokens", MOST_OUTPUT),
        "messages": [_message(one) for one in request.messages if one["role"] not in _SYSTEM],
    }
    if system:
        body["system"] = "\n\n".join(system)
    body |= {name: settings[name] for name in ("temperature", "top_p") if name in settings}
    if "stop" in settings:
        stop = settings["stop"]
        body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
    offered = [_tool(one, names) for one in request.tools if one.get("mode") != NEVER]
    if offered:
        body["tools"] = offered
    form = settings.get("structured_output", "none")
    if form == "json_schema" and request.output and request.output.get("schema"):
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output["schema"]}}
    elif form == "json_object":
        raise Invalid("the messages endpoint has no json_object", "use json_schema, or none")
    return {**body, **extra_of(settings)}


def decode(document: Json, request: CompletionRequest) -> Completion:
    """The answer. Input tokens are counted with those read from the cache and those written to it."""
    names = {wire: name for name, wire in wire_names(request.tools).items()}
    try:
        parts = [one for one in document["content"] if isinstance(one, dict)]
    except (LookupError, TypeError):
        raise no_answer("message of a model") from None
    used = document.get("usage")
    used = used if isinstance(used, dict) else {}
    fresh, read, written = (
        count(used.get(name)) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    reason = str(document.get("stop_reason") or "")
    return Completion(
        text="".join(str(one.get("text") or "") for one in parts if one.get("type") == "text"),
        tool_calls=tuple(
            tool_call({"name": one.get("name"), "arguments": one.get("input")}, names)
            for one in parts
            if one.get("type") == "tool_use"
        ),
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=count(used.get("output_tokens")),
        cached_input_tokens=read,
        cache_write_tokens=written,
        model=str(document.get("model") or ""),
        finish_reason=_REASONS.get(reason, reason),
    )


def _message(one: Json) -> Json:
    content = one["content"]
    return {"role": one["role"], "content": content if isinstance(content, str) else [_part(part) for part in content]}


def _part(part: Json) -> Json:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] == "image":
        url: str = part["url"]
        if url.startswith("data:"):
            kind, _, text = url.removeprefix("data:").partition(";base64,")
            return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": text}}
        return {"type": "image", "source": {"type": "url", "url": url}}
    raise Invalid(f"this provider takes no {part['type']}", "send text and images only, or another provider")


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(part["text"]) for part in content if part.get("type") == "text"]


def _tool(one: Json, names: Mapping[str, str]) -> Json:
    return {"name": names[one["name"]], "description": one["description"], "input_schema": one["parameters"]}


FAMILY = Family(name="anthropic", version=1, path="/messages", headers=headers, encode=encode, decode=decode)
