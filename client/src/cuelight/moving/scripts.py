"""Simple graders of ours as JavaScript that promptfoo runs: the value at a path, looked at as we look at it."""

import json
import re
from collections.abc import Mapping
from typing import Any

_AT = """\
const parsed = () => { try { return JSON.parse(output); } catch { return undefined; } };
const steps = PATH.split('.');
let found = PATH === '$text' ? [output] : [parsed()];
if (PATH !== '$text') for (const step of steps) {
  const every = step.endsWith('[*]'), name = every ? step.slice(0, -3) : step;
  found = found.filter(one => one !== null && typeof one === 'object' && name in one).map(one => one[name]);
  if (every) found = found.filter(Array.isArray).flat();
}
const values = found.length || PATH.includes('[*]') ? found : [null];
const text = values.filter(one => one !== null && one !== undefined)
  .map(one => typeof one === 'string' ? one : JSON.stringify(one)).join('\\n');
const empty = one => one === null || one === undefined || (typeof one === 'string' && !one.trim())
  || (typeof one === 'object' && !Object.keys(one).length);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
"""
_CHECKS = {
    "equals": "values.every(one => same(one, VALUE))",
    "not_equals": "!values.some(one => same(one, VALUE))",
    "one_of": "values.every(one => VALUES.some(want => same(one, want)))",
    "contains_any": "VALUES.some(want => text.toLowerCase().includes(want.toLowerCase()))",
    "contains_all": "VALUES.every(want => text.toLowerCase().includes(want.toLowerCase()))",
    "not_contains": "!VALUES.some(want => text.toLowerCase().includes(want.toLowerCase()))",
    "regex": "new RegExp(PATTERN, 'i').test(text)",
    "not_regex": "!new RegExp(PATTERN, 'i').test(text)",
    "non_empty": "!values.some(empty)",
    "is_empty": "values.every(empty)",
    "number_range": "values.every(one => typeof one === 'number' && one >= MIN && one <= MAX)",
    "max_words": "text.split(/\\s+/).filter(Boolean).length <= N",
    "max_chars": "[...text].length <= N",
    "max_items": "values.every(one => one === null || Array.isArray(one)) && values.flat().filter(one => one !== null).length <= N",
    "min_items_at": "values.every(Array.isArray) && values.flat().length >= N",
}


def script(rule: Mapping[str, Any]) -> str | None:
    """The body of a javascript assertion; None where a grader is more than a look at one path of the output."""
    check, path = _CHECKS.get(str(rule["type"])), rule.get("path", "")
    if check is None or not path or (path.startswith("$") and path != "$text"):
        return None
    given = {
        "PATH": path,
        "VALUE": rule.get("value"),
        "VALUES": rule.get("values", []),
        "PATTERN": rule.get("pattern", ""),
        "MIN": rule.get("min", -1e308),
        "MAX": rule.get("max", 1e308),
        "N": rule.get("n", 0),
    }
    used = {name: value for name, value in given.items() if name == "PATH" or _word(name, check)}
    head = "".join(f"const {name} = {json.dumps(value, ensure_ascii=False)};\n" for name, value in used.items())
    return f"{head}{_AT}return parsed() !== undefined && {check};" if path != "$text" else f"{head}{_AT}return {check};"


def _word(name: str, check: str) -> bool:
    return re.search(rf"\b{name}\b", check) is not None
