"""The assertions under promptfoo's names that need nobody else's word: which there are, what each has to be given, and what can never work.

Lint and the graders see them alike. Every name may stand with `not-` before it.
"""

import json
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from cuelight.contract.schemas import schema_validator
from cuelight_server.kernel import ecmascript
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.javascript import text_of
from cuelight_server.kernel.judges import CUSTOM, ELSEWHERE, PAIRWISE
from cuelight_server.kernel.placeholders import refuse_broken, templated

Json = Mapping[str, Any]
NOT = "not-"
SET = "assert-set"
BOTH = frozenset({"equals", "regex"})  # names that Cuelight's own graders have too


class Need(StrEnum):
    """What an assertion has to be given."""

    NOTHING = "nothing"
    ANYTHING = "`value`"
    TEXT = "`value`: a text or a number, not empty"
    TEXTS = "`value`: a list, or a text with commas between"
    REFERENCES = "`value`: a text, or a list of texts"
    REFERENCE = "`value`: a text"
    SCHEMA = "`value`, if given: a JSON Schema"
    PATTERN = "`value`: an ECMAScript pattern without flags"
    COUNT = "`value`: a number, or `{min, max}`"
    LIMIT = "`threshold`"
    CODE = "`value`: the code"
    OPTIONS = "`value`, if given: an object"
    STEPS = "`value`: steps"
    SETS = "`assert`: a list of graders"


NEEDS: Mapping[str, Need] = {
    "contains": Need.TEXT,
    "icontains": Need.TEXT,
    "contains-any": Need.TEXTS,
    "icontains-any": Need.TEXTS,
    "contains-all": Need.TEXTS,
    "icontains-all": Need.TEXTS,
    "starts-with": Need.TEXT,
    "equals": Need.ANYTHING,
    "regex": Need.PATTERN,
    "is-json": Need.SCHEMA,
    "contains-json": Need.SCHEMA,
    "javascript": Need.CODE,
    "python": Need.CODE,
    "latency": Need.LIMIT,
    "cost": Need.LIMIT,
    "levenshtein": Need.REFERENCE,
    "word-count": Need.COUNT,
    "is-refusal": Need.NOTHING,
    "is-html": Need.NOTHING,
    "contains-html": Need.NOTHING,
    "is-xml": Need.OPTIONS,
    "contains-xml": Need.OPTIONS,
    "is-sql": Need.OPTIONS,
    "contains-sql": Need.OPTIONS,
    "rouge-n": Need.REFERENCE,
    "bleu": Need.REFERENCES,
    "gleu": Need.REFERENCES,
    "meteor": Need.REFERENCES,
    "perplexity": Need.NOTHING,
    "perplexity-score": Need.NOTHING,
    "finish-reason": Need.REFERENCE,
    "is-valid-function-call": Need.NOTHING,
    "is-valid-openai-function-call": Need.NOTHING,
    "is-valid-openai-tools-call": Need.NOTHING,
    "tool-call-f1": Need.TEXTS,
    "trajectory:tool-used": Need.STEPS,
    "trajectory:tool-args-match": Need.STEPS,
    "trajectory:tool-sequence": Need.STEPS,
    "trajectory:step-count": Need.STEPS,
    "trace-span-count": Need.STEPS,
    "trace-span-duration": Need.STEPS,
    "trace-error-spans": Need.NOTHING,
    "skill-used": Need.STEPS,
    "ruby": Need.CODE,
    SET: Need.SETS,
}
NAMES = frozenset(name for base in NEEDS for name in (base, NOT + base)) - {NOT + SET}
_MEMBERS = frozenset(NEEDS) - {SET} | ELSEWHERE - PAIRWISE - (CUSTOM - {"webhook"})
NEVER = frozenset(  # known, and nothing here can run them yet: a suite that needs them is never a pass
    {
        "perplexity",
        "perplexity-score",
        "trace-span-count",
        "trace-span-duration",
        "trace-error-spans",
        "skill-used",
        "ruby",
    }
)
DIALECTS = {
    "mysql": "mysql", "mariadb": "mysql", "postgresql": "postgres", "postgres": "postgres", "sqlite": "sqlite",
    "transactsql": "tsql", "bigquery": "bigquery", "snowflake": "snowflake", "redshift": "redshift", "hive": "hive",
    "athena": "athena", "trino": "trino",
}  # fmt: skip
_PROBABILITY = frozenset({"rouge-n", "bleu", "gleu", "meteor", "tool-call-f1", "perplexity-score", SET})


