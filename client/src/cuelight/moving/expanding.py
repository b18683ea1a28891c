"""Variables of one test become the inputs of its cases: lists of texts multiply, files are read, values that name others are filled."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from cuelight.moving.code import is_code
from cuelight.moving.loose import read_yaml
from cuelight.moving.report import CannotCarry
from cuelight.moving.sources import Sources

MAX_CASES = 20_000
_NAMED = re.compile(r"\{\{\s*([A-Za-z_][\w]*)\s*\}\}")
_MEDIA = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".svg",
    ".bmp",
    ".mp3",
    ".wav",
    ".m4a",
    ".mp4",
    ".pdf",
    ".avif",
    ".heic",
)
_ROUNDS, _LONGEST = 10, 1_000_000


def combinations(variables: Mapping[str, Any], sources: Sources, *, expand: bool = True) -> Iterator[dict[str, Any]]:
    """The inputs of the cases that one test stands for, in promptfoo's order.

    A list that begins with a text is one case a text; any other list is one value. CannotCarry where a value comes from
    code, or the cases are more than a suite may hold.
    """
    choices = [_choices(name, value, sources, expand=expand) for name, value in variables.items()]
    count = math.prod(map(len, choices))
    if count > MAX_CASES:
        raise CannotCarry(f"its lists multiply to {count:,} cases, at most {MAX_CASES:,} fit")
    for values in product(*choices):
        yield _filled(dict(zip(variables, values, strict=True)))


def _choices(name: str, value: Any, sources: Sources, *, expand: bool) -> list[Any]:
    if isinstance(value, str) and value.startswith("file://") and expand:
        return [_read(name, f"file://{path}", sources) for path in _paths(value, sources)]
    if isinstance(value, list) and value and isinstance(value[0], str) and expand:
        return [_read(name, one, sources) for one in value]
    return [_read(name, value, sources)]


def _paths(value: str, sources: Sources) -> list[str]:
    path = value.removeprefix("file://")
    return [path] if is_code(path) else sources.matches(path)


def _read(name: str, value: Any, sources: Sources) -> Any:
    """The value of a variable; a file gives its text without the space around it, YAML its values as JSON text."""
    if isinstance(value, str) and value.startswith("package:"):
        raise CannotCarry(f"the variable {name} comes from a package, and nothing is run at import")
    if not isinstance(value, str) or not value.startswith("file://"):
        return value.removesuffix("\n") if isinstance(value, str) else value
    path = value.removeprefix("file://")
    if is_code(path):
        raise CannotCarry(f"the variable {name} comes from {path}, and nothing is run at import")
    if path.lower().endswith(_MEDIA):
        raise CannotCarry(f"the variable {name} is the file {path}, which is no text")
    text = sources.text(path)
    if path.endswith((".yaml", ".yml")):
        return json.dumps(read_yaml(text, path), ensure_ascii=False, separators=(",", ":"))
    return text.strip()


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Texts that name other variables, with those in their place; a name that nobody gives stays as it is."""
    for _ in range(_ROUNDS):
        before = values
        values = {name: _with_others(name, value, before) for name, value in before.items()}
        if values == before:
            break
    return values


def _with_others(own: str, value: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or "{{" not in value:
        return value
    made = _NAMED.sub(lambda found: _other(found, own, values), value)
    if len(made) > _LONGEST:
        raise CannotCarry(f"the variable {own} grows by naming others")
    return made


def _other(found: re.Match[str], own: str, values: Mapping[str, Any]) -> str:
    name = found.group(1)
    if name == own or name not in values or isinstance(values[name], dict | list):
        return found.group()
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value)
