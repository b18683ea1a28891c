"""What a grader looks at: one output, read strictly once, with the case's input and label and what the call used."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.condition import lookup
from cuelight.contract.output import parse

Rule = Mapping[str, Any]  # a grader as the suite writes it
_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One output. `problem` says why it could not be parsed, empty where it could; `value` is null then."""

    text: str
    value: Any
    problem: str
    input: Mapping[str, Any]
    label: Mapping[str, Any] | None
    tool_calls: tuple[Mapping[str, Any], ...]
    output_tokens: int | None
    latency_ms: float | None
    cost_usd: float | None = None
    finish_reason: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()  # as the version under test declares them
    document: Mapping[str, Any] = field(repr=False)

    def at(self, path: str) -> list[Any]:
        """Every value at a path of the output; `[None]` where there is none, so that a missing one is a null."""
        return lookup(path, self.document) or [None]

    def found(self, paths: list[str]) -> list[Any]:
        """Every non-null value at these paths of the output; a list counts as its items."""
        return _flat(value for path in paths for value in lookup(path, self.document))

    def given(self, paths: list[str]) -> list[Any]:
        """The same in the case's input."""
        return _flat(value for path in paths for value in lookup(path, {"output": self.input}))


def read(  # noqa: PLR0913  a sample is all of this
    text: str,
    *,
    input: Mapping[str, Any],
    label: Mapping[str, Any] | None = None,
    tool_calls: tuple[Mapping[str, Any], ...] = (),
    output_tokens: int | None = None,
    latency_ms: float | None = None,
    cost_usd: float | None = None,
    finish_reason: str = "",
    tools: tuple[Mapping[str, Any], ...] = (),
) -> Sample:
    """A sample out of a raw output; cases are read strictly, whatever the candidate's own output contract says."""
    value, finding = parse(text)
    document = {
        "output": value,
        "text": text,
        "input": input,
        "label": label or {},
        "latency_ms": latency_ms,
        "output_tokens": output_tokens,
        "tool_calls": list(tool_calls),
    }
    return Sample(
        text=text,
        value=value,
        problem=finding.message if finding else "",
        input=input,
        label=label,
        tool_calls=tool_calls,
        output_tokens=output_tokens,
        latency_ms=latency_ms,
        cost_usd=cost_usd,
        finish_reason=finish_reason,
        tools=tools,
        document=document,
    )


def text_of(values: list[Any]) -> str:
    """Values as one text: texts as they are, other values as JSON, null as nothing."""
    return "\n".join(one if isinstance(one, str) else plain(one) for one in values if one is not None)


def plain(value: Any) -> str:
    """A value as JSON, readable."""
    return json.dumps(value, ensure_ascii=False)


def show(value: Any) -> str:
    """A value for a message, cut to 80 characters."""
    words = "missing" if value is None else plain(value)
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"


def show_all(values: list[Any]) -> str:
    """Some values for a message, at most five."""
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return ", ".join(show(value) for value in values[:5]) + more


def leaves(value: Any) -> Iterator[Any]:
    """Every text, number, boolean and null inside a JSON value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def _flat(values: Iterator[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found.extend(value if isinstance(value, list) else [value])
    return [value for value in found if value is not None]
