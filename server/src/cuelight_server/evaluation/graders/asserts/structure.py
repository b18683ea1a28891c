"""Assertions on structure: the output is JSON, or holds some; it fits a schema."""

import json
from collections.abc import Iterator
from typing import Any

from cuelight.contract.output import schema_findings
from cuelight_server.evaluation.graders.asked import Asked, Assertion, said
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.kernel.assertions import schema_of

_EFFORT = 8  # characters read a character of the output, when looking for objects in something broken


def _is_json(asked: Asked) -> Outcome:
    if not isinstance(asked.output, str):
        return _fits(asked, asked.output)
    try:
        value = json.loads(asked.text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return said(asked, held=False, wanted="be JSON and nothing else")
    return _fits(asked, value)


def _fits(asked: Asked, value: Any) -> Outcome:
    if asked.ready is None or asked.ready.is_valid(value):
        return said(asked, held=True, wanted="be JSON" + (" that fits the schema" if asked.ready else ""))
    return said(asked, held=False, wanted=f"fit the schema; {_wrong(asked.ready, value)}")


def _contains_json(asked: Asked) -> Outcome:
    found, last = False, None
    for value in objects_in(asked.text):
        if asked.ready is None or asked.ready.is_valid(value):
            return said(asked, held=True, wanted="contain a JSON object" + (" that fits" if asked.ready else ""))
        found, last = True, value
    wrong = f" that fits the schema; {_wrong(asked.ready, last)}" if found else ""
    return said(asked, held=False, wanted=f"contain a JSON object{wrong}")


def objects_in(text: str) -> Iterator[Any]:
    """Every JSON object in a text, outermost first; in bounded time, also where braces never close."""
    reader = json.JSONDecoder(parse_constant=_no_constant)
    at, left = text.find("{"), _EFFORT * len(text) + 1_000
    while at >= 0 and left > 0:
        try:
            value, end = reader.raw_decode(text, at)
        except json.JSONDecodeError as bad:
            left -= max(bad.pos - at, 1)
            at = text.find("{", at + 1)
        except (ValueError, RecursionError):
            left -= 1_000
            at = text.find("{", at + 1)
        else:
            yield value
            at = text.find("{", end)


def _wrong(validator: Any, value: Any) -> str:
    findings = schema_findings(validator, value)
    return "; ".join(f"{one.path or 'the output'}: {one.message}" for one in findings[:3])


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


TABLE = {
    "is-json": Assertion(check=_is_json, ready=lambda _rule, value: schema_of(value)),
    "contains-json": Assertion(check=_contains_json, ready=lambda _rule, value: schema_of(value)),
}
