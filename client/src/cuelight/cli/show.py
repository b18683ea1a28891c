"""What a terminal shows: plain lines first, colour only beside words, and no control character from anybody's text."""

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cuelight.contract.errors import CuelightError

# A cue light and its word: round green, ring amber, square red, grey; never colour alone.
LIGHTS = {"go": ("●", "green"), "standby": ("○", "yellow"), "hold": ("■", "red"), "off": ("·", "bright_black")}
VERDICTS = {"pass": "go", "inconclusive": "standby", "fail": "hold"}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PIPE_WIDTH = 160
_SMALL_USD = 0.0001

Span = str | tuple[str, str]


@cache
def _console(stream: Any) -> Console:
    terminal = stream.isatty()
    width = None if terminal else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, legacy_windows=False)


def clean(value: Any) -> str:
    """Text that cannot steer a terminal: control and direction characters become visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", str(value))


def text(*spans: Span) -> Text:
    """A line of spans; a span is text, or text with a style."""
    built = Text()
    for span in spans:
        built.append(clean(span[0]), span[1]) if isinstance(span, tuple) else built.append(clean(span))
    return built


def say(*spans: Span, indent: int = 0) -> None:
    """One line on stdout; a terminal wraps it, a pipe gets it whole."""
    _line(_console(sys.stdout), spans, indent)


def tell(*spans: Span, indent: int = 0) -> None:
    """One line on stderr."""
    _line(_console(sys.stderr), spans, indent)


def _line(console: Console, spans: Sequence[Span], indent: int) -> None:
    line = text(*spans)
    if not console.is_terminal or not indent:
        console.print(Text(" " * indent) + line, soft_wrap=not console.is_terminal)
        return
    for row in line.wrap(console, max(20, console.width - indent)):
        console.print(Text(" " * indent) + row)


def light(state: str) -> tuple[str, str]:
    """The sign of a state, with its colour; the word stands beside it."""
    return LIGHTS.get(state, LIGHTS["off"])


def heading(words: str) -> None:
    """A line above a group, after an empty one."""
    say()
    say((words, "bold"))


def table(columns: Sequence[str], rows: Iterable[Sequence[Span]], *, right: Sequence[int] = ()) -> None:
    """A table without lines; `right` are the columns of numbers."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim", show_header=any(columns))
    for index, name in enumerate(columns):
        drawn.add_column(name, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(text(cell) for cell in row))
    console = _console(sys.stdout)
    if console.is_terminal:
        console.print(drawn)
        return
    with console.capture() as captured:
        console.print(drawn)
    sys.stdout.write("".join(f"{row.rstrip()}\n" for row in captured.get().splitlines()))


def money(usd: float | None) -> str:
    """`$0.00287`; a small cost with the digits that it needs, as `$0.0000021`; `unknown` where nobody knows it."""
    if usd is None:
        return "unknown"
    if usd == 0 or abs(usd) >= _SMALL_USD:
        return f"${usd:.5f}"
    places = 2 - math.floor(math.log10(abs(usd)))  # three significant digits
    return "$" + f"{usd:.{places}f}".rstrip("0")


def counted(count: int, one: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {one}{'' if count == 1 else 's'}"


def show_json(value: Any) -> None:
    """Exactly this JSON value, and nothing else, on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def complain(error: CuelightError) -> None:
    """An error on stderr: what happened, line by line, and what to do next."""
    first, *more = error.message.split("\n")
    tell(("error: ", "bold red"), first)
    for line in more:
        tell(line, indent=2)
    if error.hint:
        tell(("hint: ", "bold"), error.hint)


def waiting(words: str) -> Any:
    """A spinner on stderr for long work, where stderr is a terminal; else one line."""
    console = _console(sys.stderr)
    if not console.is_terminal:
        tell(words)
    return console.status(Text(clean(words)))
