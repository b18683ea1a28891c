"""Graders that somebody else runs: a signed webhook and an allowed command; their answer is read strictly."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample
from cuelight_server.kernel.errors import CuelightError

_MOST_REASON = 600
_HAIR = 1e-9
_NO_WEBHOOK = "this desk posts to no webhook; set CUELIGHT_GRADER_WEBHOOKS and CUELIGHT_GRADER_WEBHOOK_SECRET"
_NO_COMMAND = "this desk runs no command; set CUELIGHT_GRADER_COMMANDS"
Call = Callable[[dict[str, Any]], Any]


def custom(rule: Rule, outside: Outside, text: str, sample: Sample) -> Outcome:
    """What the webhook or the command says of one output; whatever is no clear word has not run."""
    kind = rule["type"].removeprefix("not-")
    call = _call(kind, rule, outside)
    if call is None:
        return not_run(_NO_WEBHOOK if kind == "webhook" else _NO_COMMAND)
    try:
        found = call(document(rule, text, sample))
    except CuelightError as bad:
        return not_run(bad.message)
    return _inverted(answer(kind, found, rule.get("threshold")), inverse=rule["type"].startswith("not-"))


def document(rule: Rule, text: str, sample: Sample) -> dict[str, Any]:
    """What they are given: promptfoo's form, and the case's label and tool calls."""
    return {
        "output": text,
        "context": {"vars": dict(sample.input)},
        "label": dict(sample.label or {}),
        "tool_calls": [dict(one) for one in sample.tool_calls],
        "config": dict(rule.get("config", {})),
    }


def answer(kind: str, found: Any, threshold: float | None = None) -> Outcome:
    """{pass, score, reason}: `pass` is true or false, a score a number from 0 to 1. Anything else has not run."""
    if not isinstance(found, Mapping) or not isinstance(found.get("pass"), bool):
        return not_run(f"the {kind} did not say pass: true or false")
    passed, score = found["pass"], found.get("score")
    if score is not None:
        if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
            return not_run(f"the {kind} gave a score that is no number")
        if not 0 <= score <= 1:
            return not_run(f"the {kind} gave the score {score:g}, which is not from 0 to 1")
    points = float(passed) if score is None else float(score)
    if threshold is not None:
        passed = passed and points >= threshold - _HAIR
    reason = " ".join(str(found.get("reason") or "").split())[:_MOST_REASON]
    words = f"the {kind} says no" + (f": {reason}" if reason else "")
    return Outcome(passed, "" if passed else words, points)


def _call(kind: str, rule: Rule, outside: Outside) -> Call | None:
    if kind == "webhook":
        return partial(outside.webhook, str(rule["value"])) if outside.webhook else None
    return partial(outside.command, str(rule["value"])) if outside.command else None


def _inverted(said: Outcome, *, inverse: bool) -> Outcome:
    if not inverse or said.not_run:
        return said
    words = "" if not said.passed else "it says yes, wanted no"
    return Outcome(not said.passed, words, None if said.score is None else 1 - said.score)
