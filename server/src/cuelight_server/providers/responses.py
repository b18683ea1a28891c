"""Models behind OpenAI's /responses endpoint; nothing is kept there (`store` is false)."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.kernel.errors import Invalid
from cuelight_server.providers.openai import NEVER, bearer, extra_of, tool_call, wire_names
from cuelight_server.providers.port import Completion, CompletionRequest, Json
from cuelight_server.providers.remote import Family, count, no_answer

_SAME_NAME = ("temperature", "top_p", "max_output_tokens")  # the endpoint takes no seed and no stop words
_CUT = {"max_output_tokens": "length", "content_filter": "content_filter"}


def encode(request: CompletionRequest, _base_url: str) -> Json:
    """The body of the call. `settings.extra` is sent as it is and wins. Invalid for settings that do not exist here."""
    settings, names = request.settings, wire_names(request.tools)
    absent = [name for name in ("seed", "stop") if name in settings]
    if absent:
        raise Invalid(f"the responses endpoint takes no {' and no '.join(absent)}", "leave it out, or use openai")
    body: dict[str, Any] = {"model": settings["model"], "input": [_item(one) for one in request.messages]}
    body |= {"store": False, **{name: settings[name] for name in _SAME_NAME if name in settings}}
    offered = [_tool(one, names) for one in request.tools if one.get("mode") != NEVER]
    if offered:
        body["tools"] = offered
    form = _format(settings.get("structured_output", "none"), request.output)
    if form is not None:
        body["text"] = {"format": form}
    return {**body, **extra_of(settings)}


def decode(document: Json, request: CompletionRequest) -> Completion:
    """The answer: texts of every message joined, calls of tools in their order."""
    names = {wire: name for name, wire in wire_names(request.tools).items()}
    try:
        items = [one for one in document["output"] if isinstance(one, dict)]
        texts = [
            str(part.get("text") or part.get("refusal") or "")
            for one in items
            if one.get("type") == "message"
            for part in one["content"]
        ]
    except (LookupError, TypeError, AttributeError):
        raise no_answer("response of a model") from None
    used = _object(document.get("usage"))
    asked, answered = _object(used.get("input_tokens_details")), _object(used.get("output_tokens_details"))
    calls = tuple(tool_call(one, names) for one in items if one.get("type") == "function_call")
    return Completion(
        text="".join(texts),
        tool_calls=calls,
        input_tokens=count(used.get("input_tokens")),
        output_tokens=count(used.get("output_tokens")),
        cached_input_tokens=count(asked.get("cached_tokens")),
        cache_write_tokens=count(asked.get("cache_write_tokens")),
        reasoning_tokens=count(answered.get("reasoning_tokens")),
        model=str(document.get("model") or ""),
        finish_reason=_reason(document, calls=bool(calls)),
    )


def _reason(document: Json, *, calls: bool) -> str:
    """In the words of chat completions, which the reports speak."""
    if document.get("status") == "completed":
        return "tool_calls" if calls else "stop"
    why = str(_object(document.get("incomplete_details")).get("reason") or document.get("status") or "")
    return _CUT.get(why, why)


def _item(one: Json) -> Json:
    content, said = one["content"], one["role"] == "assistant"
    if isinstance(content, str):
        return {"role": one["role"], "content": content}
    return {"role": one["role"], "content": [_part(part, said=said) for part in content]}


def _part(part: Json, *, said: bool) -> Json:
    if part["type"] == "text":
        return {"type": "output_text" if said else "input_text", "text": part["text"]}
    if part["type"] == "image":
        return {"type": "input_image", "image_url": part["url"]}
    raise Invalid(f"this provider takes no {part['type']}", "send text and images only, or another provider")


def _tool(one: Json, names: Mapping[str, str]) -> Json:
    return {
        "type": "function",
        "name": names[one["name"]],
        "description": one["description"],
        "parameters": one["parameters"],
        "strict": False,
    }


def _format(asked: str, output: Json | None) -> Json | None:
    if asked == "json_object":
        return {"type": "json_object"}
    if asked == "json_schema" and output and output.get("schema"):
        return {"type": "json_schema", "name": "output", "strict": True, "schema": output["schema"]}
    return None


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


FAMILY = Family(name="responses", version=1, path="/responses", headers=bearer, encode=encode, decode=decode)
