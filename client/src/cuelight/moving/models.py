"""A provider of a config as settings of ours: which endpoint, which model, which numbers and tools; never a key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.moving.references import filled
from cuelight.moving.report import APPROXIMATED, ASIDE, CARRIED, REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources

_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_SECRET = re.compile(r"key|token|secret|password|credential|header|cookie|^auth", re.IGNORECASE)
_OPENAI_KINDS = (
    "chat",
    "completion",
    "responses",
    "assistant",
    "realtime",
    "embedding",
    "image",
    "moderation",
    "transcription",
    "tts",
)
_LIKE_OPENAI = frozenset(
    [
        "azure",
        "openrouter",
        "groq",
        "ollama",
        "together",
        "togetherai",
        "deepseek",
        "xai",
        "fireworks",
        "localai",
        "vllm",
        "cerebras",
        "perplexity",
        "mistral",
        "litellm",
        "deepinfra",
        "llama",
        "lmstudio",
        "nscale",
        "hyperbolic",
        "sambanova",
        "github",
        "cloudflare-ai",
        "docker",
    ]
)
_NUMBERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "max_output_tokens": "max_output_tokens",
    "maxOutputTokens": "max_output_tokens",
    "seed": "seed",
    "stop": "stop",
    "stop_sequences": "stop",
}
_ELSEWHERE = frozenset(
    [
        "apiHost",
        "apiBaseUrl",
        "baseUrl",
        "base_url",
        "organization",
        "project",
        "url",
        "method",
        "body",
        "request",
        "transformResponse",
        "responseParser",
        "transformRequest",
        "timeout",
        "timeoutMs",
        "maxRetries",
        "cost",
        "basePath",
        "region",
        "pythonExecutable",
        "workers",
        "env",
        "delay",
    ]
)
_DESK = frozenset({"model", "messages", "stream", "n"})  # what the desk itself puts into a call
_LIMITS = {"temperature": (0, 2), "top_p": (0, 1), "max_output_tokens": (1, 10**9), "seed": (0, 2**53 - 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One provider. `only` are the labels of the prompts that it is for (empty: all); `transform` is its own, of the output."""

    id: str
    label: str
    settings: Mapping[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()
    schema: Mapping[str, Any] | None = None
    only: tuple[str, ...] = ()
    transform: Any = None
    prefix: str = ""
    suffix: str = ""

    @property
    def echo(self) -> bool:
        """Whether it answers with the prompt itself."""
        return self.id == "echo"


@dataclass(slots=True)
class Models:
    """Reads the providers of one config."""

    sources: Sources
    report: Report
    _taken: set[str] = field(default_factory=set)

    def all(self, config: Mapping[str, Any]) -> list[Model]:
        """Every provider, in order; one without a name where a config has none."""
        said = config.get("providers", config.get("targets"))
        found = self._list(said, "providers" if "providers" in config else "targets")
        if not found:
            words = "no provider can be read from the config: settings.model is to be filled in"
            self.report.add(APPROXIMATED, "provider", "providers", "none", words)
        return found or [Model(id="", label="", settings={"model": "to-be-named"})]

    def _list(self, said: Any, where: str) -> list[Model]:
        if said is None:
            return []
        found: list[Model] = []
        for at, one in enumerate(said if isinstance(said, list) else [said]):
            place = f"{where}[{at}]" if isinstance(said, list) else where
            try:
                found += self._one(one, place)
            except CannotCarry as bad:
                self.report.add(REFUSED, "provider", place, _named(one), bad.why)
        return found

    def _one(self, said: Any, where: str) -> list[Model]:
        if isinstance(said, str) and said.startswith("file://") and said.endswith((".yaml", ".yml", ".json")):
            return self._list(filled(said, self.sources), where)
        if isinstance(said, str):
            return [self._model(said, {}, where)]
        if isinstance(said, dict) and isinstance(said.get("id"), str):
            return [self._model(said["id"], said, where)]
        if isinstance(said, dict) and len(said) == 1:
            name, options = next(iter(said.items()))
            options = options if isinstance(options, dict) else {}
            return [self._model(str(options.get("id", name)), options, where)]
        raise CannotCarry("a provider without an id")

    def _model(self, id: str, options: Mapping[str, Any], where: str) -> Model:
        settings, words = endpoint(id)
        state = words[0]
        self.report.add(state, "provider", where, id, words[1])
        config = options.get("config") or {}
        config = filled(config, self.sources) if isinstance(config, dict) else {}
        numbers, extra = self._settings(config, where)
        tools = self._tools(config, where)
        form, schema = _form(config.get("response_format"))
        whole = {**settings, **numbers, **form, **({"extra": extra} if extra else {})}
        prompts = options.get("prompts") or []
        for key in sorted(options.keys() - {"id", "label", "config", "prompts", "transform", "delay", "env"}):
            self.report.add(ASIDE, "provider", where, key, "an option of promptfoo's own calls")
        return Model(
            id=id,
            label=str(options.get("label") or settings["model"]),
            settings=whole,
            tools=tools,
            schema=schema,
            only=tuple(map(str, prompts if isinstance(prompts, list) else [prompts])),
            transform=options.get("transform"),
            prefix=_text(_object(config.get("prompt")).get("prefix")),
            suffix=_text(_object(config.get("prompt")).get("suffix")),
        )

    def _settings(self, config: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """(our settings, what goes along as `extra`)."""
        numbers: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in config.items():
            if key in _NUMBERS:
                self._number(numbers, _NUMBERS[key], key, value, where)
            elif _SECRET.search(key) and key not in ("max_tokens", "logit_bias"):
                self.report.add(ASIDE, "setting", where, key, "keys are set on the desk, and never written to a file")
            elif key in _ELSEWHERE or key in _DESK:
                self.report.add(ASIDE, "setting", where, key, "how an endpoint is reached is set on the desk")
            elif key not in ("tools", "functions", "response_format", "prompt"):
                extra[key] = value
        if extra:
            words = "sent along as they are, in settings.extra"
            self.report.add(APPROXIMATED, "setting", where, ", ".join(sorted(extra)), words)
        return numbers, extra

    def _number(self, numbers: dict[str, Any], ours: str, key: str, value: Any, where: str) -> None:
        if ours == "stop":
            texts = [str(one) for one in (value if isinstance(value, list) else [value])]
            numbers["stop"] = texts
            return
        low, high = _LIMITS[ours]
        whole = ours in ("max_output_tokens", "seed")
        if isinstance(value, float) and whole and value.is_integer():
            value = int(value)
        fits = isinstance(value, int) if whole else isinstance(value, int | float)
        if isinstance(value, bool) or not fits or not low <= value <= high:
            words = f"{value!r} is no {ours} between {low} and {high}"
            self.report.add(REFUSED, "setting", where, key, words)
            return
        numbers[ours] = value

    def _tools(self, config: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], ...]:
        """Tools in our form; one that no authority table could name is refused."""
        said = [*_list(config.get("tools")), *({"function": one} for one in _list(config.get("functions")))]
        tools = []
        for one in said:
            tool = _tool(one)
            if tool is None:
                self.report.add(REFUSED, "tool", where, _named(one), "no tool with a name and parameters")
            elif not _ACTION.fullmatch(tool["name"]):
                words = "an action of our authority table has small letters, digits and _ in its name: rename the tool"
                self.report.add(REFUSED, "tool", where, tool["name"], words)
            else:
                tools.append(tool)
                self.report.add(CARRIED, "tool", where, tool["name"])
        return tuple(tools)


def endpoint(id: str) -> tuple[dict[str, str], tuple[str, str]]:
    """(settings, (state, reason)) of a provider's id."""
    family, _, rest = id.partition(":")
    if id == "echo":
        return {"provider": "echo", "model": "echo"}, (CARRIED, "its answers are written as recordings")
    if family in ("openai", "anthropic") and rest:
        kind, _, model = rest.partition(":")
        if family == "openai" and kind in (
            "embedding",
            "image",
            "moderation",
            "realtime",
            "assistant",
            "transcription",
            "tts",
        ):
            return _named_only(id, f"{kind} is no chat model")
        known = kind in _OPENAI_KINDS if family == "openai" else kind in ("messages", "completion")
        model = (model or kind) if known else rest
        words = "the endpoint has to speak the Responses API" if kind == "responses" else ""
        return {"provider": family, "model": model}, (APPROXIMATED if words else CARRIED, words)
    if family in ("http", "https"):
        words = "set the address, the body and where the answer stands on the desk, as the endpoint http"
        return {"provider": "http", "model": "http"}, (APPROXIMATED, words)
    if family == "exec":
        return {"provider": "exec", "model": "exec"}, (
            APPROXIMATED,
            "set the command on the desk, as the endpoint exec",
        )
    if family in ("file", "python", "javascript", "package", "ruby", "golang") or id.endswith(
        (".py", ".js", ".ts", ".mjs")
    ):
        return _named_only(id, "a provider in code: put it behind an OpenAI-compatible address")
    if family in _LIKE_OPENAI and rest:
        kind, _, model = rest.partition(":")
        words = f"called through an OpenAI-compatible endpoint that the desk calls {family}"
        return {"provider": family, "model": model if kind in _OPENAI_KINDS and model else rest}, (APPROXIMATED, words)
    return _named_only(id, "there is no provider of this kind: put it behind an OpenAI-compatible address")


def _named_only(id: str, why: str) -> tuple[dict[str, str], tuple[str, str]]:
    return {"model": id[:200] or "to-be-named"}, (REFUSED, why)


def _tool(one: Any) -> dict[str, Any] | None:
    """A tool in our form, from OpenAI's or Anthropic's."""
    body = one.get("function", one) if isinstance(one, dict) else None
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        return None
    parameters = body.get("parameters") or body.get("input_schema") or {"type": "object"}
    if not isinstance(parameters, dict):
        return None
    return {
        "name": body["name"],
        "description": str(body.get("description", ""))[:4000],
        "parameters": parameters,
        "mode": "may_suggest",
    }


def _form(said: Any) -> tuple[dict[str, str], Mapping[str, Any] | None]:
    """How JSON is asked for, and the schema that it has to fit."""
    if not isinstance(said, dict):
        return {}, None
    if said.get("type") == "json_object":
        return {"structured_output": "json_object"}, None
    inner = said.get("json_schema", said)
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if said.get("type") == "json_schema" and isinstance(schema, dict):
        return {"structured_output": "json_schema"}, schema
    return {}, None


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _object(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _text(said: Any) -> str:
    return said if isinstance(said, str) else ""


def _named(one: Any) -> str:
    if isinstance(one, dict):
        one = one.get("id") or one.get("name") or one.get("type") or next(iter(one), "?")
    return str(one)[:120]
