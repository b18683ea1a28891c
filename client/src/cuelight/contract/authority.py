"""The authority table: what an action may do, decided in code whatever the prompt or the model says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cuelight.contract.condition import holds
from cuelight.contract.output import schema_findings
from cuelight.contract.schemas import schema_validator


class Mode(StrEnum):
    """How far an action may go, widest first."""

    MAY_EXECUTE = "may_execute"
    MAY_PREPARE = "may_prepare"
    MAY_SUGGEST = "may_suggest"
    NEEDS_HUMAN_APPROVAL = "needs_human_approval"
    NEVER = "never"


WIDEST_FIRST = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one attempted action. `allowed` is true only for executing or preparing within the rules."""

    action: str
    mode: Mode
    allowed: bool
    reason: str
    approver: str = ""


class Authority:
    """One authority table, compiled once; `decide` may be called from any thread."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Compile; Invalid where an action's `arguments` are no JSON Schema."""
        self._rules = {rule["action"]: rule for rule in reversed(document.get("actions", ()))}  # the first one counts
        self._arguments = {
            action: schema_validator(rule["arguments"], action)
            for action, rule in self._rules.items()
            if "arguments" in rule
        }
        self._most_calls = document.get("limits", {}).get("tool_calls_per_task")

    def decide(
        self,
        action: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        document: Mapping[str, Any] | None = None,
        done: int = 0,
        calls: int = 0,
        tools: frozenset[str] | None = None,
    ) -> Decision:
        """Whether `action` may be done now.

        `document` holds what conditions may look at: `output` (the validated value), `input`, `facts` the app vouches
        for. Of the task so far, `done` counts the same action and `calls` every tool call. `tools` are the names this
        prompt may call; None means the action comes from the app's own code. What the table does not name is `never`.
        """
        rule = self._rules.get(action)
        if rule is None:
            return _never(action, f"{action} is not in the authority table, so it is never allowed")
        if tools is not None and action not in tools:
            return _never(action, f"this prompt does not list {action} among its tools")
        given = dict(arguments or {})
        mode, reason = _mode(rule, {**(document or {}), "arguments": given})
        approver = rule.get("approver", "")
        refused = self._refused(rule, given, done, calls if tools is not None else 0)
        if refused:
            return Decision(action, mode, allowed=False, reason=refused, approver=approver)
        allowed = mode in (Mode.MAY_EXECUTE, Mode.MAY_PREPARE)
        return Decision(action, mode, allowed=allowed, reason=reason, approver=approver)

    def _refused(self, rule: Mapping[str, Any], arguments: dict[str, Any], done: int, calls: int) -> str:
        action, limit = rule["action"], rule.get("limit_per_task")
        if limit is not None and done >= limit:
            return f"{action} was done {done} times in this task, the limit is {limit}"
        if self._most_calls is not None and calls >= self._most_calls:
            return f"this task has made {calls} tool calls, the limit is {self._most_calls}"
        if action in self._arguments:
            for finding in schema_findings(self._arguments[action], arguments):
                at = f" at {finding.path}" if finding.path else ""
                return f"the arguments of {action} do not fit{at} ({finding.code})"  # never quotes a value
        return ""


def decide(
    authority: Mapping[str, Any],
    action: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    document: Mapping[str, Any] | None = None,
    done: int = 0,
    tools: frozenset[str] | None = None,
) -> Decision:
    """Compile and decide once; keep an `Authority` where the same table is asked often."""
    return Authority(authority).decide(action, arguments=arguments, document=document, done=done, tools=tools)


def _never(action: str, reason: str) -> Decision:
    return Decision(action, Mode.NEVER, allowed=False, reason=reason)


def _mode(rule: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Mode, str]:
    if "condition" not in rule or holds(rule["condition"], document):
        return Mode(rule["mode"]), _WORDS[Mode(rule["mode"])].format(rule["action"])
    otherwise = Mode(rule.get("otherwise", Mode.NEVER))
    return otherwise, f"the condition of {rule['action']} does not hold, so: {otherwise.value.replace('_', ' ')}"


_WORDS = {
    Mode.MAY_EXECUTE: "{} may be executed",
    Mode.MAY_PREPARE: "{} may be prepared; nobody outside sees it",
    Mode.MAY_SUGGEST: "{} may be suggested in words; a person acts",
    Mode.NEEDS_HUMAN_APPROVAL: "{} needs a named person's approval of exactly this content",
    Mode.NEVER: "{} is never allowed, whoever approves",
}
