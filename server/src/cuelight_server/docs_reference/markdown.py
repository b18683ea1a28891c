"""Markdown as the reference pages need it: headings, tables and code in one line."""

import re
from collections.abc import Iterable, Sequence

NOTE = "Written from the code by `make docs`; a test compares it. Do not edit."


def page(title: str, *parts: str) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([f"# {title}", NOTE, *(part for part in parts if part)]) + "\n"


def section(title: str, *parts: str, level: int = 2) -> str:
    """A heading and what stands under it."""
    return "\n\n".join([f"{'#' * level} {title}", *(part for part in parts if part)])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, or nothing where there is no row."""
    lines = ["| " + " | ".join(_cell(one) for one in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])


def code(text: object) -> str:
    """`text` in backticks; text that holds backticks gets two."""
    words = str(text)
    return f"`` {words} ``" if "`" in words else f"`{words}`"


def codes(values: Iterable[object]) -> str:
    """Several, each in backticks, with spaces between."""
    return " ".join(code(one) for one in values)


def prose(text: str) -> str:
    """Text from code as Markdown: `<name>` outside backticks stays readable."""
    pieces = re.split(r"(```.*?```|`[^`]*`)", text, flags=re.DOTALL)
    return "".join(one if one.startswith("`") else one.replace("<", "&lt;").replace("*", "\\*") for one in pieces)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip() or "–"
