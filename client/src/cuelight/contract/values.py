"""Values of variables: checked against their declared type, turned into text, untrusted text delimited."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight.contract.condition import is_number
from cuelight.contract.content import Variable
from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator

AsText = Callable[[Any], str]

# A `<` that begins, or by a loose reading could begin, one of our own marks. Possessive, so that it stays linear.
_MARK = re.compile(r"<(?=[ \t\r\n]*+(?:/[ \t\r\n]*+)?untrusted)", re.IGNORECASE | re.ASCII)
_DIALOGUE_ROLES = ("user", "assistant", "tool")


def delimited(name: str, text: str) -> str:
    """Untrusted text between marks that it cannot close itself."""
    return marker(name)(text)


def marker(name: str) -> Callable[[str], str]:
    """The function that delimits the untrusted text of one variable."""
    head, tail = f'<untrusted name="{name}">\n', "\n</untrusted>"

    def mark(text: str) -> str:
        return head + (_MARK.sub("&lt;", text) if "<" in text else text) + tail

    return mark


def as_text(one: Variable) -> AsText:
    """The function that checks one value of a variable and gives its bare text; it raises Invalid.

    integer and number render as RFC 8785 numbers, json as RFC 8785 text, boolean as true or false. A dialogue
    (`messages`) has no text of its own: it renders as nothing and stands in for its placeholder.
    """
    check = _string if one.type == "string" else _AS_TEXT[one.type]
    if one.schema is None:
        return partial(check, one)
    validator = schema_validator(one.schema, one.name)

    def checked(value: Any) -> str:
        text = check(one, value)
        for error in validator.iter_errors(value):
            at = ".".join(map(str, error.instance_path))
            raise Invalid(
                f"the variable {one.name} does not fit its schema{' at ' + at if at else ''}",
                f"compare it with the schema of {one.name}",
            )
        return text

    return checked


def _string(one: Variable, value: Any) -> str:
    if type(value) is not str:
        raise _wrong_type(one, value)
    if not value.isascii():
        _refuse_half_a_pair(one, value)
    return value


def _refuse_half_a_pair(one: Variable, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as bad:
        raise Invalid(f"the variable {one.name} holds half of a surrogate pair", "re-encode it as Unicode") from bad


def _whole(one: Variable, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(one, value)
    return canonical_text(value)


def _number(one: Variable, value: Any) -> str:
    if not is_number(value):
        raise _wrong_type(one, value)
    return canonical_text(value)


def _flag(one: Variable, value: Any) -> str:
    if not isinstance(value, bool):
        raise _wrong_type(one, value)
    return "true" if value else "false"


def _dialogue(one: Variable, value: Any) -> str:
    if not isinstance(value, list | tuple):
        raise _wrong_type(one, value)
    for message in value:
        fits = isinstance(message, Mapping) and message.get("role") in _DIALOGUE_ROLES
        if not fits or not isinstance(message.get("content"), str):
            raise Invalid(
                f"{one.name} must hold messages of role and content",
                f"a role is one of {', '.join(_DIALOGUE_ROLES)}; a system message never comes from outside",
            )
        _refuse_half_a_pair(one, message["content"])
    return ""


def _wrong_type(one: Variable, value: Any) -> Invalid:
    given = type(value).__name__
    return Invalid(f"the variable {one.name} must be {one.type}, not {given}", f"see the variable {one.name}")


_AS_TEXT: dict[str, Callable[[Variable, Any], str]] = {
    "integer": _whole,
    "number": _number,
    "boolean": _flag,
    "json": lambda _, value: canonical_text(value),
    "messages": _dialogue,
}
