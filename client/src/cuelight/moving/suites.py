"""A suite from a table, from lines of JSON or from recorded calls: inputs by the prompt's own variables, nothing guessed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.format import check
from cuelight.moving import cells
from cuelight.moving.names import CATEGORIES
from cuelight.moving.report import APPROXIMATED, ASSERTION, CARRIED, REFUSED, CannotCarry, Report

_OWN = ("id", "title", "description", "category", "tags", "expected", "label", "graders", "input", "vars", "threshold")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_JSON = re.compile(r"\s*(?:[\[{].*[\]}]|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*", re.DOTALL)
LABELS = 80


@dataclass(slots=True)
class Table:
    """Rows become cases of one suite. `declared` are the variables of the prompt, by name."""

    declared: Mapping[str, Mapping[str, Any]]
    report: Report
    _ids: set[str] = field(default_factory=set)

    def suite(self, name: str, rows: Sequence[Any], source: str) -> dict[str, Any]:
        """The suite's document; a row that cannot be a case is refused, with its number."""
        cases = []
        for number, row in enumerate(rows, 1):
            where = f"{source} row {number}"
            try:
                cases.append(self._case(row, number, where))
            except CannotCarry as bad:
                self.report.add(REFUSED, "row", where, f"row {number}", bad.why)
        return {"suite": name, "cases": cases}

    def _case(self, row: Any, number: int, where: str) -> dict[str, Any]:
        if not isinstance(row, dict):
            raise CannotCarry(f"a {type(row).__name__}, expected an object")
        cells_ = {str(key).strip(): value for key, value in row.items() if str(key).strip()}
        given = self._input(cells_, where)
        free = {key: value for key, value in cells_.items() if key not in self.declared}
        said = _text(free.get("title")) or _text(free.get("description")) or _first(given) or f"row {number}"
        case: dict[str, Any] = {
            "id": self._id(_text(free.get("id")), number),
            "category": self._category(_text(free.get("category")), where),
            "title": re.sub(r"\s+", " ", said).strip()[:200],
        }
        tags = _tags(free.get("tags"))
        label = self._label(free)
        graders = self._graders(free, where)
        case.update({"tags": tags} if tags else {})
        case.update({"label": label} if label else {})
        case["input"] = given
        threshold = cells.number(str(free.get("__threshold", free.get("threshold", ""))))
        case.update({"threshold": threshold} if threshold is not None else {})
        case.update({"graders": graders} if graders else {})
        problems = check("suite", {"suite": "s", "cases": [case]})
        if problems:
            raise CannotCarry(f"{'.'.join(map(str, problems[0].path[2:]))}: {problems[0].message}")
        self._ids.add(case["id"])
        return case

    def _input(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        nested = row.get("input", row.get("vars"))
        given = dict(nested) if isinstance(nested, dict) and "input" not in self.declared else {}
        for key, value in row.items():
            name = key.removeprefix("input.").removeprefix("vars.")
            if name in self.declared:
                given[name] = self._typed(name, value)
            elif key not in _OWN and not key.startswith(("__", "label.", "label:", "expected.", "expected:")):
                words = "no variable of the prompt is called so: left out"
                self.report.add(REFUSED, "column", where.partition(" row")[0], key, words)
        missing = [
            name
            for name, one in self.declared.items()
            if one.get("required", True) and "default" not in one and name not in given
        ]
        if missing:
            raise CannotCarry(f"it gives no {', '.join(missing)}, which the prompt needs")
        return given

    def _typed(self, name: str, value: Any) -> Any:
        """A cell as the type that the variable declares; texts stay as they are."""
        kind = self.declared[name]["type"]
        if kind == "string" or not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as bad:
            raise CannotCarry(f"{name} is {value[:40]!r}, expected {kind}") from bad

    def _id(self, said: str, number: int) -> str:
        wish = said if _ID.fullmatch(said) else f"r{number}"
        if wish in self._ids:
            raise CannotCarry(f"the id {wish} a second time")
        return wish

    def _category(self, said: str, where: str) -> str:
        if not said or said in CATEGORIES:
            return said or "normal"
        made = re.sub(r"[^a-z]+", "_", said.lower()).strip("_")
        if made in CATEGORIES:
            return made
        words = f"{said!r} is none of the ten categories: it counts as normal"
        self.report.add(APPROXIMATED, "category", where.partition(" row")[0], said, words)
        return "normal"

    def _label(self, row: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(row["label"]) if isinstance(row.get("label"), dict) else {}
        if _text(row.get("label")):
            found["label"] = row["label"]
        for key, value in row.items():
            name = key[len("label.") :] if key.startswith(("label.", "label:")) else ""
            if name and value not in ("", None):
                found[name] = _value(value)
        return found

    def _graders(self, row: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
        made = []
        for key, value in row.items():
            if value in ("", None):
                continue
            rule = _rule(key, value)
            for at, one in enumerate(rule):
                problems = check("grader", one)
                place = f"{where} {key}" + (f"[{at}]" if len(rule) > 1 else "")
                if problems:
                    self.report.add(REFUSED, ASSERTION, place, str(one.get("type", "?")), problems[0].message)
                else:
                    self.report.add(CARRIED, ASSERTION, place, str(one["type"]))
                    made.append(one)
        return made


def _rule(key: str, value: Any) -> list[dict[str, Any]]:
    """What one column asks for: a grader, or nothing."""
    if key.startswith("__expected"):
        return [{"severity": "major", **cells.assertion(str(value).strip())}]
    if key == "expected":
        return [{"type": "equals", "severity": "major", "value": value}]
    if key.startswith(("expected.", "expected:")):
        return [{"type": "equals", "severity": "major", "path": key[len("expected.") :], "value": _value(value)}]
    if key == "graders" and isinstance(value, list):
        return [one if isinstance(one, dict) else {"type": str(one)} for one in value]
    return []


def from_calls(name: str, calls: Iterable[Mapping[str, Any]], report: Report) -> dict[str, Any]:
    """Cases out of calls whose variables were kept: no grader, no expected output; people label them. Equal inputs once."""
    cases: list[dict[str, Any]] = []
    seen: set[str] = set()
    for call in calls:
        values = call.get("values")
        if values is None:
            report.add(REFUSED, "call", str(call["id"]), str(call["id"]), "its variables were not kept on the desk")
            continue
        same = json.dumps(values, sort_keys=True)
        if same in seen:
            report.add(
                APPROXIMATED, "call", str(call["id"]), str(call["id"]), "the same input as another call: taken once"
            )
            continue
        seen.add(same)
        id = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(call["id"])).strip("-._")[:80] or f"c{len(cases) + 1}"
        state = (
            "kept its contract" if call.get("ok") else "broke its contract" if call.get("ok") is False else "unknown"
        )
        cases.append(
            {
                "id": id,
                "category": "normal",
                "title": f"call of {str(call['at'])[:10]}, {call.get('version') or 'off'}: to be labelled"[:300],
                "tags": ["to_label", f"output:{state.replace(' ', '_')}"],
                "input": values,
            }
        )
        report.add(CARRIED, "call", str(call["id"]), str(call["id"]))
    return {"suite": name, "cases": cases}


def declared_in(labels: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The variables that any version of a prompt declares; one that only some need is not needed."""
    found: dict[str, dict[str, Any]] = {}
    for document in labels.values():
        for one in document.get("variables", []):
            found.setdefault(one["name"], dict(one))
    for name, one in found.items():
        everywhere = all(
            any(other["name"] == name for other in document.get("variables", [])) for document in labels.values()
        )
        if not everywhere:
            one["required"] = False
    return dict(found)


def _value(value: Any) -> Any:
    """A cell that is written as JSON as that value, any other as text."""
    if not isinstance(value, str) or not _JSON.fullmatch(value):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _tags(said: Any) -> list[str]:
    texts = said if isinstance(said, list) else re.split(r"[,;]", str(said or ""))
    return [str(one).strip() for one in texts if str(one).strip()]


def _text(said: Any) -> str:
    return "" if said is None or isinstance(said, dict | list) else str(said).strip()


def _first(given: Mapping[str, Any]) -> str:
    return next((value for value in given.values() if isinstance(value, str) and value.strip()), "")
