"""What lint and the gate must see alike in a suite: the whole input of a case, and which graders judge it."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.condition import lookup, same

Json = Mapping[str, Any]
JUDGING = frozenset({"blocker", "major"})  # severities that decide whether a case passes


def whole_input(case: Json, suite: Json) -> dict[str, Any]:
    """The variables of a case, with the suite's defaults and derived ones."""
    given = {**suite.get("defaults", {}), **case["input"]}
    found = {name: lookup(path, {"output": given}) for name, path in suite.get("derived", {}).items()}
    return {**{name: values[0] for name, values in found.items() if values}, **given}


def applies(rule: Json, input: Json, label: Json | None) -> bool:
    """Whether a grader is meant for a case with this input and label."""
    if "label" in rule and not same((label or {}).get(rule["label"]), rule["label_value"]):
        return False
    return "when" not in rule or all(_given(input, path, wanted) for path, wanted in rule["when"].items())


def is_judged(rules: Iterable[Json], input: Json, label: Json | None) -> bool:
    """Whether one of these graders, of severity blocker or major and not only reported, is meant for the case."""
    return any(
        rule["severity"] in JUDGING and rule.get("weight", 1) > 0 and applies(rule, input, label) for rule in rules
    )


def _given(input: Json, path: str, wanted: list[Any]) -> bool:
    return any(same(value, want) for value in lookup(path, {"output": input}) or [None] for want in wanted)
