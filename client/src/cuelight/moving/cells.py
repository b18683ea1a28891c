"""One row of a table as a test: the columns that begin with `__`, and the grammar of an expected cell."""

import re
from collections.abc import Mapping
from typing import Any

from cuelight.moving.names import KNOWN
from cuelight.moving.report import CannotCarry

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CELL = re.compile(
    rf"(not-)?({'|'.join(map(re.escape, sorted(KNOWN, key=len, reverse=True)))})(?:\((\d+(?:\.\d+)?)\))?(?::(.*))?",
    re.DOTALL,
)
_LISTS = {"contains-all", "contains-any", "icontains-all", "icontains-any"}
_AS_WRITTEN = {"contains-json", "is-json"}
_GRADED = {
    "answer-relevance",
    "classifier",
    "context-faithfulness",
    "context-recall",
    "context-relevance",
    "cost",
    "latency",
    "levenshtein",
    "perplexity-score",
    "perplexity",
    "rouge-n",
    "similar",
    "starts-with",
}
_THRESHOLD, _SIMILAR = 0.75, 0.8
_SCRIPT = re.compile(r"file://.*\.(js|cjs|mjs|ts|cts|mts)(:[^/]*)?", re.DOTALL)
_PYTHON = re.compile(r"file://.*\.py(:[^/]*)?", re.DOTALL)


def assertion(cell: str) -> dict[str, Any]:
    """What an expected cell asks for: `type(threshold):value`, code behind its prefix, or the very text."""
    for head in ("javascript:", "fn:", "eval:"):
        if cell.startswith(head):
            return {"type": "javascript", "value": cell[len(head) :].strip()}
    for head in ("grade:", "llm-rubric:"):
        if cell.startswith(head):
            return {"type": "llm-rubric", "value": cell[len(head) :]}
    if cell.startswith("python:"):
        return {"type": "python", "value": cell[len("python:") :].strip()}
    if _SCRIPT.fullmatch(cell):
        return {"type": "javascript", "value": cell}
    if _PYTHON.fullmatch(cell):
        return {"type": "python", "value": cell}
    found = _CELL.fullmatch(cell)
    if found is None:
        return {"type": "equals", "value": cell}
    return _typed(found)


def _typed(found: re.Match[str]) -> dict[str, Any]:
    inverse, kind, threshold, value = found.groups()
    made: dict[str, Any] = {"type": f"{inverse or ''}{kind}"}
    if kind in _LISTS:
        made["value"] = listed(value) if value else value
    elif value is not None:
        made["value"] = value if kind in _AS_WRITTEN else value.strip()
    if kind in _GRADED:
        made["threshold"] = float(threshold) if threshold else _SIMILAR if kind == "similar" else _THRESHOLD
    return {name: one for name, one in made.items() if one is not None}


def listed(text: str) -> list[str]:
    """`a, "b, c"` as `a` and `b, c`; a doubled quote in quotes is one."""
    found, at = [], 0
    while at < len(text):
        while at < len(text) and (text[at].isspace() or text[at] == ","):
            at += 1
        if at >= len(text):
            break
        if text[at] == '"':
            one, at = _quoted(text, at + 1)
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            one, at = text[at:end].strip(), end
        found.append(one)
    return found


def _quoted(text: str, at: int) -> tuple[str, int]:
    made = []
    while at < len(text):
        if text[at] != '"':
            made.append(text[at])
            at += 1
        elif text[at + 1 : at + 2] == '"':
            made.append('"')
            at += 2
        else:
            break
    else:
        raise CannotCarry("a quote in a list of values never closes")
    return "".join(made), at + 1


def number(text: str) -> float | None:
    """The number that a cell holds; None where it holds none."""
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def row_test(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row as a test in the shape of a config. CannotCarry for a column that nobody can read."""
    cells = {str(key).strip(): "" if value is None else value for key, value in row.items()}
    special = {key: value for key, value in cells.items() if key.startswith("__")}
    test: dict[str, Any] = {"vars": {key: value for key, value in cells.items() if key and key not in special}}
    metric = ""
    metadata: dict[str, Any] = {}
    options: dict[str, Any] = {}
    asserts: list[tuple[str, dict[str, Any]]] = []
    for key, value in special.items():
        said = str(value)
        if key.startswith("__expected"):
            if said.strip():
                asserts.append((key, assertion(said.strip())))
        elif key in ("__prefix", "__suffix"):
            options[key[2:]] = said
        elif key in ("__description", "__providerOutput") and said:
            test[key[2:]] = value
        elif key == "__metric":
            metric = said
        elif key == "__threshold" and number(said) is not None:
            test["threshold"] = number(said)
        elif key.startswith("__metadata:") and said.strip():
            _meta(metadata, key.removeprefix("__metadata:"), said)
        elif key.startswith("__config:"):
            _configure(asserts, key, said)
        elif key not in ("__description", "__providerOutput", "__threshold") and not key.startswith("__metadata"):
            test.setdefault("unknown_columns", []).append(key)
    if metric:
        asserts = [(key, {**one, "metric": metric}) for key, one in asserts]
    kept = {"assert": [{**one, "column": key} for key, one in asserts], "options": options, "metadata": metadata}
    return {**test, **{key: one for key, one in kept.items() if one}}


def _meta(metadata: dict[str, Any], key: str, said: str) -> None:
    if key.endswith("[]"):
        parts = re.split(r"(?<!\\),", said)
        metadata[key[:-2]] = [one.strip().replace("\\,", ",") for one in parts]
    else:
        metadata[key] = said


def _configure(asserts: list[tuple[str, dict[str, Any]]], key: str, said: str) -> None:
    """`__config:__expected2:threshold` sets the threshold of the second expected cell of its row."""
    found = re.fullmatch(r"__config:__expected(\d*):threshold", key)
    if found is None:
        raise CannotCarry(f"the column {key}, expected __config:__expected<number>:threshold")
    at, value = int(found.group(1) or 1) - 1, number(said)
    if value is not None and 0 <= at < len(asserts):
        asserts[at][1]["threshold"] = value
