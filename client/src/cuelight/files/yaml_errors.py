"""What a YAML parser's complaint means, in words that help."""

from typing import Any

from cuelight.files.faults import Fault

_WORDS = {
    "mapping values are not allowed in this context": (
        "a ': ' where none may stand, expected one `key: value` a line, keys of one object at one indentation",
        "quote text that holds ': ', or check the indentation of this line and the one above",
    ),
    "found unexpected end of stream": ("the file ends inside a quoted text", "close the quote"),
    "did not find expected '-' indicator": (
        "a key among list items, expected `- `",
        "check the indentation of this line",
    ),
    "did not find expected key": (
        "no key here, expected `key: value`",
        "check the indentation of this line and the one above",
    ),
    "did not find expected ',' or '}'": (
        "an unclosed {, expected , or }",
        "close the brace, or quote text that begins with {",
    ),
    "did not find expected ',' or ']'": (
        "an unclosed [, expected , or ]",
        "close the bracket, or quote text that begins with [",
    ),
    "could not find expected ':'": (
        "a line without a colon, expected `key: value`",
        "use `key: |` above text of several lines",
    ),
    "found invalid Unicode character escape code": (
        "half of a surrogate pair, expected a whole character",
        "write the character itself",
    ),
    "found unknown escape character": (
        "a backslash sequence that YAML does not know",
        "double the backslash, or use single quotes",
    ),
    "did not find expected alphabetic or numeric character": (
        "a bare * or & at the beginning of a text",
        "quote the text",
    ),
}
_QUOTE = "quote the text that begins with it"


def explain(bad: Any, text: str, file: str) -> Fault:
    """The fault that a YAML error stands for, at the line where the parser noticed it."""
    mark = getattr(bad, "problem_mark", None)
    if mark is None:
        return _unreadable(bad, text, file)
    line = mark.line + 1
    problem = str(bad.problem or "broken YAML")
    if "cannot start any token" in problem:
        return _odd_start(mark, text, file)
    message, hint = _WORDS.get(
        problem, (f"broken YAML: {problem} {bad.context or ''}".rstrip(), "check this line and the one above")
    )
    return Fault(file, line, message, hint)


def _odd_start(mark: Any, text: str, file: str) -> Fault:
    rows = text.split("\n")
    row = rows[mark.line] if mark.line < len(rows) else ""
    found = row[mark.column : mark.column + 1]
    if "\t" in row[: mark.column + 1]:
        return Fault(
            file, mark.line + 1, "a tab in the indentation, expected spaces", "YAML is indented with spaces only"
        )
    return Fault(file, mark.line + 1, f"a value that begins with {found!r}, expected plain or quoted text", _QUOTE)


def _unreadable(bad: Any, text: str, file: str) -> Fault:
    position = getattr(bad, "position", 0)
    line = text.encode().count(b"\n", 0, position) + 1
    code = getattr(bad, "character", None)
    found = f"the control character U+{code:04X}" if isinstance(code, int) else "a character that YAML does not allow"
    return Fault(file, line, f"{found}, expected text", "remove it, or write it as an escape in double quotes")
