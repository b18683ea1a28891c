"""Graders of lists: an item is there or is not, how many there are, and what each of them has."""

from collections.abc import Mapping
from typing import Any

from cuelight.contract.condition import is_empty, lookup, same
from cuelight_server.evaluation.graders.sample import Rule, Sample, plain, show


def any_item(rule: Rule, sample: Sample) -> str:
    """Some item's field equals the value; an empty field means the item itself."""
    if any(same(value, rule["value"]) for value in _fields(rule, sample)):
        return ""
    return f"no item of {rule['path']} has {_wanted(rule)}"


def no_item(rule: Rule, sample: Sample) -> str:
    """No item's field equals the value."""
    if not any(same(value, rule["value"]) for value in _fields(rule, sample)):
        return ""
    return f"an item of {rule['path']} has {_wanted(rule)}, which none may"


def max_items(rule: Rule, sample: Sample) -> str:
    """At most n items; null counts as an empty list."""
    values = [value for value in sample.at(rule["path"]) if value is not None]
    if any(not isinstance(value, list) for value in values):
        return f"{rule['path']} is {show(values[0])}, wanted a list of at most {rule['n']}"
    count = sum(len(value) for value in values)
    return f"{rule['path']} has {count} items, wanted at most {rule['n']}" if count > rule["n"] else ""


def min_items_at(rule: Rule, sample: Sample) -> str:
    """At least n items, in a list that is there."""
    values = sample.at(rule["path"])
    if any(not isinstance(value, list) for value in values):
        return f"{rule['path']} is {show(values[0])}, wanted a list of at least {rule['n']}"
    count = sum(len(value) for value in values)
    return f"{rule['path']} has {count} items, wanted at least {rule['n']}" if count < rule["n"] else ""


def each_item_has(rule: Rule, sample: Sample) -> str:
    """Every item at these paths has the field, and it is not empty."""
    for path in rule["paths"]:
        for number, item in enumerate(sample.found([path]), 1):
            if not isinstance(item, Mapping) or is_empty(_field(item, rule["field"])):
                return f"item {number} of {path} has no {rule['field']}: {show(item)}"
    return ""


def _fields(rule: Rule, sample: Sample) -> list[Any]:
    items: list[Any] = []
    for value in lookup(rule["path"], sample.document):
        items.extend(value if isinstance(value, list) else [value])
    field = rule.get("field", "")
    return items if not field else [value for item in items for value in lookup(field, {"output": item})]


def _field(item: Mapping[str, Any], field: str) -> Any:
    found = lookup(field, {"output": item})
    return found[0] if found else None


def _wanted(rule: Rule) -> str:
    field = rule.get("field", "")
    return f"{field} {plain(rule['value'])}" if field else f"the value {plain(rule['value'])}"
