"""Context rules: which information may reach the model, applied to the values before a prompt is rendered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cuelight.contract.condition import holds, same, value_at
from cuelight.contract.errors import Blocked, Invalid


@dataclass(frozen=True, slots=True)
class Cut:
    """What one rule took out: the rule's id, the variable, how many items or characters, in plain words."""

    rule: str
    variable: str
    count: int
    words: str


Values = dict[str, Any]
Kept = tuple[Any, int, str]


def apply(
    rules: list[dict[str, Any]], values: Mapping[str, Any], today: date, *, testing: bool = False
) -> tuple[Values, list[Cut]]:
    """The values that may be used, and what was cut to get there.

    A rule with `action: refuse`, and every `pinned_value`, raises Blocked instead of cutting; a rule that cannot look
    into the value that it is given raises Invalid. A `declared_only` rule does nothing; a rule with `in_tests: false`
    does nothing while `testing`, so that a test set can probe the second line of defence.
    """
    kept, cuts = dict(values), []
    for rule in rules:
        variable = rule.get("variable")
        if "declared_only" in rule or variable not in kept or (testing and rule.get("in_tests") is False):
            continue
        _refuse_shape(rule, kept[variable])
        value, count, words = RULES[rule["rule"]](rule, kept[variable], today)
        if not count:
            continue
        if rule["rule"] == "pinned_value" or rule.get("action", "cut") == "refuse":
            hint = f"change {variable}, or the rule in a new version"
            raise Blocked(f"context rule {rule['id']}: {words}", hint, rule=rule["id"])
        kept[variable] = value
        cuts.append(Cut(rule["id"], variable, count, words))
    return kept, cuts


def _refuse_shape(rule: Mapping[str, Any], value: Any) -> None:
    """A rule that cannot look into a value refuses it: passing it on uncut would be passing it in silence."""
    shape: type = str if rule["rule"] == "max_chars" and not rule.get("field") else list
    if rule["rule"] != "pinned_value" and value is not None and not isinstance(value, shape):
        wanted = "a text" if shape is str else "a list"
        raise Invalid(f"context rule {rule['id']} looks at {wanted}, {rule['variable']} is none", "pass what it reads")


def _max_items(rule: Mapping[str, Any], value: Any, _: date) -> Kept:
    over = len(value) - rule["n"] if isinstance(value, list) else 0
    if over <= 0:
        return value, 0, ""
    kept = value[over:] if rule.get("keep") == "last" else value[: rule["n"]]
    return kept, over, f"{over} more than {rule['n']} items"


def _max_chars(rule: Mapping[str, Any], value: Any, _: date) -> Kept:
    limit, field = rule["n"], rule.get("field")
    if field and isinstance(value, list):
        cut = [_shorten(item, field, limit) for item in value]
        changed = sum(not same(old, new) for old, new in zip(value, cut, strict=True))
        return cut, changed, f"{changed} items with a {field} over {limit} characters"
    over = len(value) - limit if isinstance(value, str) else 0
    return (value[:limit], over, f"{over} characters over {limit}") if over > 0 else (value, 0, "")


def _shorten(item: Any, field: str, limit: int) -> Any:
    text = item.get(field) if isinstance(item, Mapping) else None
    return {**item, field: text[:limit]} if isinstance(text, str) and len(text) > limit else item


def _allowed_values(rule: Mapping[str, Any], value: Any, _: date) -> Kept:
    field, allowed = rule["field"], rule["values"]
    return _filter(value, lambda item: any(same(item.get(field), one) for one in allowed), f"a {field} not allowed")


def _max_age_days(rule: Mapping[str, Any], value: Any, today: date) -> Kept:
    def fresh(item: Mapping[str, Any]) -> bool:
        try:
            age = today - date.fromisoformat(str(item[rule["field"]])[:10])
            return age.days <= int(rule["n"])
        except (KeyError, ValueError):
            return bool(rule.get("undated") == "keep")

    return _filter(value, fresh, f"older than {rule['n']} days")


def _exclude_items(rule: Mapping[str, Any], value: Any, _: date) -> Kept:
    return _filter(value, lambda item: not holds(rule["where"], {"output": item}), "marked as not for use")


def _pinned_value(rule: Mapping[str, Any], value: Any, _: date) -> Kept:
    found = value_at(rule["path"], {"output": value}) if rule.get("path") else value
    return (value, 0, "") if same(found, rule["value"]) else (value, 1, f"must be {rule['value']!r}")


def _filter(value: Any, keep: Callable[[Mapping[str, Any]], bool], words: str) -> Kept:
    if value is None:
        return value, 0, ""
    kept = [item for item in value if isinstance(item, Mapping) and keep(item)]
    out = len(value) - len(kept)
    return kept, out, f"{out} items {words}"


RULES: dict[str, Callable[[Mapping[str, Any], Any, date], Kept]] = {
    "max_items": _max_items,
    "max_chars": _max_chars,
    "allowed_values": _allowed_values,
    "max_age_days": _max_age_days,
    "exclude_items": _exclude_items,
    "pinned_value": _pinned_value,
}
