"""Models behind an OpenAI-compatible /chat/completions endpoint."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.terms import OURS
from cuelight_server.providers.port import Completion, CompletionRequest, Json
from cuelight_server.providers.remote import Family, count, no_answer

NEVER = "never"  # a tool of this mode is not even offered
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_SAME_NAME = ("temperature", "top_p", "seed", "stop")


def bearer(key: str | None) -> Mapping[str, str]:
    """The key as a bearer token."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def _encode(request: CompletionRequest, base_url: str) -> Json:
    return payload(request, wire_names(request.tools), base_url)


def payload(request: CompletionRequest, names: Mapping[str, str], base_url: str) -> dict[str, Any]:
    """The body of the call. `settings.extra` is sent as it is and wins; Invalid where it would override what is ours."""
    settings = request.settings
    body: dict[str, Any] = {"model": settings["model"], "messages": [_message(one) for one in request.messages]}
    body |= {name: settings[name] for name in _SAME_NAME if name in settings}
    if "max_output_tokens" in settings:
        body[_limit_name(base_url)] = settings["max_output_tokens"]
    offered = [_tool(one, names) for one in request.tools if one.get("mode") != NEVER]
    if offered:
        body["tools"] = offered
    form = _response_format(settings.get("structured_output", "none"), request.output)
    if form is not None:
        body["response_format"] = form
    return {**body, **extra_of(settings)}


def extra_of(settings: Json) -> Json:
    """What goes along as it is. Invalid where it would override what is ours."""
    extra: Json = settings.get("extra", {})
    if OURS & extra.keys():
        raise Invalid(
            f"settings.extra sets {', '.join(sorted(OURS & extra.keys()))}, which is not its to set",
            "take it out of settings.extra",
        )
    return extra


def wire_names(tools: tuple[Json, ...]) -> dict[str, str]:
    """Tool name -> a name that the wire takes: `crm.read` becomes `crm_read`, made unique by a number."""
    names: dict[str, str] = {}
    for tool in tools:
        plain = _NOT_IN_A_NAME.sub("_", tool["name"])[:60]
        number = 1
        wire = plain
        while wire in names.values():
            number += 1
            wire = f"{plain}_{number}"
        names[tool["name"]] = wire
    return names


def _limit_name(base_url: str) -> str:
    """OpenAI itself has renamed the limit; everyone who is compatible still takes the old name."""
    return "max_completion_tokens" if urlsplit(base_url).hostname == "api.openai.com" else "max_tokens"


def _response_format(asked: str, output: Json | None) -> dict[str, Any] | None:
    if asked == "json_object":
        return {"type": "json_object"}
    if asked == "json_schema" and output and output.get("schema"):
        return {"type": "json_schema", "json_schema": {"name": "output", "strict": True, "schema": output["schema"]}}
    return None


def _message(one: Json) -> dict[str, Any]:
    content = one["content"]
    return {"role": one["role"], "content": content if isinstance(content, str) else [_part(part) for part in content]}


def _part(part: Json) -> dict[str, Any]:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] == "image":
        return {"type": "image_url", "image_url": {"url": part["url"]}}
    raise Invalid(f"this provider takes no {part['type']}", "send text and images only, or another provider")


def _tool(one: Json, names: Mapping[str, str]) -> dict[str, Any]:
    function = {"name": names[one["name"]], "description": one["description"], "parameters": one["parameters"]}
    return {"type": "function", "function": function}


def _decode(document: Json, request: CompletionRequest) -> Completion:
    try:
        choice = document["choices"][0]
        message = choice["message"]
        content, calls = message.get("content"), message.get("tool_calls")
    except (LookupError, TypeError, AttributeError):
        raise no_answer("chat completion") from None
    used = _object(document.get("usage"))
    asked, answered = _object(used.get("prompt_tokens_details")), _object(used.get("completion_tokens_details"))
    names = {wire: name for name, wire in wire_names(request.tools).items()}
    return Completion(
        text=content if isinstance(content, str) else "",
        tool_calls=tuple(_call(one, names) for one in (calls if isinstance(calls, list) else ())),
        input_tokens=count(used.get("prompt_tokens")),
        output_tokens=count(used.get("completion_tokens")),
        cached_input_tokens=count(asked.get("cached_tokens")),
        cache_write_tokens=count(asked.get("cache_write_tokens")),
        reasoning_tokens=count(answered.get("reasoning_tokens")),
        model=str(document.get("model") or ""),
        finish_reason=str(choice.get("finish_reason") or ""),
    )


def _call(one: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return tool_call(one.get("function") if isinstance(one, dict) else None, names)


def tool_call(function: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """A call of a tool under its own name; one that cannot be read says so in its name."""
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return {"name": "unreadable tool call", "arguments": {}}
    wire, given = function["name"], function.get("arguments")
    try:
        arguments = given if isinstance(given, dict) else json.loads(given or "{}")
    except (ValueError, TypeError, RecursionError):
        arguments = None
    return {"name": names.get(wire, wire), "arguments": arguments if isinstance(arguments, dict) else {}}


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


FAMILY = Family(name="openai", version=1, path="/chat/completions", headers=bearer, encode=_encode, decode=_decode)
