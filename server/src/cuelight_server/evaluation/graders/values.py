"""Graders of single values: equal, one of, empty, in a range, never with a label, and one thing implying another.

A path with `[*]` means every value there: each must be as wanted.
"""

from cuelight.contract.condition import holds, is_empty, is_number, same, value_at
from cuelight_server.evaluation.graders.sample import Rule, Sample, plain, show


def equals(rule: Rule, sample: Sample) -> str:
    """The value at path is equal."""
    wrong = [value for value in sample.at(rule["path"]) if not same(value, rule["value"])]
    return f"{rule['path']} is {show(wrong[0])}, wanted {plain(rule['value'])}" if wrong else ""


def not_equals(rule: Rule, sample: Sample) -> str:
    """The value at path is not equal."""
    wrong = [value for value in sample.at(rule["path"]) if same(value, rule["value"])]
    return f"{rule['path']} is {show(wrong[0])}, wanted anything else" if wrong else ""


def one_of(rule: Rule, sample: Sample) -> str:
    """The value at path is one of these."""
    wrong = [value for value in sample.at(rule["path"]) if not any(same(value, want) for want in rule["values"])]
    return f"{rule['path']} is {show(wrong[0])}, wanted one of {plain(rule['values'])}" if wrong else ""


def non_empty(rule: Rule, sample: Sample) -> str:
    """The value at path is there and not empty."""
    wrong = [value for value in sample.at(rule["path"]) if is_empty(value)]
    return f"{rule['path']} is {show(wrong[0])}, wanted something" if wrong else ""


def is_empty_at(rule: Rule, sample: Sample) -> str:
    """The value at path is null or empty."""
    wrong = [value for value in sample.at(rule["path"]) if not is_empty(value)]
    return f"{rule['path']} is {show(wrong[0])}, wanted nothing" if wrong else ""


def number_range(rule: Rule, sample: Sample) -> str:
    """The number at path lies between min and max, both included."""
    least, most = rule.get("min", float("-inf")), rule.get("max", float("inf"))
    wrong = [value for value in sample.at(rule["path"]) if not (is_number(value) and least <= value <= most)]
    if not wrong:
        return ""
    limits = [f"at least {rule['min']}" if "min" in rule else "", f"at most {rule['max']}" if "max" in rule else ""]
    return f"{rule['path']} is {show(wrong[0])}, wanted a number {' and '.join(filter(None, limits))}".rstrip()


def label_never(rule: Rule, sample: Sample) -> str:
    """For a case with this label, the value at path is never the forbidden one."""
    wrong = [value for value in sample.at(rule["path"]) if same(value, rule["forbidden"])]
    told = f"the case has {rule['label']} {plain(rule['label_value'])}"
    return f"{rule['path']} is {show(wrong[0])}, which it must never be: {told}" if wrong else ""


def implies(rule: Rule, sample: Sample) -> str:
    """If one condition holds, another must."""
    if not holds(rule["if"], sample.document) or holds(rule["then"], sample.document):
        return ""
    return f"{_words(rule['if'], sample)}, but not: {_words(rule['then'], sample)}"


def _words(condition: Rule, sample: Sample) -> str:
    for word in ("all", "any"):
        if word in condition:
            joint = " and " if word == "all" else " or "
            return "(" + joint.join(_words(part, sample) for part in condition[word]) + ")"
    if "not" in condition:
        return f"not {_words(condition['not'], sample)}"
    asked = " and ".join(
        f"{name.replace('_', ' ')} {show(value)}" for name, value in condition.items() if name != "path"
    )
    return f"{condition['path']} {asked} (it is {show(value_at(condition['path'], sample.document))})"
