"""The seven-part content of a prompt: what decides behaviour, in one normal form, under one digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.errors import Invalid

PARTS = ("messages", "variables", "settings", "context", "output", "tools", "evaluation")
NEVER_HASHED = ("release_note", "author", "status", "environment")
BLOCKS = ("boundary", "rules", "tone", "format")

_OUTPUT = {"format": "json", "strict": True, "schema": None, "rules": [], "on_invalid": [], "consumers": []}
_VARIABLE = {"type": "string", "required": True, "source": "", "trust": "untrusted", "sensitive": "none"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One declared input. `type`: string, integer, number, boolean, json or messages; `trust`: internal or untrusted."""

    name: str
    type: str
    required: bool
    trust: str
    default: Any
    has_default: bool
    schema: Mapping[str, Any] | None


@dataclass(frozen=True)
class Content:
    """Normalised content; every field is plain JSON. Two contents with equal digests behave alike."""

    messages: list[dict[str, Any]]
    variables: list[dict[str, Any]]
    settings: dict[str, Any]
    context: list[dict[str, Any]]
    output: dict[str, Any]
    tools: list[dict[str, Any]]
    evaluation: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of the canonical JSON of the seven parts."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The seven parts as one JSON object, as hashed and stored."""
        return {part: getattr(self, part) for part in PARTS}

    @cached_property
    def declared(self) -> tuple[Variable, ...]:
        """The declared variables, in order."""
        return tuple(
            Variable(
                name=one["name"],
                type=one["type"],
                required=one["required"],
                trust=one["trust"],
                default=one.get("default"),
                has_default="default" in one,
                schema=one.get("schema"),
            )
            for one in self.variables
        )

    def templates(self) -> Iterator[tuple[str, str, str]]:
        """(role, syntax, text) of every text part, in order; the syntax is `jinja`, or "" for the strict one."""
        for message in self.messages:
            for part in message.get("parts", ()):
                if "text" in part:
                    yield message["role"], message.get("syntax", ""), part["text"]

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """(role, block, text) of every text part, in order; a placeholder has no text."""
        for message in self.messages:
            for part in message.get("parts", ()):
                if "text" in part:
                    yield message["role"], part["block"], part["text"]


def parse(document: Mapping[str, Any]) -> Content:
    """Content in normal form from a prompt document whose files are already inlined.

    Line ends become LF, defaults are written out, facts that are never hashed are dropped. Invalid where a part is
    missing or a variable is declared twice; shape beyond that is the JSON Schema's matter (`cuelight.contract.format`).
    """
    missing = [part for part in ("messages", "settings", "evaluation") if part not in document]
    if missing:
        raise Invalid(f"the content has no {' and no '.join(missing)}", "a prompt has seven parts: " + ", ".join(PARTS))
    clean = {part: line_feeds(document[part]) for part in PARTS if part in document}
    variables = [_variable(one) for one in clean.get("variables", [])]
    _refuse_twice([one["name"] for one in variables], "variable", "variables")
    _refuse_twice([one["name"] for one in clean.get("tools", [])], "tool", "tools")
    return Content(
        messages=[_message(one) for one in clean["messages"]],
        variables=variables,
        settings=dict(clean["settings"]),
        context=list(clean.get("context", [])),
        output={**_OUTPUT, **clean.get("output", {})},
        tools=[_tool(one) for one in clean.get("tools", [])],
        evaluation=dict(clean["evaluation"]),
    )


def line_feeds(value: Any) -> Any:
    """The same JSON value with CRLF and lone CR in every text turned into LF."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if isinstance(value, Mapping):
        return {key: line_feeds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [line_feeds(item) for item in value]
    return value


def _variable(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**_VARIABLE, **one}


def _message(one: Mapping[str, Any]) -> dict[str, Any]:
    if "placeholder" in one:
        return {"placeholder": one["placeholder"]}
    parts = one["parts"] if "parts" in one else [{"text": one["content"]}]
    syntax = {"syntax": one["syntax"]} if "syntax" in one else {}
    return {"role": one["role"], "parts": [_part(part) for part in parts], **syntax}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"block": "rules", **part} if "text" in part else dict(part)


def _tool(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "", "parameters": {"type": "object"}, **one}


def _refuse_twice(names: list[str], what: str, part: str) -> None:
    """`details["path"]` is where the second declaration stands."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        again = names.index(twice[0], names.index(twice[0]) + 1)
        hint = f"keep one declaration of {twice[0]}"
        raise Invalid(f"the {what} {twice[0]} is declared twice", hint, path=[part, again])
