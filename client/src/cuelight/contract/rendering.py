"""Rendering: content and values become the exact messages, settings and tools of one model call."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from cuelight.contract import context
from cuelight.contract.canonical import digest
from cuelight.contract.content import Content, Variable
from cuelight.contract.errors import Invalid
from cuelight.contract.jinja import Jinja, compile_as
from cuelight.contract.schemas import schema_validator
from cuelight.contract.template import Template
from cuelight.contract.values import AsText, as_text, delimited, marker

__all__ = ["Rendered", "Renderer", "delimited", "render", "schema_validator"]

_Texts = Mapping[str, Any]  # by name: texts; for messages in jinja the values themselves
_Part = Callable[[_Texts, _Texts], dict[str, Any]]


@dataclass(frozen=True, init=False)
class Rendered:
    """What the app sends to the model. Messages are {role, content}; content is text, or parts where there is media."""

    messages: tuple[dict[str, Any], ...]
    settings: Mapping[str, Any]
    tools: tuple[dict[str, Any], ...]
    values: Mapping[str, Any]
    cuts: tuple[context.Cut, ...]

    def __init__(
        self,
        messages: tuple[dict[str, Any], ...],
        settings: Mapping[str, Any],
        tools: tuple[dict[str, Any], ...],
        values: Mapping[str, Any],
        cuts: tuple[context.Cut, ...] = (),
    ) -> None:
        """As a frozen dataclass would, in half the time: one is made for every call."""
        fields = self.__dict__
        fields["messages"], fields["settings"], fields["tools"] = messages, settings, tools
        fields["values"], fields["cuts"] = values, cuts

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of the rendered messages, settings and tools: the proof that a rebuild gave the same bytes."""
        return digest({"messages": list(self.messages), "settings": dict(self.settings), "tools": list(self.tools)})


@dataclass(frozen=True, slots=True)
class _Slot:
    """One declared variable, compiled. `mark` delimits it if untrusted; without a `default` a value must be given.

    `spare` is the default as a value, for texts in jinja.
    """

    name: str
    as_text: AsText
    mark: Callable[[str], str] | None
    default: str | None
    spare: Any = ""


