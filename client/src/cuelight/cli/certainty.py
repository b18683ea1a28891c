"""How sure a report is: what the samples show in words, and between which numbers the truth likely lies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cuelight.cli.show import Span, heading, money, say, table

Report = Mapping[str, Any]
_NAMES = {"cost_usd": "mean cost", "latency_ms": "mean latency", "p50": "p50 latency", "p95": "p95 latency"}


def show_certainty(report: Report) -> None:
    """Words, then a table of intervals; nothing for a report from before there were statistics."""
    found, steady = report.get("statistics") or {}, report.get("stability") or {}
    words = [*found.get("words", ()), *steady.get("words", ())]
    if words:
        heading("What that shows")
    for one in words:
        say(f"- {one}", indent=2)
    rows = [_row(one) for one in found.get("figures", ()) if one["candidate"] is not None]
    if rows:
        sure = _sure(report)
        heading(f"Between which numbers the truth lies, {sure:.0%} sure")
        two = any(row[2] for row in rows)
        head = ("", report["version"], *(("production", "change") if two else ()))
        table(head, [row if two else row[:2] for row in rows], right=(1, 2, 3))


def _row(one: Report) -> Sequence[Span]:
    say_it = money if one["figure"] == "cost_usd" else _milliseconds
    name = _NAMES.get(str(one["figure"]), str(one["figure"]))
    return (name, _span(one["candidate"], say_it), _span(one["baseline"], say_it), _span(one["ratio"], _change))


def _span(one: Report | None, say_it: Callable[[float], str]) -> str:
    if one is None:
        return ""
    if one["lower"] is None or one["upper"] is None:
        return f"{say_it(one['value'])}, how surely is not known"
    return f"{say_it(one['lower'])} to {say_it(one['upper'])}"


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms"


def _change(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f}%"


def _sure(report: Report) -> float:
    """Of both bounds together, where each is held one-sided."""
    gate = report.get("gate") or {}
    return 2 * float((gate.get("comparison") or {}).get("confidence", 0.95)) - 1
