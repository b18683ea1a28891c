"""Rendering: content and values become the exact messages, settings and tools of one model call."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import jsonschema_rs

from cuelight.contract import context
from cuelight.contract.canonical import canonical_text, digest
from cuelight.contract.condition import is_number
from cuelight.contract.content import Content, Variable
from cuelight.contract.errors import Invalid
from cuelight.contract.template import Template, compile_text

_MARK = re.compile(r"<(?=/?untrusted)", re.IGNORECASE)
_DIALOGUE_ROLES = ("user", "assistant", "tool")


@dataclass(frozen=True)
class Rendered:
    """What the app sends to the model. Messages are {role, content}; content is text, or parts where there are media."""

    messages: tuple[dict[str, Any], ...]
    settings: Mapping[str, Any]
    tools: tuple[dict[str, Any], ...]
    values: Mapping[str, Any]
    cuts: tuple[context.Cut, ...] = ()

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of the rendered messages, settings and tools: the proof that a rebuild gave the same bytes."""
        return digest({"messages": list(self.messages), "settings": dict(self.settings), "tools": list(self.tools)})


class Renderer:
    """One content, compiled once; `render` may be called from any thread."""

    def __init__(self, content: Content) -> None:
        """Compile; Invalid where a text holds broken braces or names a variable that is not declared."""
        self._variables = content.declared
        self._names = frozenset(one.name for one in content.declared)
        self._schemas = {one.name: schema_validator(one.schema, one.name) for one in content.declared if one.schema}
        self._rules = content.context
        self._settings = content.settings
        self._tools = tuple(content.tools)
        self._messages = [self._compile(message) for message in content.messages]

    def render(self, values: Mapping[str, Any], today: date | None = None, *, testing: bool = False) -> Rendered:
        """Messages for `values`.

        `today` dates the context rules; `testing` is true in evaluations only. Invalid where a variable is undeclared,
        missing or of the wrong type; Blocked where a context rule refuses. 0, false and "" are values like any other.
        """
        cuts: list[context.Cut] = []
        kept: Mapping[str, Any] = values
        if self._rules:
            kept, cuts = context.apply(self._rules, values, _known(today), testing=testing)
        texts = self._texts(kept)
        messages: list[dict[str, Any]] = []
        for message in self._messages:
            message(texts, kept, messages)
        return Rendered(tuple(messages), self._settings, self._tools, kept, tuple(cuts))

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        texts, used = {}, 0
        for one in self._variables:
            name = one.name
            if name in values:
                used += 1
                texts[name] = self._text(one, values[name])
            elif one.required and not one.has_default:
                raise Invalid(f"the variable {name} is missing", f"pass {name}=... to render")
            else:
                texts[name] = self._text(one, one.default) if one.has_default else ""
        if used != len(values):
            raise self._undeclared(values)
        return texts

    def _text(self, one: Variable, value: Any) -> str:
        if one.type == "string":
            if type(value) is not str:
                raise _wrong_type(one, value)
            text = value
        else:
            text = _AS_TEXT[one.type](one, value)
        if one.name in self._schemas:
            _check(self._schemas[one.name], one, value)
        return delimited(one.name, text) if one.trust == "untrusted" and one.type != "messages" else text

    def _undeclared(self, values: Mapping[str, Any]) -> Invalid:
        extra = sorted(set(values) - self._names)
        return Invalid(
            f"the variable {extra[0]} is not declared", f"declared are: {', '.join(sorted(self._names)) or 'none'}"
        )

    def _compile(self, message: Mapping[str, Any]) -> Callable[..., None]:
        if "placeholder" in message:
            return self._dialogue(message["placeholder"])
        role = message["role"]
        if all("text" in part for part in message["parts"]):
            template = self._template("".join(part["text"] for part in message["parts"]))
            return lambda texts, _, out: out.append({"role": role, "content": template.render(texts)})
        parts = [self._part(part) for part in message["parts"]]
        return lambda texts, _, out: out.append({"role": role, "content": [part(texts) for part in parts]})

    def _part(self, part: Mapping[str, Any]) -> Callable[[Mapping[str, str]], dict[str, Any]]:
        if "text" in part:
            template = self._template(part["text"])
            return lambda texts: {"type": "text", "text": template.render(texts)}
        kind = next(kind for kind in ("image", "audio", "file") if kind in part)
        rest = {key: value for key, value in part[kind].items() if key != "url"}
        url = self._template(part[kind]["url"])
        return lambda texts: {"type": kind, "url": url.render(texts), **rest}

    def _template(self, text: str) -> Template:
        template = compile_text(text)
        unknown = [name for name in template.names if name not in self._names]
        if unknown:
            raise Invalid(f"the text uses {unknown[0]}, which is not declared", f"declare {unknown[0]} under variables")
        return template

    def _dialogue(self, name: str) -> Callable[..., None]:
        if name not in self._names:
            raise Invalid(f"the placeholder {name} is not declared", f"declare {name} with type: messages")
        return lambda _, values, out: out.extend(
            {"role": one["role"], "content": one["content"]} for one in values.get(name, ())
        )


