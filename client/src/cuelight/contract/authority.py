"""The authority table: what an action may do, decided in code whatever the prompt or the model says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cuelight.contract.condition import holds
from cuelight.contract.output import schema_findings
from cuelight.contract.rendering import schema_validator


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


def decide(
    authority: Mapping[str, Any],
    action: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    document: Mapping[str, Any] | None = None,
    done: int = 0,
    tools: frozenset[str] | None = None,
) -> Decision:
    """Whether `action` may be done now.

    `document` holds what conditions may look at: `output` (the validated value), `input`, `facts` the app vouches
    for. `done` counts the same action within the task so far. `tools` are the names this prompt may call; None means
    the action comes from the app's own code. What the table does not name is `never`.
    """
    rule = next((one for one in authority.get("actions", ()) if one["action"] == action), None)
    if rule is None:
        return Decision(action, Mode.NEVER, False, f"{action} is not in the authority table, so it is never allowed")
    if tools is not None and action not in tools:
        return Decision(action, Mode.NEVER, False, f"this prompt does not list {action} among its tools")
    mode, reason = _mode(rule, {**(document or {}), "arguments": dict(arguments or {})})
    refused = _refused(rule, arguments or {}, done)
    if refused:
        return Decision(action, mode, False, refused, rule.get("approver", ""))
    return Decision(action, mode, mode in (Mode.MAY_EXECUTE, Mode.MAY_PREPARE), reason, rule.get("approver", ""))


def _mode(rule: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Mode, str]:
    if "condition" not in rule or holds(rule["condition"], document):
        return Mode(rule["mode"]), _WORDS[Mode(rule["mode"])].format(rule["action"])
    otherwise = Mode(rule.get("otherwise", Mode.NEVER))
    return otherwise, f"the condition of {rule['action']} does not hold, so: {otherwise.value.replace('_', ' ')}"


def _refused(rule: Mapping[str, Any], arguments: Mapping[str, Any], done: int) -> str:
    limit = rule.get("limit_per_task")
    if limit is not None and done >= limit:
        return f"{rule['action']} was done {done} times in this task, the limit is {limit}"
    if "arguments" in rule:
        for finding in schema_findings(schema_validator(rule["arguments"], rule["action"]), dict(arguments)):
            return f"the arguments of {rule['action']} do not fit: {finding.message}"
    return ""


_WORDS = {
    Mode.MAY_EXECUTE: "{} may be executed",
    Mode.MAY_PREPARE: "{} may be prepared; nobody outside sees it",
    Mode.MAY_SUGGEST: "{} may be suggested in words; a person acts",
    Mode.NEEDS_HUMAN_APPROVAL: "{} needs a named person's approval of exactly this content",
    Mode.NEVER: "{} is never allowed, whoever approves",
}
