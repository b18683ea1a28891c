"""The opt-in template language: `syntax: jinja` through minijinja, with fuel, strict, on JSON values alone."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight.contract.errors import Invalid, Unavailable
from cuelight.contract.template import Template, compile_text

FUEL = 200_000  # steps of one rendering; growing a text uses it up as well
LONGEST = 4_000_000  # characters of one rendered text
_HERE = "text"
_TEXT = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_TAG = re.compile(rf"\{{\{{(?:{_TEXT}|[^\"'])*?\}}\}}|\{{%(?:{_TEXT}|[^\"'])*?%\}}", re.DOTALL)
_QUOTED = re.compile(_TEXT, re.DOTALL)
_WORDS = {
    "SyntaxError": "is no valid jinja",
    "OutOfFuel": f"takes more than {FUEL:,} steps",
    "UnknownFilter": "uses a filter that there is not",
    "UnknownFunction": "calls a function that there is not",
    "UnknownTest": "uses a test that there is not",
    "TemplateNotFound": "takes in another template",
    "UndefinedError": "uses a value that is not there",
}
_HINTS = {
    "OutOfFuel": "loop over less",
    "TemplateNotFound": "use `include:` of a fragment; templates do not read files",
    "UndefinedError": 'give it with `| default("")`, or pass it',
}


@dataclass(frozen=True)
class Jinja:
    """A compiled text. `names` are the values that it asks for, sorted."""

    text: str
    names: tuple[str, ...]

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The code in the text, tag by tag, in order."""
        return tuple(_TAG.findall(self.text))

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these JSON values. Invalid where one is missing, or where it does not come to an end in time."""
        try:
            made: str = self._engine.render_template(_HERE, **values)
        except RuntimeError as bad:
            raise _explained(bad) from None
        if len(made) > LONGEST:
            raise Invalid(f"a text becomes {len(made):,} characters long", f"at most {LONGEST:,} fit")
        return made

    def beside(self, name: str) -> bool:
        """Whether a value is used for anything but being printed by a plain `{{ name }}`."""
        plain = re.compile(r"\{\{-?\s*" + re.escape(name) + r"\s*-?\}\}")
        word = re.compile(r"(?<![\w.])" + re.escape(name) + r"(?!\w)")
        return any(word.search(_QUOTED.sub("''", tag)) for tag in self.tags if not plain.fullmatch(tag))

    @cached_property
    def _engine(self) -> Any:
        made = _new_engine()
        made.add_template(_HERE, self.text)
        return made


def compile_as(syntax: str, text: str, untrusted: Collection[str] = ()) -> Template | Jinja:
    """Compile a text in the syntax of its message: `jinja`, or "" for the strict one.

    Invalid where code looks into an `untrusted` value: it would meet the marks around it, or take them off.
    """
    if syntax != "jinja":
        return compile_text(text)
    made = compile_jinja(text)
    for name in sorted(untrusted):
        if made.beside(name):
            words = f"code in a text with syntax: jinja uses {name}, which is untrusted"
            raise Invalid(words, f"print it as {{{{ {name} }}}} and nothing else, or declare it trust: internal")
    return made


def compile_jinja(text: str) -> Jinja:
    """Compile a text. Invalid where it is no jinja; Unavailable where minijinja is not installed."""
    engine = _new_engine()
    try:
        engine.add_template(_HERE, text)
        names = engine.undeclared_variables_in_str(text) - set(engine.globals)
    except RuntimeError as bad:
        raise _explained(bad) from None
    return Jinja(text, tuple(sorted(names)))


def _new_engine() -> Any:
    """Minijinja as we let it be: no files, no clock, no chance, no look at its own state."""
    try:
        from minijinja import Environment  # noqa: PLC0415  an extra: only where a prompt asks for it
    except ImportError as bad:
        words = "a prompt has `syntax: jinja`, and minijinja is not installed"
        raise Unavailable(words, "install it: pip install 'cuelight[jinja]'") from bad
    made = Environment(
        fuel=FUEL, undefined_behavior="strict", debug=False, keep_trailing_newline=True, finalizer=_printed
    )
    made.remove_global("debug")
    made.add_filter("dump", _dump)
    made.auto_escape_callback = lambda _: False
    return made


def _printed(value: Any) -> Any:
    """How a value is printed: as the strict syntax prints it; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return canonical_text(value)


def _dump(value: Any, indent: int | None = None) -> str:
    """JSON as JavaScript writes it."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(value, ensure_ascii=False, indent=indent or None, separators=separators)


def _explained(bad: RuntimeError) -> Invalid:
    kind, said = str(getattr(bad, "kind", "")), str(bad).partition("\n")[0]
    words = _WORDS.get(kind, "cannot be rendered")
    return Invalid(f"a text with syntax: jinja {words}: {said[:300]}", _HINTS.get(kind, "see: docs/guides/format.md"))