def base_of(kind: str) -> tuple[str, bool]:
    """The name without `not-`, and whether it stood there."""
    return kind.removeprefix(NOT), kind.startswith(NOT)


def is_assertion(rule: Json) -> bool:
    """Whether a grader is one of promptfoo's: `equals` with a path and `regex` with a pattern are Cuelight's own."""
    kind = rule["type"]
    own = kind in BOTH and ("pattern" in rule if kind == "regex" else "path" in rule)
    return kind in NAMES and not own


def refuse_wrong(rule: Json, *, rendered: bool = False) -> None:
    """Invalid where an assertion can never work as it is written: something is missing, empty, or contradicts itself.

    A value that is still to be rendered with the inputs of a case is looked at once it is: then it is `rendered`.
    """
    kind, _ = base_of(rule["type"])
    value = rule.get("value")
    need = NEEDS.get(kind)
    if not rendered:
        refuse_broken(value)
    if kind in _PROBABILITY and not 0 <= rule.get("threshold", 0) <= 1:
        raise Invalid(f"{kind} gives a score from 0 to 1, its threshold is {rule['threshold']}", "give 0 to 1")
    if need is Need.SETS:
        _refuse_wrong_set(rule)
    elif need is not None and (rendered or need is Need.LIMIT or not templated(value)):
        _CHECKS.get(need, _nothing)(rule, value)


def pieces(value: Any) -> list[str]:
    """The texts of a list, or of a text with commas between; in double quotes a comma is part of its text."""
    if isinstance(value, list):
        return [text_of(one) for one in value]
    if not isinstance(value, str):
        return [text_of(value)]
    found, quoted = [""], False
    for char in value:
        if char == '"':
            quoted = not quoted
        if char == "," and not quoted:
            found.append("")
        else:
            found[-1] += char
    return [one[1:-1] if len(one) > 1 and one[0] == one[-1] == '"' else one for one in map(str.strip, found)]


