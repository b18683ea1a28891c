"""What a tier asks of evidence, whatever a suite or a gate says: how many cases, and the least strict gate."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.kernel.terms import Tier

Json = Mapping[str, Any]

LEAST_CASES: Mapping[Tier, int] = {
    Tier.LOW: 1,
    Tier.STANDARD: 5,
    Tier.ELEVATED: 10,
    Tier.HIGH: 20,
    Tier.REGULATED: 20,
}
_NONE_FAILS: Json = {"blocker_failures_max": 0, "newly_failing_max": 0}
FLOORS: Mapping[Tier, Json] = {  # joined with every gate by strictness: a gate may ask for more, never for less
    Tier.LOW: {},
    Tier.STANDARD: {**_NONE_FAILS, "min_pass_rate": 0.8},
    Tier.ELEVATED: {**_NONE_FAILS, "min_pass_rate": 0.9},
    Tier.HIGH: {**_NONE_FAILS, "min_pass_rate": 0.9},
    Tier.REGULATED: {**_NONE_FAILS, "min_pass_rate": 0.95},
}


def tier_of(document: Json) -> Tier:
    """The tier of a workflow document; the strictest where it does not say."""
    return Tier(document.get("tier", Tier.REGULATED.value))
