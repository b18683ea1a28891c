"""Code that a config brings along: never run here; files of it become text that a grader runs later, in its sandbox."""

import json
import re
import sys
from typing import Any

from cuelight.moving.report import CannotCarry
from cuelight.moving.sources import Sources

_FILE = re.compile(r"file://(.*?)(?::([A-Za-z_$][\w$.]*))?", re.DOTALL)
_SCRIPTS = (".js", ".cjs", ".mjs")
_TYPED = (".ts", ".cts", ".mts")
_NEEDS = re.compile(
    r"\brequire\s*\(|^\s*import\s|\bimport\s*\(|\bprocess\.|\bawait\b|\basync\b|\bfetch\s*\(", re.MULTILINE
)
_EXPORT = re.compile(
    r"^(\s*)export\s+(?:(function|class)\s+([A-Za-z_$][\w$]*)|(const|let|var)\s+([A-Za-z_$][\w$]*))", re.MULTILINE
)
_IMPORT = re.compile(r"^\s*(?:import|from)\s+([A-Za-z_]\w*)", re.MULTILINE)
_MODULE = re.compile(r"^\s*module\.exports(?:\.\w+)?\s*=", re.MULTILINE)
_HEAD = "const held = {exports: {}};\n"
_CALL = "const turned = held.exports.default || held.exports;\nreturn turned(output, context);"
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
    body = _common(body).rstrip()
    return f"{body}\nmodule.exports = module.exports[{json.dumps(name)}];\n" if name else f"{body}\n"


def python(value: str, sources: Sources, otherwise: str = "get_assert") -> str:
    """The Python of an assertion, with a file put in its place; `otherwise` is the function that is called if none is named."""
    if not value.startswith("file://"):
        return value
    path, name = split_file(value)
    if not path.endswith(".py"):
        raise CannotCarry(f"{path} is no Python file")
    body = _bounded(sources.text(path), path).rstrip()
    foreign = sorted({found for found in _IMPORT.findall(body) if found not in sys.stdlib_module_names})
    if foreign:
        raise CannotCarry(f"{path} imports {foreign[0]}, and graders have the standard library only")
    name = name or otherwise
    if name in ("get_assert", "main"):
        return f"{body}\n"
    taken = "\n\ndel get_assert\n" if re.search(r"^def get_assert\b", body, re.MULTILINE) else ""
    return f"{body}\n\n\ndef main(output, context):\n    return {name}(output, context)\n{taken}"


def transform(value: Any, sources: Sources) -> str:
    """A transform of the output: JavaScript, or Python behind `python:`."""
    if not isinstance(value, str):
        raise CannotCarry("a transform that is no text")
    if value.startswith("file://") and split_file(value)[0].endswith(".py"):
        return f"python:{python(value, sources, 'get_transform')}"
    return value if value.startswith("python:") else javascript(value, sources)


def chained(first: str, then: str) -> str:
    """One transform that does `first` and then `then`."""
    if not first or not then:
        return first or then
    if first.startswith("python:") or then.startswith("python:"):
        raise CannotCarry("two transforms after each other, one of them in Python")
    made = f"({_function(then)})(({_function(first)})(output, context), context)"
    return f"return {made};" if "\n" in made else made


def _function(code: str) -> str:
    """An expression, declarations with an expression after them, a body with its own `return`, or a module, as a function."""
    code = code.strip()
    if _MODULE.search(code):
        return f"(output, context) => {{\n{_HEAD}{code.replace('module.exports', 'held.exports')}\n{_CALL}\n}}"
    if "\n" in code:
        return f"(output, context) => {{\n{code}\n}}"
    code = code.rstrip("; \t")
    if re.match(r"(?:const|let|var)\s", code) and ";" in code:
        before, _, last = code.rpartition(";")
        return f"(output, context) => {{ {before}; return {last.strip()}; }}"
    return f"(output, context) => ({code})"


def _common(body: str) -> str:
    """`export` as `module.exports`."""
    names = [found.group(3) or found.group(5) for found in _EXPORT.finditer(body)]
    body = _EXPORT.sub(
        lambda found: f"{found.group(1)}{found.group(2) or found.group(4)} {found.group(3) or found.group(5)}", body
    )
    body = re.sub(r"^(\s*)export\s+default\s+", r"\1module.exports.default = ", body, flags=re.MULTILINE)
    return "\n".join([body, *(f"module.exports.{name} = {name};" for name in names)])


def _bounded(body: str, path: str) -> str:
    if len(body) > MAX_CODE:
        raise CannotCarry(f"{path} has more than {MAX_CODE:,} characters")
    return body
