"""Strict text templates: `{{name}}` is replaced, `{{{{` is a literal `{{`, and nothing else is code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cuelight.contract.errors import Invalid

_MARK = re.compile(r"\{\{\{\{|\{\{([^{}]*)\}\}|\{\{")
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: literals around variable names, literals[0] + names[0] + literals[1] + ..."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def render(self, texts: Mapping[str, str]) -> str:
        """The text with every name replaced by its already rendered text; Invalid where one is missing."""
        if not self.names:
            return self.literals[0]
        out = list(self.literals)
        try:
            if len(out) == 2:
                return out[0] + texts[self.names[0]] + out[1]
            for at, name in enumerate(self.names):
                out[at] += texts[name]
        except KeyError as missing:
            name = missing.args[0]
            raise Invalid(f"the variable {name} has no value", f"pass {name}=... to render") from None
        return "".join(out)


def compile_text(text: str) -> Template:
    """Compile a text.

    Spaces inside the braces are allowed. Invalid on an empty or odd name (`{{a.b}}`, `{{ }}`) and on braces that do
    not close, so that no half-rendered template can exist.
    """
    literals, names, literal, at = [], [], [], 0
    for mark in _MARK.finditer(text):
        literal.append(text[at : mark.start()])
        at = mark.end()
        if mark.group() == "{{{{":
            literal.append("{{")
            continue
        literals.append("".join(literal))
        literal = []
        names.append(_name(text, mark))
    literals.append("".join([*literal, text[at:]]))
    return Template(tuple(literals), tuple(names))


def _name(text: str, mark: re.Match[str]) -> str:
    line = text.count("\n", 0, mark.start()) + 1
    if mark.group(1) is None:
        raise Invalid(f"line {line} of the text opens {{{{ and never closes it", "write {{{{ for a literal {{")
    name = _NAME.fullmatch(mark.group(1))
    if name is None:
        raise Invalid(
            f"line {line} of the text: {mark.group()!r} is no variable name",
            "a name has letters, digits and _; there is no code in templates; write {{{{ for a literal {{",
        )
    return name.group(1)
