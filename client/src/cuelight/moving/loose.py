"""Files as other tools write them, read generously and within limits: YAML with merge keys, JSON, lines of JSON, CSV."""

import csv
import io
import math
from collections.abc import Iterator
from typing import Any

import yaml

from cuelight.files.json_text import parse_json
from cuelight.files.yaml_lines import Parsed, Reader, plain
from cuelight.moving.report import CannotCarry

MAX_ROWS, MAX_COLUMNS, MAX_CELL = 20_000, 500, 1_000_000
_MAX_SAFE = 2**53 - 1
_TAGS = {
    None,
    "!",
    *(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")),
}


class _Generous(Reader):
    """YAML 1.2 with the merge key and keys of any scalar; nothing is ever made of a tag."""

    def _object(self, events: Iterator[Any], path: tuple[str | int, ...], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                words = "an object or a list as a key, expected text"
                raise self._stop(event, words, 'quote a value that begins with {{: "{{name}}"')
            key = str(event.value)
            if key in found:
                self._fault(event, f"the key {key!r} a second time", "keep one of the two")
            value = self._node(next(events), events, (*path, key), depth + 1)
            if key == "<<" and event.implicit[0]:
                for one in value if isinstance(value, list) else [value]:
                    merged.update({name: it for name, it in one.items() if name not in merged} if one else {})
            else:
                found[key] = value
        return {**merged, **found}

    def _value(self, event: Any, events: Iterator[Any], path: tuple[str | int, ...], depth: int) -> Any:
        if event.tag not in _TAGS:
            self._fault(event, f"the tag {event.tag}, expected none", "write plain values; nothing is made of a tag")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        return self._list(events, path, depth) if is_list else self._object(events, path, depth)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        value = plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            return text
        return float(value) if isinstance(value, int) and abs(value) > _MAX_SAFE else value


def read_yaml(text: str, file: str) -> Any:
    """One YAML document as JSON values. CannotCarry where it is broken, too deep, or unfolds to too much."""
    parsed: Parsed = _Generous(text, file).read()
    _refuse(parsed.faults)
    return parsed.value


def read_json(text: str, file: str) -> Any:
    """One JSON value. CannotCarry where it is broken."""
    value, faults = parse_json(text, file)
    _refuse(faults)
    return value


def read_lines(text: str, file: str) -> list[Any]:
    """One JSON value a line. CannotCarry names the line that is broken."""
    rows = [row for row in text.split("\n") if row.strip()]
    _refuse_many(len(rows), file)
    found = []
    for number, row in enumerate(text.split("\n"), 1):
        if row.strip():
            value, faults = parse_json(row, file, number)
            _refuse(faults)
            found.append(value)
    return found


def read_csv(text: str, file: str) -> list[dict[str, str]]:
    """Rows by column, cells trimmed, empty lines left out. CannotCarry where a quote never closes or it is too large."""
    first = text.partition("\n")[0]
    delimiter = next((one for one in (",", ";", "\t") if one in first), ",")
    rows = _parsed(text, file, delimiter)
    if not rows:
        raise CannotCarry(f"{file} is empty, expected a row of column names")
    names = [
        f"{name}#{at}" if name == "__expected" and name in rows[0][:at] else name for at, name in enumerate(rows[0])
    ]
    _refuse_twice(names, file)
    return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows[1:]]


def _parsed(text: str, file: str, delimiter: str) -> list[list[str]]:
    """Quotes as the standard has them; where one stands inside a cell, it is taken as it is."""
    csv.field_size_limit(MAX_CELL)
    for strict in (True, False):
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=strict)
        try:
            return list(_rows(reader, file))
        except csv.Error as bad:
            if "expected after" not in str(bad):
                raise CannotCarry(f"{file} is no CSV: {bad}") from bad
    raise CannotCarry(f"{file} is no CSV")


def _rows(reader: Iterator[list[str]], file: str) -> Iterator[list[str]]:
    for count, row in enumerate(reader):
        _refuse_many(count, file)
        if len(row) > MAX_COLUMNS:
            raise CannotCarry(f"{file} has a row of {len(row)} cells, at most {MAX_COLUMNS} fit")
        if any(cell.strip() for cell in row):
            yield [cell.strip() for cell in row]


def _refuse_twice(names: list[str], file: str) -> None:
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise CannotCarry(f"{file} has two columns called {twice}")


def _refuse_many(count: int, file: str) -> None:
    if count > MAX_ROWS:
        raise CannotCarry(f"{file} has more than {MAX_ROWS:,} rows")


def _refuse(faults: list[Any]) -> None:
    if faults:
        first = faults[0]
        raise CannotCarry(f"{first}" + (f" ({first.hint})" if first.hint else ""))