@dataclass(frozen=True, slots=True)
class _Coded:
    """The text of a message in jinja: each part is whole in itself."""

    parts: tuple[Template | Jinja, ...]

    def render(self, values: _Texts) -> str:
        """The parts for these values, one after the other."""
        return "".join(part.render(values) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Message:
    """One message, compiled: one text, or parts with media among them, or the place of a dialogue."""

    role: str = ""
    text: Template | Jinja | _Coded | None = None
    parts: tuple[_Part, ...] = ()
    placeholder: str = ""
    coded: bool = False


class Renderer:
    """One content, compiled once; `render` may be called from any thread."""

    def __init__(self, content: Content) -> None:
        """Compile.

        Invalid where a text holds broken braces or names a variable that is not declared, or a default does not fit.
        """
        self._slots = tuple(_slot(one) for one in content.declared)
        self._names = frozenset(slot.name for slot in self._slots)
        self._untrusted = frozenset(slot.name for slot in self._slots if slot.mark is not None)
        self._spare = {one.name: one.default for one in content.declared if one.type == "messages" and one.has_default}
        self._rules = content.context
        self._settings = content.settings
        self._tools = tuple(content.tools)
        self._messages = tuple(self._compile(message) for message in content.messages)
        self._media = any(message.parts for message in self._messages)
        self._coded = any(message.coded for message in self._messages)

    @property
    def needs_today(self) -> bool:
        """Whether `render` needs to know the date."""
        return bool(self._rules)

    def render(self, values: Mapping[str, Any], today: date | None = None, *, testing: bool = False) -> Rendered:
        """Messages for `values`.

        `today` dates the context rules; `testing` is true in evaluations only. Invalid where a variable is undeclared,
        missing or of the wrong type; Blocked where a context rule refuses. 0, false and "" are values like any other.
        """
        cuts: list[context.Cut] = []
        if self._rules:
            values, cuts = context.apply(self._rules, values, _known(today), testing=testing)
        texts = self._texts(values)
        bare = self._texts(values, marked=False) if self._media else texts
        natives = self._natives(values, texts) if self._coded else {}
        messages: list[dict[str, Any]] = []
        for one in self._messages:
            if one.coded:
                messages.append(self._from_code(one, natives, {**natives, **values}))
            elif one.text is not None:
                messages.append({"role": one.role, "content": one.text.render(texts)})
            elif one.parts:
                messages.append({"role": one.role, "content": [part(texts, bare) for part in one.parts]})
            else:
                messages.extend(_dialogue(values.get(one.placeholder, self._spare.get(one.placeholder, ()))))
        return Rendered(tuple(messages), self._settings, self._tools, values, tuple(cuts))

    def _texts(self, values: Mapping[str, Any], *, marked: bool = True) -> dict[str, str]:
        """Name -> text, untrusted text between its marks unless `marked` is false (an address cannot hold marks)."""
        texts, used = {}, 0
        for slot in self._slots:
            name = slot.name
            if name in values:
                used += 1
                text = slot.as_text(values[name])
            elif slot.default is None:
                raise Invalid(f"the variable {name} is missing", f"pass {name}=... to render")
            elif slot.default == "":
                texts[name] = ""
                continue
            else:
                text = slot.default
            texts[name] = slot.mark(text) if marked and slot.mark is not None else text
        if used != len(values):
            raise self._undeclared(values)
        return texts

    def _natives(self, values: Mapping[str, Any], texts: _Texts) -> dict[str, Any]:
        """Name -> value as code in a text sees it: untrusted ones as their marked text."""
        return {
            slot.name: texts[slot.name] if slot.mark is not None else values.get(slot.name, slot.spare)
            for slot in self._slots
        }

    def _from_code(self, one: _Message, natives: _Texts, bare: _Texts) -> dict[str, Any]:
        if one.text is not None:
            return {"role": one.role, "content": one.text.render(natives)}
        return {"role": one.role, "content": [part(natives, bare) for part in one.parts]}

    def _undeclared(self, values: Mapping[str, Any]) -> Invalid:
        extra = sorted(set(values) - self._names)
        return Invalid(
            f"the variable {extra[0]} is not declared", f"declared are: {', '.join(sorted(self._names)) or 'none'}"
        )

    def _compile(self, message: Mapping[str, Any]) -> _Message:
        if "placeholder" in message:
            return _Message(placeholder=self._declared(message["placeholder"]))
        parts, role, syntax = message["parts"], message["role"], message.get("syntax", "")
        if not all("text" in part for part in parts):
            made = tuple(self._part(part, syntax) for part in parts)
            return _Message(role, parts=made, coded=bool(syntax))
        if syntax:
            return _Message(
                role, text=_Coded(tuple(self._template(part["text"], syntax) for part in parts)), coded=True
            )
        return _Message(role, text=self._template("".join(part["text"] for part in parts), syntax))

    def _part(self, part: Mapping[str, Any], syntax: str) -> _Part:
        if "text" in part:
            template = self._template(part["text"], syntax)
            return lambda texts, _: {"type": "text", "text": template.render(texts)}
        kind = next((kind for kind in ("image", "audio", "file") if kind in part), None)
        if kind is None:
            raise Invalid(f"a part holds {', '.join(part)} and nothing to send", "use text, image, audio or file")
        rest = {key: value for key, value in part[kind].items() if key != "url"}
        url = self._template(part[kind]["url"], syntax)
        return lambda _, bare: {"type": kind, "url": url.render(bare), **rest}

    def _template(self, text: str, syntax: str) -> Template | Jinja:
        template = compile_as(syntax, text, self._untrusted)
        for name in template.names:
            self._declared(name)
        return template

    def _declared(self, name: str) -> str:
        if name not in self._names:
            raise Invalid(f"the text uses {name}, which is not declared", f"declare {name} under variables")
        return name


def render(
    content: Content, values: Mapping[str, Any], today: date | None = None, *, testing: bool = False
) -> Rendered:
    """Compile and render once; keep a `Renderer` where the same content is rendered often."""
    return Renderer(content).render(values, today, testing=testing)


def _slot(one: Variable) -> _Slot:
    convert = as_text(one)
    default = convert(one.default) if one.has_default else None if one.required else ""
    untrusted = one.trust == "untrusted" and one.type != "messages"
    return _Slot(
        one.name, convert, marker(one.name) if untrusted else None, default, one.default if one.has_default else ""
    )


def _dialogue(messages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({"role": one["role"], "content": one["content"]} for one in messages)


def _known(today: date | None) -> date:
    if today is None:
        raise Invalid("this prompt has context rules, which need today's date", "pass today=date.today()")
    return today
