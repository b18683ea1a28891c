"""Assertions on what a call did: tools that it called, with which arguments, in which order, and why it ended."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from cuelight.contract.condition import same
from cuelight.contract.errors import CuelightError
from cuelight.contract.schemas import schema_validator
from cuelight_server.evaluation.graders.asked import Asked, Assertion, said, shown
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.sample import Rule
from cuelight_server.kernel.assertions import pieces

Call = tuple[str, Any]  # the name of a tool and its arguments; None where they cannot be read
_DEEPEST = 20


def called(asked: Asked) -> list[Call]:
    """The tools that were called, in order: those that the provider told, else those that the output writes as JSON."""
    told = [(str(one.get("name", "")), _arguments(one.get("arguments"))) for one in asked.sample.tool_calls]
    return told or list(_written(asked.output))


def _written(output: Any, depth: int = 0) -> Iterator[Call]:
    """The calls in a value of one of the usual shapes: OpenAI's, Anthropic's, Google's, or plainly {name, arguments}."""
    if isinstance(output, str):
        try:
            output = json.loads(output) if output.lstrip()[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            return
    if depth > _DEEPEST:
        return
    if isinstance(output, list):
        for one in output:
            yield from _written(one if isinstance(one, Mapping) else None, depth + 1)
    if not isinstance(output, Mapping):
        return
    for key in ("tool_calls", "functionCalls"):
        if isinstance(output.get(key), list):
            yield from _written(output[key], depth + 1)
            return
    for key in ("function", "functionCall", "function_call", "toolCall"):
        if isinstance(output.get(key), Mapping):
            yield from _written(output[key], depth + 1)
            return
    if isinstance(output.get("name"), str):
        given: Any = next((output[key] for key in ("arguments", "args", "input") if key in output), {})
        yield output["name"], _arguments(given)


def _arguments(given: Any) -> Any:
    """Arguments as an object; None where they are none."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return None
    return given if isinstance(given, Mapping) else {} if given is None else None


def _valid_call(asked: Asked) -> Outcome:
    calls = called(asked)
    if not calls:
        return said(asked, held=False, wanted="call a tool")
    tools = {name: parameters for name, parameters in map(_declared, asked.sample.tools) if name}
    if not tools:
        return not_run("the version declares no tools, so no call can be held against them")
    wrong = [words for call in calls if (words := _wrong(call, tools))]
    return said(asked, not wrong, f"call its tools as they are declared; {'; '.join(wrong[:3])}")


def _declared(tool: Mapping[str, Any]) -> tuple[str, Any]:
    inner = tool["function"] if isinstance(tool.get("function"), Mapping) else tool
    return str(inner.get("name", "")), inner.get("parameters")


def _wrong(call: Call, tools: Mapping[str, Any]) -> str:
    name, arguments = call
    if name not in tools:
        return f"there is no tool {shown(name)}"
    if arguments is None:
        return f"the arguments of {name} are no JSON object"
    if not isinstance(tools[name], dict | bool):
        return ""
    try:
        validator = schema_validator(tools[name], f"the tool {name}")
    except CuelightError as bad:
        return bad.message
    first = next(iter(validator.iter_errors(arguments)), None)
    return f"{name}: {first.message[:200]}" if first else ""


def _tool_call_f1(asked: Asked) -> Outcome:
    wanted, used = set(asked.ready), {name for name, _ in called(asked)}
    shared = len(wanted & used)
    f1 = 2 * shared / (len(wanted) + len(used)) if shared else 0.0
    least = asked.threshold(1.0)
    passed = (f1 >= least) is not asked.inverse
    words = f"called {', '.join(sorted(used)) or 'no tool'}, wanted {', '.join(sorted(wanted))}: F1 {f1:.3f}"
    return Outcome(passed, "" if passed else f"{words}, limit {least:g}", f1)


def _finish_reason(asked: Asked) -> Outcome:
    ended = asked.sample.finish_reason
    if not ended:
        return Outcome(passed=False, message="the provider did not say why the answer ended")
    passed = (ended.lower() == str(asked.value).lower()) is not asked.inverse
    return Outcome(passed, "" if passed else f"it ended with {shown(ended)}, limit {shown(str(asked.value))}")


def _tool_used(asked: Asked) -> Outcome:
    names = [name for name, _ in called(asked)]
    told = f"(it called {', '.join(names) or 'none'})"
    if isinstance(asked.value, Mapping):
        count = sum(_meant(asked.value, name) for name in names)
        least, most = asked.value.get("min", 1), asked.value.get("max", math.inf)
        return said(asked, least <= count <= most, f"use {_named(asked.value)} {least} to {most} times {told}")
    steps = asked.ready
    used = [any(_meant(step, name) for name in names) for step in steps]
    held = any(used) if asked.inverse else all(used)
    return said(asked, held, f"use {', '.join(map(_named, steps))} {told}")


def _tool_sequence(asked: Asked) -> Outcome:
    exact = isinstance(asked.value, Mapping) and asked.value.get("mode") == "exact"
    names, steps = [name for name, _ in called(asked)], asked.ready
    if exact:
        held = len(names) == len(steps) and all(map(_meant, steps, names))
    else:
        ahead = iter(names)
        held = all(any(_meant(step, name) for name in ahead) for step in steps)
    order = "exactly " if exact else ""
    words = f"call {order}{', then '.join(map(_named, steps))} (it called {', '.join(names) or 'none'})"
    return said(asked, held, words)


def _args_match(asked: Asked) -> Outcome:
    value = asked.value
    ignored = value.get("ignore", [])
    ignored = [ignored] if isinstance(ignored, str) else ignored
    wanted = _without(value["args"] if "args" in value else value["arguments"], ignored, {})
    exact = value.get("mode") == "exact"
    given = [
        _without(arguments, ignored, value.get("defaults", {}))
        for name, arguments in called(asked)
        if _meant(value, name)
    ]
    held = any(same(one, wanted) if exact else _within(one, wanted) for one in given)
    words = f"call {_named(value)} with {shown(json.dumps(wanted))} (it was called with {shown(json.dumps(given))})"
    return said(asked, held, words)


def _step_count(asked: Asked) -> Outcome:
    value = asked.value
    if not isinstance(value, Mapping) or value.get("type", "tool") != "tool":
        return not_run("only tool calls are known of a call, no other steps: give `type: tool`")
    count = sum(_meant(value, name) for name, _ in called(asked))
    least, most = value.get("min", 0), value.get("max", math.inf)
    return said(asked, least <= count <= most, f"take {least} to {most} steps (it took {count})")


def _without(given: Any, ignored: Sequence[str], defaults: Mapping[str, Any]) -> Any:
    if not isinstance(given, Mapping):
        return given
    return {
        key: value
        for key, value in given.items()
        if not any(fnmatchcase(key, one) for one in ignored) and not (key in defaults and same(value, defaults[key]))
    }


def _within(given: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is given; more may be."""
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and all(key in given and _within(given[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(given, list) and len(given) == len(wanted) and all(map(_within, given, wanted))
    return same(given, wanted)


def _meant(step: Any, name: str) -> bool:
    if not isinstance(step, Mapping):
        return fnmatchcase(name, str(step))
    if "pattern" in step:
        return fnmatchcase(name, str(step["pattern"]))
    return "name" not in step or name == step["name"]


def _named(step: Any) -> str:
    return str(step.get("pattern") or step.get("name") or "any tool") if isinstance(step, Mapping) else str(step)


def _steps(_rule: Rule, value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.get("steps", ()))
    return list(value) if isinstance(value, list) else [value]


def _unseen(asked: Asked) -> Outcome:
    return not_run(f"{asked.kind} looks at traces, and an evaluation here has none: only tool calls are known")


TABLE = {
    "is-valid-function-call": Assertion(check=_valid_call),
    "is-valid-openai-function-call": Assertion(check=_valid_call),
    "is-valid-openai-tools-call": Assertion(check=_valid_call),
    "tool-call-f1": Assertion(check=_tool_call_f1, ready=lambda _rule, value: [one for one in pieces(value) if one]),
    "finish-reason": Assertion(check=_finish_reason),
    "trajectory:tool-used": Assertion(check=_tool_used, ready=_steps),
    "trajectory:tool-sequence": Assertion(check=_tool_sequence, ready=_steps),
    "trajectory:tool-args-match": Assertion(check=_args_match),
    "trajectory:step-count": Assertion(check=_step_count),
    "trace-span-count": Assertion(check=_unseen),
    "trace-span-duration": Assertion(check=_unseen),
    "trace-error-spans": Assertion(check=_unseen),
    "skill-used": Assertion(check=_unseen),
}
