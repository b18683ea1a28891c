"""YAML as Cuelight reads it: the 1.2 core schema, one line number for every value, nothing that guesses."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from cuelight.files.faults import Fault, Path
from cuelight.files.yaml_errors import explain

MAX_DEPTH = 60
MAX_ALIASED = 10_000
_MAX_SAFE = 2**53 - 1  # beyond this JSON readers no longer agree on an integer

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")  # YAML 1.2.2, 10.3.2
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CORE = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}
_TEXT = {"!", "tag:yaml.org,2002:str"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Parsed:
    """One YAML document: its value, the line (from 1) of every place in it, and what is wrong with it."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    empty: bool = False


def parse(text: str, file: str) -> Parsed:
    """Read one document.

    Dates, `yes`, `no` and `on` stay text. Duplicate keys, keys that are no text, foreign tags, merge keys, numbers that
    JSON cannot hold, nesting beyond 60 levels and aliases that unfold to more than 10,000 values are faults.
    """
    return Reader(text, file).read()


def plain(text: str) -> Any:
    """What an unquoted scalar means in the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else _whole(text)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")) if _FLOAT.fullmatch(text) else text


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= len(str(_MAX_SAFE)) + 1 else float(text)


class _Stop(Exception):
    """Reading cannot go on; the fault says why."""


class Reader:
    """Reads one document, event by event; a subclass may be kinder to other dialects."""

    def __init__(self, text: str, file: str) -> None:
        """Read `text`; faults name `file`."""
        self.text, self.file, self.out = text, file, Parsed()
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.count = self.aliased = 0

    def read(self) -> Parsed:
        """The document, with what is wrong in it."""
        try:
            self._document(self._events())
        except _Stop:
            pass
        except yaml.YAMLError as bad:
            self.out.faults.append(explain(bad, self.text, self.file))
        return self.out

    def _events(self) -> Iterator[Any]:
        events: Iterator[Any] = yaml.parse(self.text, Loader=_LOADER)
        return events

    def _document(self, events: Iterator[Any]) -> None:
        next(events)
        if isinstance(next(events), yaml.StreamEndEvent):
            self.out.empty = True
            return
        self.out.value = self._node(next(events), events, (), 0)
        next(events)
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._fault(after, "a second document begins here, expected one a file", "remove the --- line")

    def _fault(self, event: Any, message: str, hint: str = "") -> None:
        self.out.faults.append(Fault(self.file, event.start_mark.line + 1, message, hint))

    def _stop(self, event: Any, message: str, hint: str) -> _Stop:
        self._fault(event, message, hint)
        return _Stop()

    def _node(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._stop(event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        self.out.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self.count
        self.count += 1
        value = self._value(event, events, path, depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def _value(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._fault(event, f"the tag {event.tag}, expected none", "write plain values; tags are not read")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path, depth)
        return self._object(events, path, depth)

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            self._fault(
                event, f"*{event.anchor} points to nothing written above it", f"write &{event.anchor} before it"
            )
            return None
        value, size = self.anchors[event.anchor]
        self.count += size
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            raise self._stop(event, f"aliases unfold to more than {MAX_ALIASED:,} values", "write the values out")
        return value

    def _list(self, events: Iterator[Any], path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*path, len(items)), depth + 1))
        return items

    def _object(self, events: Iterator[Any], path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, path, depth)
            line = event.start_mark.line + 1
            if key in found:
                first = self.out.lines[*path, key]
                self._fault(event, f"the key {key!r} a second time, first on line {first}", "keep one of the two")
                self._node(next(events), events, (*path, key, "again"), depth + 1)
                continue
            self.out.lines[*path, key] = line
            found[key] = self._node(next(events), events, (*path, key), depth + 1)
        return found

    def _key(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._fault(
                event, "an object or a list as a key, expected text", 'quote a value that begins with {{: "{{name}}"'
            )
            self._node(event, events, (*path, "?"), depth + 1)
            return f"?{event.start_mark.index}"
        key = self._scalar(event)
        if key == "<<" and event.implicit[0]:
            self._fault(
                event, "a merge key (<<), expected written-out keys", "YAML 1.2 has no merge keys; write the keys out"
            )
        if not isinstance(key, str):
            self._fault(event, f"the key {event.value} is no text, expected text", f'quote it: "{event.value}"')
            return str(event.value)
        return key

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag in _TEXT or (event.tag is None and not event.implicit[0]):
            return text
        if event.tag is not None and event.tag not in _CORE:
            self._fault(event, f"the tag {event.tag}, expected none", "write a plain value; tags are not read")
            return text
        value = plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            self._fault(event, f"{text} is no JSON number", "leave the value out, or quote it as text")
            return None
        if isinstance(value, int | float) and abs(value) > _MAX_SAFE and _INTEGER.fullmatch(text):
            self._fault(event, f"the integer {text[:24]} is beyond 2^53 - 1", "quote it as text")
            return 0
        return value
