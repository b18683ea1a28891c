"""The output contract: strict parse, JSON Schema, cross-field rules, and what happens when an output breaks them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.condition import holds
from cuelight.contract.schemas import schema_validator

MAX_CHARS = 2_000_000
MAX_DEPTH = 100
_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which an output breaks its contract. `code` is stable, `path` a dotted place, `message` for people."""

    code: str
    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome of checking one output; `value` is the parsed JSON, or the text itself for text contracts."""

    value: Any
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with an output that broke its contract: `kind` is retry, person, park, fixed or refuse."""

    kind: str
    target: str = ""
    value: Any = None
    with_error: bool = False


@dataclass(frozen=True)
class OutputContract:
    """One output contract, compiled once; `validate` may be called from any thread."""

    document: Mapping[str, Any]
    _validator: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compile the schema; Invalid where it is not one."""
        schema = self.document.get("schema")
        object.__setattr__(self, "_validator", schema_validator(schema, "the output") if schema is not None else None)

    def validate(self, text: str, facts: Mapping[str, Any] | None = None) -> Validation:
        """Check one raw output. `facts` are further documents that rules may name, such as `input`."""
        if len(text) > MAX_CHARS:
            return Validation(None, (Finding("too_large", f"the output has more than {MAX_CHARS} characters"),))
        if self.document.get("format") == "text":
            return Validation(text, self._rules(text, text, facts))
        value, finding = parse(text, strict=self.document.get("strict", True))
        if finding:
            return Validation(value, (finding,))
        return Validation(value, (*self._schema(value), *self._rules(value, text, facts)))

    def _schema(self, value: Any) -> tuple[Finding, ...]:
        return schema_findings(self._validator, value) if self._validator is not None else ()

    def _rules(self, value: Any, text: str, facts: Mapping[str, Any] | None) -> tuple[Finding, ...]:
        document = {**(facts or {}), "output": value, "text": text}
        return tuple(
            Finding(f"rule:{rule['id']}", rule.get("message") or f"the rule {rule['id']} does not hold")
            for rule in self.document.get("rules", ())
            if "declared_only" not in rule
            and (rule.get("when") is None or holds(rule["when"], document))
            and not holds(rule["require"], document)
        )


def schema_findings(validator: Any, value: Any) -> tuple[Finding, ...]:
    """Schema errors of one value, at most 25, each with the keyword that failed as its code."""
    found = []
    for error in validator.iter_errors(value):
        keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
        found.append(Finding(f"schema:{keyword}", _short(error.message), ".".join(map(str, error.instance_path))))
        if len(found) == _SHOWN:
            break
    return tuple(found)


def parse(text: str, *, strict: bool = True) -> tuple[Any, Finding | None]:
    """(value, None) of a text that is one JSON value and nothing else, or (None, finding).

    Codes: `fence`, `preface`, `trailing`, `not_json`. RFC 8259 with no NaN, no doubled key, at most 100 levels. With
    `strict` false a code fence around the value is taken off first; (value, None) is given for what is inside.
    """
    body = text.strip(" \t\r\n")
    if body.startswith("```"):
        if strict:
            return None, Finding("fence", "the output stands in a code fence")
        body = body.partition("\n")[2].rpartition("```")[0].strip()
    try:
        return _loads(body), None
    except (ValueError, RecursionError) as bad:
        return None, _explain(body, _reason(bad))


def _loads(body: str) -> Any:
    value = json.loads(body, object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite)
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [part for item in level for part in _inside(item)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def _inside(value: Any) -> list[Any]:
    """What a list or an object holds, and something even where it is empty, so that it counts as a level."""
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return (value or [None]) if isinstance(value, list) else []


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large for a JSON number")
    return number


def _reason(bad: ValueError | RecursionError) -> str:
    """What a reader complains about, in words; never a parser's or the interpreter's own."""
    if isinstance(bad, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    if isinstance(bad, json.JSONDecodeError):
        found = bad.doc[bad.pos : bad.pos + 1]
        return (
            f"{'it ends' if not found else f'{found!r} stands'} at line {bad.lineno}, column {bad.colno}, expected JSON"
        )
    return str(bad)


def _explain(body: str, reason: str) -> Finding:
    start = min((at for at in (body.find("{"), body.find("[")) if at >= 0), default=-1)
    if start < 0:
        return Finding("not_json", "the output is not JSON: " + _short(reason))
    try:
        _, length = json.JSONDecoder().raw_decode(body[start:])
    except (ValueError, RecursionError):
        return Finding("not_json", "the output is not JSON: " + _short(reason))
    if start > 0:
        return Finding("preface", "there is text before the JSON: " + repr(_short(body[:start], 60)))
    if length < len(body):
        return Finding("trailing", "there is text after the JSON: " + repr(_short(body[length:], 60)))
    return Finding("not_json", "the output is not JSON: " + _short(reason))


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def next_step(on_invalid: list[dict[str, Any]], attempts: int) -> Step:
    """What the declared path says after `attempts` outputs of one call broke the contract (1 = the first did).

    No declared path, or one that has run out, means a person: never a silent pass.
    """
    used = 1
    for step in on_invalid:
        if "retry" in step:
            used += step["retry"]
            if attempts < used:
                return Step("retry", with_error=bool(step.get("with_error", False)))
            continue
        for kind in ("person", "park"):
            if kind in step:
                return Step(kind, target=step[kind])
        if "fixed" in step:
            return Step("fixed", value=step["fixed"])
    return Step("person", target="the workflow owner")
