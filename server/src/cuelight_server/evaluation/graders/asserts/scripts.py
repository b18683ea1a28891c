"""Assertions that are code: JavaScript and Python, run outside of this process or in a sandbox, never here."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.evaluation.graders.asked import Asked, Assertion
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.kernel.errors import CuelightError, Invalid

NO_JAVASCRIPT = "JavaScript is off: pip install 'cuelight-server[js]'"
NO_PYTHON = "Python graders are off: the operator allows them with CUELIGHT_PYTHON_GRADERS=on"
_DECLARES = re.compile(r"(?:const|let|var)\s")
_MODULE = re.compile(r"^\s*module\.exports(?:\.\w+)?\s*=", re.MULTILINE)
_DEFINES = re.compile(r"^(?:async )?def (?:get_assert|main)\b", re.MULTILINE)
_OPEN, _CLOSE = "([{", ")]}"
_FOUND = (
    "\n;const cuelight = typeof module.exports === 'function' ? module.exports : module.exports.default"
    "\n  ?? Object.values(module.exports).find((one) => typeof one === 'function');"
    "\nreturn cuelight(output, context);"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What code gave: a value, or why there is none. `threw`: the code itself failed, which fails the output."""

    value: Any = None
    threw: str = ""
    not_run: str = ""


def run(language: str, code: str, output: Any, asked: Asked) -> Said:
    """Run an assertion's or a transform's code on an output."""
    way = asked.outside.javascript if language == "javascript" else asked.outside.python
    if way is None:
        return Said(not_run=NO_JAVASCRIPT if language == "javascript" else NO_PYTHON)
    text = javascript_body(code) if language == "javascript" else python_module(code)
    try:
        return Said(way(text, {"output": output, "context": _context(asked)}))
    except Invalid as threw:
        return Said(threw=threw.message)
    except CuelightError as bad:
        return Said(not_run=bad.message)


def transformed(asked: Asked) -> Said:
    """The output after the rule's `transform`: a JavaScript expression, or a Python one after `python:`."""
    code = str(asked.rule["transform"])
    if code.startswith("python:"):
        return run("python", code.removeprefix("python:").strip(), asked.output, asked)
    return run("javascript", code, asked.output, asked)


def javascript_body(code: str) -> str:
    """The body of a function of `output` and `context`.

    One line is an expression, or declarations with an expression at the end; several lines return by themselves; a whole
    module is called.
    """
    if _MODULE.search(code):
        return f"const module = {{exports: {{}}}}; let exports = module.exports;\n{code}{_FOUND}"
    trimmed = code.strip()
    if "\n" in code.rstrip():
        return code
    trimmed = trimmed.rstrip("; \t")
    if not _DECLARES.match(trimmed):
        return f"return {trimmed}"
    at = _last_semicolon(trimmed)
    return f"{trimmed[: at + 1]} return {trimmed[at + 1 :].strip()}" if at >= 0 else trimmed


def python_module(code: str) -> str:
    """A module with `main(output, context)`: an expression, a body that returns, or a module that already has one."""
    if _DEFINES.search(code):
        return code
    if "\n" not in code.strip():
        return f"import json\n\ndef main(output, context):\n    return {code.strip()}\n"
    indented = "\n".join(f"    {line}" for line in code.rstrip().split("\n"))
    return f"import json\n\ndef main(output, context):\n{indented}\n"


def _last_semicolon(code: str) -> int:
    """Where the last statement but one ends: a semicolon outside of texts and brackets; -1 where there is none."""
    depth, quote, found, at = 0, "", -1, 0
    while at < len(code):
        char = code[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char in _OPEN or char in _CLOSE:
            depth += 1 if char in _OPEN else -1
        elif char == ";" and depth == 0:
            found = at
        at += 1
    return found


def _context(asked: Asked) -> dict[str, Any]:
    sample = asked.sample
    return {
        "vars": dict(sample.input),
        "config": asked.rule.get("config", {}),
        "test": {"vars": dict(sample.input), "metadata": dict(sample.label or {})},
        "providerResponse": {
            "output": sample.text,
            "finishReason": sample.finish_reason,
            "cost": sample.cost_usd,
            "latencyMs": sample.latency_ms,
        },
    }


def _script(asked: Asked) -> Outcome:
    if asked.kind == "ruby":
        return not_run("Ruby is not run here: write the grader in JavaScript or Python")
    said = run(asked.kind, str(asked.value), asked.output, asked)
    if said.not_run:
        return not_run(said.not_run)
    if said.threw:
        return Outcome(passed=False, message=f"the code failed: {said.threw}", score=0.0)
    return _read(asked, _unwritten(said.value) if asked.kind == "python" else said.value)


def _read(asked: Asked, value: Any) -> Outcome:
    """The word that code gave: true or false, a number, or {pass, score, reason}."""
    if isinstance(value, bool):
        passed = value is not asked.inverse
        return Outcome(passed, "" if passed else f"the code returned {str(value).lower()}")
    if _finite(value):
        held = value >= asked.rule["threshold"] if "threshold" in asked.rule else value > 0
        passed = held is not asked.inverse
        return Outcome(passed, "" if passed else f"the code returned {value:g}", _clamped(value))
    graded = _graded(value)
    if graded is None:
        return Outcome(passed=False, message=_no_word(value), score=0.0)
    held, score, reason = graded
    if asked.kind == "python" and score < asked.rule.get("threshold", -math.inf):
        held = False
    passed = held is not asked.inverse
    return Outcome(passed, "" if passed else reason or f"the code returned {str(held).lower()}", _clamped(score))


def _graded(value: Any) -> tuple[bool, float, str] | None:
    if not isinstance(value, Mapping):
        return None
    held = value.get("pass", value.get("pass_"))
    if not isinstance(held, bool) or not _finite(value.get("score")):
        return None
    return held, float(value["score"]), str(value.get("reason", ""))[:2_000]


def _unwritten(value: Any) -> Any:
    """Python may give its word as a text: true, false, or a number."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return float(value)
    except ValueError:
        return value


def _no_word(value: Any) -> str:
    kind = "nothing" if value is None else type(value).__name__
    return f"the code returned {kind}; wanted true or false, a finite number, or {{pass, score, reason}}"


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _clamped(score: float) -> float:
    return min(1.0, max(0.0, float(score)))


TABLE = {
    "javascript": Assertion(check=_script),
    "python": Assertion(check=_script),
    "ruby": Assertion(check=_script),
}
