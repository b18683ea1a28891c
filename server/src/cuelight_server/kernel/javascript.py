"""Values as JavaScript writes them, where its words count: `String(5.0)` is `5`, `String(true)` is `true`."""

import json
from typing import Any

_EXACT = 1e21  # from here on JavaScript writes an exponent


def text_of(value: Any) -> str:
    """A single value as JavaScript's String() writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value)


def written(value: Any) -> str:
    """A value as a text: a text as it is, lists and objects as JSON, anything else as JavaScript writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text_of(value)