def render(content: Content, values: Mapping[str, Any], today: date | None = None, *, testing: bool = False) -> Rendered:
    """Compile and render once; keep a `Renderer` where the same content is rendered often."""
    return Renderer(content).render(values, today, testing=testing)


def delimited(name: str, text: str) -> str:
    """Untrusted text between marks that it cannot close itself."""
    inside = _MARK.sub("&lt;", text) if "<" in text else text
    return f'<untrusted name="{name}">\n{inside}\n</untrusted>'


def schema_validator(schema: Mapping[str, Any], where: str) -> Any:
    """A compiled JSON Schema: patterns on a linear-time engine, no remote reference. Invalid where it is not one."""
    try:
        return jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.RegexOptions(), offline=True)
    except (ValueError, jsonschema_rs.ReferencingError) as bad:
        first = str(bad).splitlines()[0]
        raise Invalid(
            f"the schema of {where} is not a JSON Schema that Cuelight can use: {first}",
            "check it against JSON Schema 2020-12; no remote $ref, no look-around or back-reference in patterns",
        ) from bad


def _check(validator: Any, one: Variable, value: Any) -> None:
    for error in validator.iter_errors(value):
        at = ".".join(map(str, error.instance_path))
        raise Invalid(
            f"the variable {one.name} does not fit its schema{' at ' + at if at else ''}", "compare it with the schema"
        )


def _wrong_type(one: Variable, value: Any) -> Invalid:
    return Invalid(f"the variable {one.name} must be {one.type}, not {type(value).__name__}", f"see variable {one.name}")


def _whole(one: Variable, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(one, value)
    return canonical_text(value)


def _number(one: Variable, value: Any) -> str:
    if not is_number(value):
        raise _wrong_type(one, value)
    return canonical_text(value)


def _flag(one: Variable, value: Any) -> str:
    if not isinstance(value, bool):
        raise _wrong_type(one, value)
    return "true" if value else "false"


def _dialogue_text(one: Variable, value: Any) -> str:
    if not isinstance(value, list):
        raise _wrong_type(one, value)
    for message in value:
        fits = isinstance(message, Mapping) and message.get("role") in _DIALOGUE_ROLES
        if not fits or not isinstance(message.get("content"), str):
            raise Invalid(
                f"{one.name} must hold messages of role and content",
                f"a role is one of {', '.join(_DIALOGUE_ROLES)}; a system message never comes from outside",
            )
    return ""


def _known(today: date | None) -> date:
    if today is None:
        raise Invalid("this prompt has context rules, which need today's date", "pass today=date.today()")
    return today


_AS_TEXT: dict[str, Callable[[Variable, Any], str]] = {
    "integer": _whole,
    "number": _number,
    "boolean": _flag,
    "json": lambda _, value: canonical_text(value),
    "messages": _dialogue_text,
}
