"""Code that a config brings along: never run here; files of it become text that a grader runs later, in its sandbox."""

import re
from typing import Any

from cuelight.moving.report import CannotCarry
from cuelight.moving.sources import Sources

_FILE = re.compile(r"file://(.*?)(?::([A-Za-z_$][\w$.]*))?", re.DOTALL)
_SCRIPTS = (".js", ".cjs", ".mjs")
_TYPED = (".ts", ".cts", ".mts")
_NEEDS = re.compile(r"\brequire\s*\(|^\s*import\s|\bimport\s*\(|\bprocess\.|\bawait\b|\basync\b|\bfetch\s*\(", re.MULTILINE)
_EXPORT = re.compile(r"^(\s*)export\s+(?:(function|class)\s+([A-Za-z_$][\w$]*)|(const|let|var)\s+([A-Za-z_$][\w$]*))", re.MULTILINE)
MAX_CODE = 100_000


def split_file(value: str) -> tuple[str, str]:
    """(path, function) of `file://path.js:function`."""
    found = _FILE.fullmatch(value)
    if found is None:
        return value, ""
    return found.group(1), found.group(2) or ""


def is_code(path: str) -> bool:
    """Whether a file holds code, by its name."""
    return split_file(f"file://{path}")[0].endswith((*_SCRIPTS, *_TYPED, ".py", ".rb", ".sh", ".exe", ".bat", ".pl"))


def javascript(value: str, sources: Sources) -> str:
    """The JavaScript of an assertion or a transform, with a file put in its place."""
    if not value.startswith("file://"):
        return value
    path, name = split_file(value)
    if path.endswith(_TYPED):
        raise CannotCarry(f"{path} is TypeScript; compile it to JavaScript")
    if not path.endswith(_SCRIPTS):
        raise CannotCarry(f"{path} is no JavaScript file")
    body = _bounded(sources.text(path), path)
    needs = _NEEDS.search(body)
    if needs:
        words = needs.group().strip()
        raise CannotCarry(f"{path} uses {words}, which a sandbox without modules and network does not have")
    wanted = f"module.exports[{name!r}]" if name else "(module.exports.default || module.exports)"
    head = "const module = {exports: {}};\nconst exports = module.exports;\n"
    return f"{head}{_common(body).rstrip()}\nconst check = {wanted};\nreturn check(output, context);\n"


def python(value: str, sources: Sources) -> str:
    """The Python of an assertion, with a file put in its place."""
    if not value.startswith("file://"):
        return value
    path, name = split_file(value)
    if not path.endswith(".py"):
        raise CannotCarry(f"{path} is no Python file")
    body = _bounded(sources.text(path), path)
    return f"{body.rstrip()}\nreturn {name or 'get_assert'}(output, context)\n"


def transform(value: Any, sources: Sources) -> str:
    """The JavaScript of a transform of the output."""
    if not isinstance(value, str):
        raise CannotCarry("a transform that is no text")
    if split_file(value)[0].endswith(".py") or value.startswith("python:"):
        raise CannotCarry("a transform in Python has no counterpart")
    return javascript(value, sources)


def chained(first: str, then: str) -> str:
    """One transform that does `first` and then `then`."""
    if not first or not then:
        return first or then
    return f"({_function(then)})(({_function(first)})(output, context), context)"


def _function(code: str) -> str:
    """An expression, or a body of several lines with its own `return`, as a function."""
    code = code.strip()
    return f"(output, context) => {{\n{code}\n}}" if "\n" in code else f"(output, context) => ({code.rstrip(';')})"


def _common(body: str) -> str:
    """`export` as `module.exports`."""
    names = [found.group(3) or found.group(5) for found in _EXPORT.finditer(body)]
    body = _EXPORT.sub(lambda found: f"{found.group(1)}{found.group(2) or found.group(4)} {found.group(3) or found.group(5)}", body)
    body = re.sub(r"^(\s*)export\s+default\s+", r"\1module.exports.default = ", body, flags=re.MULTILINE)
    return "\n".join([body, *(f"module.exports.{name} = {name};" for name in names)])


def _bounded(body: str, path: str) -> str:
    if len(body) > MAX_CODE:
        raise CannotCarry(f"{path} has more than {MAX_CODE:,} characters")
    return body
