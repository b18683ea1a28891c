"""Values with `{{variables}}` of the case: the part of Nunjucks that tests use, on an engine with limited fuel."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import minijinja

from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.javascript import written

LONGEST, LARGEST = 20_000, 200_000
_FUEL = 20_000
_BLOCK = re.compile(r"\{%[-+]?\s*(\w+)")
_BLOCKS = frozenset({"if", "elif", "else", "endif", "for", "endfor"})


def render(value: Any, values: Mapping[str, Any]) -> Any:
    """A text, or every text in a list, rendered; anything else as it is. What is not there is nothing.

    Invalid where a text is no template, or renders to too much.
    """
    if isinstance(value, list):
        return [render(one, values) for one in value]
    if not isinstance(value, str) or not templated(value):
        return value
    refuse_strange(value)
    try:
        made = _engine().render_str(value, "value", **_safe(values))
    except (minijinja.TemplateError, ValueError, TypeError) as bad:
        raise Invalid(f"{value!r:.100} cannot be rendered: {_first(bad)}", "see which filters a value may use") from bad
    if len(made) > LARGEST:
        raise Invalid(f"{value!r:.100} renders to more than {LARGEST} characters", "use less of the input")
    return made


def templated(value: Any) -> bool:
    """Whether a text, or a text in a list, is rendered with the inputs of the case before it counts."""
    if isinstance(value, list):
        return any(map(templated, value))
    return isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#"))


def variables(text: str) -> frozenset[str]:
    """The variables that a template takes from outside, without what stands behind a dot; none where it is broken."""
    if not templated(text):
        return frozenset()
    try:
        return frozenset(_engine().undeclared_variables_in_str(text))
    except minijinja.TemplateError:
        return frozenset()


def refuse_broken(value: Any) -> None:
    """Invalid where a text, or a text in a list, is no template whatever the values."""
    for one in value if isinstance(value, list) else ():
        refuse_broken(one)
    words = wrong(value) if isinstance(value, str) and templated(value) else ""
    if words:
        raise Invalid(f"{value!r:.100} is no template: {words}", "write variables of the case as {{name}}")


def refuse_strange(text: str) -> None:
    """Invalid where a text uses blocks that values may not, or is too long."""
    strange = {name for name in _BLOCK.findall(text) if name not in _BLOCKS}
    if strange:
        raise Invalid(f"a value may not use {{% {min(strange)} %}}", f"known: {', '.join(sorted(_BLOCKS))}")
    if len(text) > LONGEST:
        raise Invalid(f"a template has {len(text)} characters, at most {LONGEST} are read", "use less")


def wrong(text: str) -> str:
    """What is wrong with a template whatever the values; empty where nothing is."""
    try:
        refuse_strange(text)
        _engine().undeclared_variables_in_str(text)
    except Invalid as bad:
        return bad.message
    except minijinja.TemplateError as bad:
        return _first(bad)
    return ""


@cache
def _engine() -> Any:
    made = minijinja.Environment(fuel=_FUEL, undefined_behavior="chainable", pycompat=False, debug=False)
    made.auto_escape_callback = lambda _name: False
    made.finalizer = _printed
    for name in ("indent", "format", "pprint", "tojson", "urlencode", "batch", "slice", "wordwrap", "center"):
        made.remove_filter(name)
    for name in ("range", "dict", "debug", "namespace"):
        made.remove_global(name)
    for name, own in _FILTERS.items():
        made.add_filter(name, own)
    return made


def _printed(value: Any) -> str:
    """A value as Nunjucks prints it; lists with commas, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return _bounded(",".join(_printed(one) for one in value))
    return _bounded(written(value))


def _bounded(text: str) -> str:
    if len(text) > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")
    return text


def _replace(value: Any, old: Any, new: Any) -> str:
    text, was, now = (_printed(one) for one in (value, old, new))
    if not was:
        return text
    if len(text) + text.count(was) * len(now) > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")
    return text.replace(was, now)


def _join(value: Any, between: Any = "") -> str:
    parts, mark = ([_printed(one) for one in value] if isinstance(value, Sequence) else [_printed(value)]), str(between)
    if sum(map(len, parts)) + len(parts) * len(mark) > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")
    return mark.join(parts)


def _dump(value: Any, indent: Any = None) -> str:
    spaces = min(indent, 8) if isinstance(indent, int) else None
    marks = (",", ": ") if spaces else (",", ":")
    return _bounded(json.dumps(value, ensure_ascii=False, indent=spaces, separators=marks, default=str))


_FILTERS: Mapping[str, Callable[..., Any]] = {"replace": _replace, "join": _join, "dump": _dump, "tojson": _dump}


def _safe(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in values.items()}


def _first(bad: Exception) -> str:
    return (str(bad).splitlines() or ["it is broken"])[0][:200]
