"""What commands that run an evaluation share: its options, and one line that says how far it is and what it costs."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.show import counted, money, waiting
from cuelight.contract.errors import Unavailable

PRODUCTION = "production"
PROVIDERS = click.Choice(["recorded", "openai", "responses", "anthropic", "http", "command"])
_POLL_S, _POLL_MAX_S = 0.05, 1.0
_MINUTE_S = 60
_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run is asked for: where outputs come from, what it is held against, its limits, and what is told of it."""

    provider: str = "recorded"
    baseline: str = PRODUCTION
    plan: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = False


def run_options(command: _Command) -> _Command:
    """--provider, --baseline and the limits; the command gets `asked`."""

    @click.option("--provider", type=PROVIDERS, default="recorded", show_default=True, help="Where outputs come from.")
    @click.option("--baseline", default=PRODUCTION, show_default=True, metavar="LABEL", help="What to compare with.")
    @click.option("--repeat", type=int, metavar="N", help="Ask for each case so often; at least as often as the gate.")
    @click.option("--max-cost", "max_usd", type=float, metavar="USD", help="End before more than this is spent.")
    @click.option("--max-calls", type=int, metavar="N", help="End before more calls than this are made.")
    @click.option("--max-seconds", type=float, metavar="S", help="End after this time.")
    @click.option("--no-cache", is_flag=True, help="Let no earlier answer stand in.")
    @click.option("--max-age", "max_age_days", type=float, metavar="DAYS", help="How old one may be; 3 if left out.")
    @click.option("--progress", is_flag=True, help="A JSON line on stderr whenever the run has come further.")
    @wraps(command)
    def with_asked(
        *args: Any, provider: str, baseline: str, no_cache: bool, progress: bool, **named: Any
    ) -> Any:  # click passes flags
        limits = ("repeat", "max_usd", "max_calls", "max_seconds", "max_age_days")
        plan = {name: value for name in limits if (value := named.pop(name)) is not None}
        if no_cache:
            plan["cache"] = False
        return command(*args, asked=Asked(provider, baseline, plan, progress), **named)

    return with_asked


def run(admin: Admin, prompt: str, label: str, asked: Asked) -> dict[str, Any]:
    """Start an evaluation and wait for its end; the evaluation with its report."""
    begun = admin.start_evaluation(prompt, label, asked.provider, asked.baseline, **asked.plan)
    return watch(admin, begun, f"{prompt} {label}: evaluating", progress=asked.progress)


def watch(admin: Admin, evaluation: str, words: str, *, progress: bool) -> dict[str, Any]:
    """Wait for the end of an evaluation, with a line on stderr that says how far it is."""
    pause, told = _POLL_S, ""
    with waiting(words) as status:
        while True:
            now = admin.evaluation(evaluation)
            if progress and (line := _json_line(now)) != told:
                sys.stderr.write(line + "\n")
                told = line
            if now["state"] in ("done", "error"):
                break
            if status is not None and now.get("total"):
                status.update(f"{words} {how_far(now)}")
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_MAX_S)
    if not isinstance(now.get("report"), dict):
        hint = "run it again; the server's log says why"
        raise Unavailable(f"the evaluation {evaluation} ended without a report", hint)
    return now


def how_far(now: Mapping[str, Any]) -> str:
    """`40 of 100 · 38 calls, 2 cached, 1 retried · $0.01230 · about 30 s left`."""
    spend = now.get("spend") or {}
    parts = [f"{now.get('done', 0)} of {now.get('total', 0)}"]
    cached = sum((spend.get("cached") or {}).values())
    did = [counted(spend["calls"], "call")] if spend.get("calls") else []
    did += [f"{cached} cached"] if cached else []
    did += [f"{spend[name]} {word}" for name, word in (("retried", "retried"), ("errors", "failed")) if spend.get(name)]
    parts += [", ".join(did)] if did else []
    if spend.get("calls"):
        known = spend.get("calls", 0) > spend.get("unpriced", 0) + spend.get("errors", 0)
        parts.append(money(spend.get("usd")) if known else "cost unknown")
    if now.get("left_s"):
        parts.append(f"about {duration(now['left_s'])} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """`30 s`, `4 min`."""
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"


def _json_line(now: Mapping[str, Any]) -> str:
    names = ("id", "state", "done", "total", "spend", "left_s", "cancelled_by")
    return json.dumps({name: now.get(name) for name in names}, ensure_ascii=False)
