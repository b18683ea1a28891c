"""Canonical JSON (RFC 8785) and the digests made from it: the same value gives the same bytes everywhere."""

import math
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from cuelight.contract.errors import Invalid

_MAX_SAFE = 2**53 - 1  # RFC 8785 3.2.2.3: beyond this an IEEE 754 double no longer holds every integer
_MAX_DEPTH = 100
_EXPONENT_ABOVE, _EXPONENT_BELOW = 21, -7  # ECMAScript 2019, 7.1.12.1


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value.

    Invalid on NaN, infinity, integers that a double would change (2^53 + 1), lone surrogates, keys that are no text, foreign types and
    nesting deeper than 100.
    """
    parts: list[str] = []
    _write(value, parts.append, 0)
    try:
        return "".join(parts).encode()
    except UnicodeEncodeError as bad:
        raise Invalid("the text holds half of a surrogate pair", "re-encode it as valid Unicode") from bad


def canonical_text(value: Any) -> str:
    """The same as `canonical`, as text."""
    return canonical(value).decode()


def digest(value: Any) -> str:
    """`sha256:<hex>` of the canonical bytes of a JSON value."""
    return digest_bytes(canonical(value))


def digest_bytes(body: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + sha256(body).hexdigest()


def _write(value: Any, out: Any, depth: int) -> None:
    if isinstance(value, str):
        out(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        out({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        out(_integer(value))
    elif isinstance(value, float):
        out(_number(value))
    elif depth >= _MAX_DEPTH:
        raise Invalid(f"the value is nested deeper than {_MAX_DEPTH} levels", "flatten it")
    elif isinstance(value, dict):
        _write_object(value, out, depth)
    elif isinstance(value, list | tuple):
        _write_list(value, out, depth)
    else:
        raise Invalid(f"a {type(value).__name__} is no JSON value", "use text, numbers, booleans, null, lists, objects")


def _write_object(value: dict[Any, Any], out: Any, depth: int) -> None:
    for key in value:
        if not isinstance(key, str):
            raise Invalid(f"the key {key!r} is no text", "JSON objects have text keys; quote it in YAML")
    before = "{"
    for key in sorted(value, key=_utf16):
        out(f"{before}{encode_basestring(key)}:")
        _write(value[key], out, depth + 1)
        before = ","
    out("}" if value else "{}")


def _write_list(value: list[Any] | tuple[Any, ...], out: Any, depth: int) -> None:
    out("[")
    for index, item in enumerate(value):
        if index:
            out(",")
        _write(item, out, depth + 1)
    out("]")


def _utf16(key: str) -> bytes:
    """RFC 8785 3.2.3 sorts keys by UTF-16 code units."""
    return key.encode("utf-16-be", "surrogatepass")


def _integer(value: int) -> str:
    if abs(value) > _MAX_SAFE and not _is_a_double(value):
        raise Invalid(f"the integer {str(value)[:24]} is beyond 2^53 - 1 and no double", "send it as text")
    return str(value)


def _is_a_double(value: int) -> bool:
    """Whether a large integer is written as a double would be: 1e17 comes back from JSON as 100000000000000000."""
    return abs(value) < 10**_EXPONENT_ABOVE and _number(float(value)) == str(value)


def _number(value: float) -> str:
    """ECMAScript Number::toString (ECMA-262 7.1.12.1) from Python's shortest round-trip digits."""
    if not math.isfinite(value):
        raise Invalid("NaN and infinity are no JSON numbers", "leave the value out or send null")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    written = whole + fraction
    digits = written.lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(written) - len(digits))
    return sign + _place_point(digits.rstrip("0"), point)


def _place_point(digits: str, point: int) -> str:
    if len(digits) <= point <= _EXPONENT_ABOVE:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _EXPONENT_ABOVE:
        return f"{digits[:point]}.{digits[point:]}"
    if _EXPONENT_BELOW < point - 1 < 0:
        return "0." + "0" * -point + digits
    shown = point - 1
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{head}e{'+' if shown > 0 else '-'}{abs(shown)}"