def schema_of(value: Any) -> Any:
    """The compiled schema of is-json and contains-json, with formats; None where none is given. Invalid where it is none."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as bad:
            raise Invalid("the schema is a text that is no JSON", "write it as an object, not as a text") from bad
    return None if value is None or value == "" else schema_validator(value, "the grader", formats=True)


def dialect_of(value: Any) -> str:
    """The dialect of is-sql and contains-sql, as `sqlglot` calls it. Invalid where there is no reader for it."""
    name = str(value.get("databaseType", "MySQL")) if isinstance(value, Mapping) else "MySQL"
    if name.lower() not in DIALECTS:
        raise Invalid(f"there is no reader for SQL of {name!r}", f"there are: {', '.join(sorted(DIALECTS))}")
    return DIALECTS[name.lower()]


def _nothing(_rule: Json, _value: Any) -> None:
    return


def _text(rule: Json, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise Invalid(f"{rule['type']} has no text to look for", "give a `value`: a text or a number, not empty")


def _texts(rule: Json, value: Any) -> None:
    if not value or not isinstance(value, str | list) or not any(pieces(value)):
        raise Invalid(f"{rule['type']} has nothing to look for", "give a `value`: a list of texts, not empty")


def _references(rule: Json, value: Any) -> None:
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(one, str) and one.strip() for one in listed):
        raise Invalid(f"{rule['type']} has no text to compare with", "give a `value`: a text, or a list of texts")


def _reference(rule: Json, value: Any) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{rule['type']} has no text to compare with", "give a `value`: a text")


def _anything(rule: Json, _value: Any) -> None:
    if "value" not in rule:
        raise Invalid(f"{rule['type']} has no value", "give a `value`, which may be null")


def _schema(rule: Json, value: Any) -> None:
    if value is not None and not isinstance(value, str | Mapping | bool):
        raise Invalid(f"the value of {rule['type']} is no JSON Schema", "give an object, or leave `value` out")
    schema_of(value)


def _pattern(rule: Json, value: Any) -> None:
    _text(rule, value)
    ecmascript.compiled(text_of(value))


def _count(rule: Json, value: Any) -> None:
    if isinstance(value, Mapping):
        least, most = value.get("min"), value.get("max")
        if (least is None and most is None) or not all(_number(one) for one in (least, most) if one is not None):
            raise Invalid(f"{rule['type']} has neither min nor max", "give numbers: value: {min: 2, max: 40}")
        if least is not None and most is not None and float(least) > float(most):
            raise Invalid(f"no count is at least {least} and at most {most}", "exchange min and max")
    elif not _number(value):
        raise Invalid(f"{rule['type']} has no number", "give a `value`: a number, or {min: 2, max: 40}")


def _limit(rule: Json, _value: Any) -> None:
    if "threshold" not in rule or rule["threshold"] < 0:
        unit = "milliseconds" if rule["type"].endswith("latency") else "USD"
        raise Invalid(f"{rule['type']} has no limit", f"give a `threshold` in {unit}, from 0")


def _code(rule: Json, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{rule['type']} has no code", "give a `value`: the code itself")
    if value.startswith("file://"):
        raise Invalid(
            f"{rule['type']} points to {value:.80}, and the desk reads no files",
            "put the code itself here: `cuelight import promptfoo` does",
        )


def _options(rule: Json, value: Any) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise Invalid(f"the value of {rule['type']} is no object", "give an object, or leave `value` out")
    if rule["type"].endswith("-sql"):
        dialect_of(value)
    for name in ("allowedTables", "allowedColumns", "requiredElements"):
        listed = (value or {}).get(name)
        if listed is not None and not _is_names(listed):
            raise Invalid(f"{name} is no list of names", f"give a list: {name}: [users]")
        for one in ([listed] if isinstance(listed, str) else listed or ()) if name.startswith("allowed") else ():
            ecmascript.compiled(f"^(?:{one})$")


def _steps(rule: Json, value: Any) -> None:
    if not value or not isinstance(value, str | list | Mapping):
        raise Invalid(f"{rule['type']} does not say what is wanted", "give a `value`: a name, a list or an object")
    kind, whole = base_of(rule["type"])[0], value if isinstance(value, Mapping) else {}
    listed = value if isinstance(value, list) else whole.get("steps", [])
    if not isinstance(listed, list) or not all(_is_step(one) for one in (whole, *listed)):
        raise Invalid(
            f"{rule['type']} has a step that is none", "a step is a name, or {name: search}, or {pattern: se*}"
        )
    if kind == "trajectory:tool-sequence" and not (listed or isinstance(value, str)):
        raise Invalid(f"{rule['type']} has no steps", "list the tools in the order in which they are to be called")
    if kind == "trajectory:tool-args-match" and not (
        {"args", "arguments"} & set(whole) and {"name", "pattern"} & set(whole)
    ):
        raise Invalid(f"{rule['type']} does not say which arguments", "value: {name: search, args: {query: shoes}}")


def _is_step(one: Any) -> bool:
    """Whether this is a step: a name, or an object in which every key that is known has what belongs to it."""
    if isinstance(one, str):
        return True
    return isinstance(one, Mapping) and all(fits(one[name]) for name, fits in _STEP.items() if name in one)


def _is_names(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


_STEP: Mapping[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str),
    "pattern": lambda value: isinstance(value, str),
    "type": lambda value: isinstance(value, str),
    "mode": lambda value: value in ("exact", "partial", "in_order"),
    "min": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "max": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "defaults": lambda value: isinstance(value, Mapping),
    "ignore": _is_names,
}


def _refuse_wrong_set(rule: Json) -> None:
    if not rule.get("assert"):
        raise Invalid("an assert-set has no graders", "list them under `assert`")
    for one in rule["assert"]:
        kind, _ = base_of(one["type"])
        if kind in PAIRWISE:
            raise Invalid(f"an assert-set holds {kind}, which compares whole versions", "put it beside the set")
        if kind not in _MEMBERS:
            raise Invalid(f"an assert-set holds {one['type']!r}", "only graders under promptfoo's names go into a set")
        if kind in NEEDS:
            refuse_wrong(one)


def _number(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return math.isfinite(float(value))
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


_CHECKS: Mapping[Need, Callable[[Json, Any], None]] = {
    Need.ANYTHING: _anything,
    Need.TEXT: _text,
    Need.TEXTS: _texts,
    Need.REFERENCES: _references,
    Need.REFERENCE: _reference,
    Need.SCHEMA: _schema,
    Need.PATTERN: _pattern,
    Need.COUNT: _count,
    Need.LIMIT: _limit,
    Need.CODE: _code,
    Need.OPTIONS: _options,
    Need.STEPS: _steps,
}
