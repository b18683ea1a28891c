"""Templates of other tools as ours: strict where a text holds nothing but plain variables, else `syntax: jinja`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.errors import Invalid, Unavailable
from cuelight.contract.jinja import compile_jinja
from cuelight.contract.template import compile_text
from cuelight.moving.report import CannotCarry

_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_PIECE = re.compile(
    rf"\{{#.*?#\}}|\{{%-?\s*(?:raw|verbatim)\s*-?%\}}.*?\{{%-?\s*end(?:raw|verbatim)\s*-?%\}}"
    rf"|\{{\{{(?:{_STRING}|[^\"'])*?\}}\}}|\{{%(?:{_STRING}|[^\"'])*?%\}}",
    re.DOTALL,
)
_PLAIN = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,79})\s*(?:\|\s*safe\s*)*\}\}")
_DOTTED = re.compile(r"\{\{\s*[A-Za-z_]\w*(?:\.\w+|\[\d+\])+\s*\}\}")
_STRINGS = re.compile(f"({_STRING})", re.DOTALL)
_FILTER = re.compile(r"\|\s*([A-Za-z_]\w*)")
_METHOD = re.compile(r"\.\s*([A-Za-z_]\w*)\s*\(")
_LENGTH = re.compile(r"([A-Za-z_][\w.\[\]]*)\.length\b")
_PAIRS = re.compile(r"(\{%-?\s*for\s+\w+\s*,\s*\w+\s+in\s+)([A-Za-z_][\w.]*)(\s*-?%\})")
_ELSEWHERE = re.compile(r"\{%-?\s*(include|import|from|extends|block|asyncEach|asyncAll|switch|ifAsync|call|filter)\b")
_ENV = re.compile(r"\benv\.(\w+)|\benv\[\s*['\"](\w+)['\"]\s*\]")
_DEEP = re.compile(r"(\{%-?\s*(?:if|elif|elseif)\s+(?:not\s+)?)([A-Za-z_]\w*(?:\.\w+)+)(\s*-?%\})")
_METHODS = {"toUpperCase": "upper", "toLowerCase": "lower", "trim": "trim", "join": "join", "toString": "string"}
FILTERS = frozenset(
    [
        "abs",
        "batch",
        "capitalize",
        "default",
        "d",
        "dictsort",
        "dump",
        "e",
        "escape",
        "first",
        "float",
        "groupby",
        "indent",
        "int",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "slice",
        "sort",
        "string",
        "striptags",
        "sum",
        "title",
        "trim",
        "truncate",
        "upper",
        "urlencode",
        "items",
    ]
)


@dataclass(frozen=True, slots=True)
class Translated:
    """A text of ours: its syntax (`jinja`, or "" for the strict one), what it asks for, and in what it differs."""

    text: str
    syntax: str
    names: tuple[str, ...]
    differs: tuple[str, ...] = ()


def translate(text: str, given: Mapping[str, list[Any]], env: Mapping[str, str], *, code: bool = False) -> Translated:
    """The text in our syntax. CannotCarry where it uses what has no counterpart.

    `given` are the values that the tests give each variable; `env` the literal values of the config's own `env`; `code`
    asks for jinja even where the strict syntax would do.
    """
    text = _with_env(text, env)
    pieces = _PIECE.split(text), _PIECE.findall(text)
    if not code and all(_PLAIN.fullmatch(tag) for tag in pieces[1]):
        return _strict(*pieces)
    differs: list[str] = []
    made = [pieces[0][0]]
    for tag, after in zip(pieces[1], pieces[0][1:], strict=True):
        made += [_tag(tag, given, differs), after]
    return _jinja("".join(made), differs)


def uses(text: str) -> set[str]:
    """Names that plain tags of a text ask for."""
    return {found.group(1) for found in _PLAIN.finditer(text)}


def _strict(literals: list[str], tags: list[str]) -> Translated:
    made = literals[0].replace("{{", "{{{{")
    for tag, after in zip(tags, literals[1:], strict=True):
        found = _PLAIN.fullmatch(tag)
        made += f"{{{{{found.group(1) if found else ''}}}}}" + after.replace("{{", "{{{{")
    try:
        names = compile_text(made).names
    except Invalid as bad:
        raise CannotCarry(f"its braces cannot be read: {bad.message}") from bad
    return Translated(made, "", names)


def _jinja(text: str, differs: list[str]) -> Translated:
    try:
        made = compile_jinja(text)
    except (Invalid, Unavailable) as bad:
        raise CannotCarry(f"{bad.message} ({bad.hint})") from bad
    return Translated(text, "jinja", made.names, tuple(dict.fromkeys(differs)))


def _with_env(text: str, env: Mapping[str, str]) -> str:
    """`{{ env.NAME }}` with the value that the config itself sets; one of the process becomes the variable env_NAME."""

    def put(found: re.Match[str]) -> str:
        tag = found.group()
        named = _ENV.search(tag)
        name = (named.group(1) or named.group(2)) if named else ""
        if name in env and re.fullmatch(r"\{\{\s*env[.\[]\W*\w+\W*\}\}", tag):
            return env[name]
        return _ENV.sub(lambda one: f"env_{one.group(1) or one.group(2)}", tag)

    return _PIECE.sub(put, text) if "env" in text else text


def _tag(tag: str, given: Mapping[str, list[Any]], differs: list[str]) -> str:
    if tag.startswith("{#"):
        return tag
    if re.match(r"\{%-?\s*(?:raw|verbatim)", tag):
        return tag.replace("verbatim", "raw")
    elsewhere = _ELSEWHERE.match(tag)
    if elsewhere:
        raise CannotCarry(f"{{% {elsewhere.group(1)} %}} has no counterpart")
    if _DOTTED.fullmatch(tag) and not re.search(r"\.length\s*\}\}", tag):
        return f'{tag[:-2].rstrip()} | default("") }}}}'
    pairs = _PAIRS.fullmatch(tag)
    if pairs and not any(isinstance(one, list) for one in given.get(pairs.group(2), [])):
        tag = f"{pairs.group(1)}{pairs.group(2)}|items{pairs.group(3)}"
    parts = _STRINGS.split(tag)
    made = "".join(part if at % 2 else _code(part, given, differs) for at, part in enumerate(parts))
    return made.replace("{% elseif", "{% elif").replace("{%- elseif", "{%- elif")


def _code(part: str, given: Mapping[str, list[Any]], differs: list[str]) -> str:
    part = part.replace("===", "==").replace("!==", "!=")
    part = _LENGTH.sub(r"(\1|length)", part)
    part = re.sub(r"\b(null|undefined)\b", "none", part)
    for name in _METHOD.findall(part):
        if name not in _METHODS:
            raise CannotCarry(f"the method {name}() has no counterpart; filters have")
        part = re.sub(rf"\.\s*{name}\s*\(\s*\)", f"|{_METHODS[name]}", part)
        part = re.sub(rf"\.\s*{name}\s*\(", f"|{_METHODS[name]}(", part)
    for name in _FILTER.findall(part):
        if name not in FILTERS:
            raise CannotCarry(f"the filter {name} has no counterpart")
    condition = re.match(r"\{%-?\s*(?:if|elif|elseif)\s+(?:not\s+)?([A-Za-z_]\w*)\s*-?%\}", part)
    part = _DEEP.sub(r'\1\2|default("")\3', part)
    if condition and any(one in ([], {}) for one in given.get(condition.group(1), [])):
        differs.append(f"an empty list or object in {condition.group(1)} is true in JavaScript, and false here")
    return part
