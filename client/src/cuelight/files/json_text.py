"""JSON as Cuelight reads it: RFC 8259, no key twice, no NaN, no half characters."""

import json
import math
import re
from typing import Any

from cuelight.files.faults import Fault

MAX_DEPTH = 60
_MAX_SAFE, _MAX_DIGITS = 2**53 - 1, 17  # beyond this, readers no longer agree on an integer
_HALF = re.compile("[\ud800-\udfff]")


class _Odd(ValueError):
    """A value that Python's reader takes and RFC 8259 does not; `literal` is how it is written, where that is known."""

    def __init__(self, message: str, literal: str = "", hint: str = "JSON has unique keys and finite numbers") -> None:
        super().__init__(message)
        self.literal, self.hint = literal, hint


def parse_json(text: str, file: str, line: int = 1) -> tuple[Any, list[Fault]]:
    """The value of a JSON text and what is wrong with it; `line` is where the text begins in its file."""
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as bad:
        found = Fault(
            file,
            line + bad.lineno - 1,
            f"broken JSON: {bad.msg[:1].lower()}{bad.msg[1:]} (column {bad.colno})",
            _hint(bad),
        )
        return None, [found]
    except _Odd as bad:
        return None, [Fault(file, line + _rows_before(text, bad.literal), str(bad), bad.hint)]
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
    raise _Odd(f"{name} is no JSON number", name)


def _float(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise _Odd(f"the number {literal[:24]} is too large, expected at most 1.8e308", literal, "write it as text")
    return value


def _integer(literal: str) -> int:
    if len(literal) > _MAX_DIGITS or abs(int(literal)) > _MAX_SAFE:
        raise _Odd(f"the integer {literal[:24]} is beyond 2^53 - 1", literal, "write it as text")
    return int(literal)


def _rows_before(text: str, literal: str) -> int:
    """How many line ends stand before a number as it is written."""
    found = re.search(rf"(?<![\w.+-]){re.escape(literal)}(?![\w.])", text) if literal else None
    return text.count("\n", 0, found.start()) if found else 0
