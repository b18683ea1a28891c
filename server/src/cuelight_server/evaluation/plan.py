"""What a run was asked to be: how often each case is asked, what it may cost, and whether old answers may stand in."""

import json
import math
from dataclasses import asdict, dataclass

from cuelight.contract.canonical import canonical_text
from cuelight_server.evaluation.model import Json
from cuelight_server.kernel.errors import Invalid

MOST_SAMPLES = 100
MOST_CALLS = 10_000_000
MOST_USD = 1_000_000.0
MOST_SECONDS = 30 * 24 * 3600.0
MAX_AGE_DAYS = 3.0  # hosted models drift
KEPT_DAYS = 30  # how long an answer can stand in at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything is as always unless it is said. `max_age_days` is how old an answer may be that stands in."""

    repeat: int | None = None
    max_usd: float | None = None
    max_calls: int | None = None
    max_seconds: float | None = None
    cache: bool = True
    max_age_days: float = MAX_AGE_DAYS

    def text(self) -> str | None:
        """As it is kept; None where nothing was said."""
        said = {name: value for name, value in asdict(self).items() if value != getattr(AS_ALWAYS, name)}
        return canonical_text(said) if said else None


AS_ALWAYS = Plan()


def checked(plan: Plan) -> Plan:
    """The plan. Invalid names the number that cannot be."""
    limits = (
        ("repeat", plan.repeat, 1, MOST_SAMPLES),
        ("max_usd", plan.max_usd, 0, MOST_USD),
        ("max_calls", plan.max_calls, 0, MOST_CALLS),
        ("max_seconds", plan.max_seconds, 1, MOST_SECONDS),
        ("max_age_days", plan.max_age_days, 0, KEPT_DAYS),
    )
    for name, value, least, most in limits:
        if value is not None and (not math.isfinite(value) or not least <= value <= most):
            raise Invalid(f"{name} is {value:g}", f"give {least} to {most:g}")
    return plan


def read_plan(text: str | None) -> Plan:
    """The plan as it was kept."""
    return Plan(**json.loads(text)) if text else AS_ALWAYS


def with_repeats(gate: Json, plan: Plan) -> Json:
    """The gate with as many samples as the plan asks for. Invalid where that is fewer than the gate does."""
    if plan.repeat is None:
        return gate
    repeat = gate.get("repeat", {})
    asked = int(repeat.get("samples", 1))
    if plan.repeat < asked:
        raise Invalid(f"--repeat {plan.repeat} is fewer than the gate asks for ({asked})", f"give at least {asked}")
    share = min(repeat.get("majors_min", asked), asked) / asked
    return {**gate, "repeat": {**repeat, "samples": plan.repeat, "majors_min": math.ceil(share * plan.repeat)}}
