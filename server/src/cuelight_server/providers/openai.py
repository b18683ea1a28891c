"""Models behind an OpenAI-compatible /chat/completions endpoint: one blocking call, retried with patience."""

import json
import re
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable
from cuelight_server.kernel.terms import OURS
from cuelight_server.providers.port import Completion, CompletionRequest

ATTEMPTS = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0
CONNECT_S = 10.0
NEVER = "never"  # a tool of this mode is not even offered
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_SAME_NAME = ("temperature", "top_p", "seed", "stop")

Jitter = Callable[[str, int], float]  # (what is asked, attempt) -> a share from 0 to 1
Json = Mapping[str, Any]


def spread(asked: str, attempt: int) -> float:
    """A share from 0 to 1 that differs from request to request and is the same each time: no dice needed."""
    return int.from_bytes(sha256(f"{asked}#{attempt}".encode()).digest()[:4]) / 2**32


class OpenAI:
    """A provider that speaks to one endpoint. The key is in no error, no repr and no log."""

    name = "openai"
    recorded = False

    def __init__(
        self,
        base_url: str,
        key: str | None,
        *,
        timeout_s: float = 120.0,
        concurrency: int = 8,
        jitter: Jitter = spread,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make it; `timeout_s` is how long one answer may take."""
        self.concurrency = concurrency
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._jitter, self._sleep = jitter, sleep
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx2.Limits(max_connections=concurrency),
        )

    def __repr__(self) -> str:
        return f"OpenAI({self._base_url!r})"

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def complete(self, request: CompletionRequest) -> Completion:
        """One answer. Invalid where the endpoint refuses the request, Unavailable after four tries or a bad answer."""
        names = wire_names(request.tools)
        body = json.dumps(payload(request, names, self._base_url), ensure_ascii=False).encode()
        response = self._post(body, f"{request.content_digest}/{request.case}/{request.sample}")
        return _completion(_parsed(response), {wire: name for name, wire in names.items()}, response)

    def _post(self, body: bytes, asked: str) -> httpx2.Response:
        url, trouble = f"{self._base_url}/chat/completions", ""
        for attempt in range(1, ATTEMPTS + 1):
            wait = _wait_s(attempt, self._jitter(asked, attempt))
            try:
                response = self._client.post(url, content=body, headers={"Content-Type": "application/json"})
            except httpx2.TimeoutException:
                trouble = "no answer in time"
            except httpx2.HTTPError as bad:
                trouble = f"no connection ({type(bad).__name__})"
            else:
                if response.is_success:
                    return response
                if response.status_code not in _RETRIED:
                    raise self._refused(response)
                trouble = f"status {response.status_code}"
                wait = max(wait, _retry_after_s(response))
            if attempt < ATTEMPTS:
                self._sleep(wait)
        raise Unavailable(
            f"the model's endpoint failed {ATTEMPTS} times; the last time: {trouble}",
            "try again later",
            attempts=ATTEMPTS,
        )

    def _refused(self, response: httpx2.Response) -> CuelightError:
        said = self._without_key(_words(response))
        if response.status_code in (401, 403):
            return Unavailable(
                f"the model's endpoint refused the key ({response.status_code})", "set CUELIGHT_OPENAI_KEY"
            )
        return Invalid(
            f"the model's endpoint refused the request ({response.status_code}): {said}",
            "compare the prompt's settings with what the model takes",
        )

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


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
    extra = settings.get("extra", {})
    if OURS & extra.keys():
        raise Invalid(
            f"settings.extra sets {', '.join(sorted(OURS & extra.keys()))}, which is not its to set",
            "take it out of settings.extra",
        )
    return {**body, **extra}


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


def _parsed(response: httpx2.Response) -> Json:
    try:
        body = json.loads(response.content)
        choice = body["choices"][0]
        if isinstance(choice["message"], dict):
            return {**body, "choice": choice}
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise Unavailable("the model's endpoint answered with something that is no chat completion", "check the base URL")


def _completion(body: Json, names: Mapping[str, str], response: httpx2.Response) -> Completion:
    message, usage = body["choice"]["message"], body.get("usage")
    text = message.get("content")
    used = usage if isinstance(usage, dict) else {}
    return Completion(
        text=text if isinstance(text, str) else "",
        tool_calls=tuple(_call(one, names) for one in message.get("tool_calls") or ()),
        input_tokens=_count(used.get("prompt_tokens")),
        output_tokens=_count(used.get("completion_tokens")),
        latency_ms=round(response.elapsed.total_seconds() * 1000, 1),
        model=str(body.get("model") or ""),
        finish_reason=str(body["choice"].get("finish_reason") or ""),
        provenance=f"openai-compatible endpoint {urlsplit(str(response.url)).hostname}",
    )


def _call(one: Any, names: Mapping[str, str]) -> dict[str, Any]:
    function = one.get("function") if isinstance(one, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return {"name": "unreadable tool call", "arguments": {}}
    wire = function["name"]
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (ValueError, TypeError, RecursionError):
        arguments = None
    return {"name": names.get(wire, wire), "arguments": arguments if isinstance(arguments, dict) else {}}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _wait_s(attempt: int, share: float) -> float:
    """Twice as long each time, half of it by jitter."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)) * (0.5 + share / 2))


def _retry_after_s(response: httpx2.Response) -> float:
    text = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT_S, float(text)) if text.isascii() and text.isdigit() else 0.0


def _words(response: httpx2.Response) -> str:
    try:
        said = json.loads(response.content)["error"]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        said = response.text
    return str(said)[:300]
