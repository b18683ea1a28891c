"""JSON as Cuelight reads it: RFC 8259, no key twice, no NaN, no half characters."""

import json
import re
from typing import Any

from cuelight.files.faults import Fault

MAX_DEPTH = 60
_HALF = re.compile("[\ud800-\udfff]")


class _Odd(ValueError):
    """A value that Python's reader takes and RFC 8259 does not."""


def parse_json(text: str, file: str, line: int = 1) -> tuple[Any, list[Fault]]:
    """The value of a JSON text and what is wrong with it; `line` is where the text begins in its file."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as bad:
        found = Fault(
            file,
            line + bad.lineno - 1,
            f"broken JSON: {bad.msg[:1].lower()}{bad.msg[1:]} (column {bad.colno})",
            _hint(bad),
        )
        return None, [found]
    except _Odd as bad:
        return None, [Fault(file, line, str(bad), "JSON has unique keys and finite numbers")]
    except RecursionError:
        return None, [_too_deep(file, line)]
    if _deeper(value, MAX_DEPTH):
        return None, [_too_deep(file, line)]
    if "\\u" in text and _HALF.search(json.dumps(value, ensure_ascii=False)):
        return None, [
            Fault(file, line, "half of a surrogate pair, expected a whole character", "write the character itself")
        ]
    return value, []


def _too_deep(file: str, line: int) -> Fault:
    return Fault(file, line, f"nested deeper than {MAX_DEPTH} levels", "flatten it")


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items)


def _hint(bad: json.JSONDecodeError) -> str:
    if "property name" in bad.msg:
        return "keys stand in double quotes, and no comma follows the last one"
    return "an empty file is no JSON" if not bad.doc.strip() else "check this line and the one above"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Odd(f"the key {twice!r} twice in one object, expected once")
    return found


def _constant(name: str) -> Any:
    raise _Odd(f"{name} is no JSON number")
