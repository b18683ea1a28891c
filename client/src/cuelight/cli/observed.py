"""Observed: how many live clients follow a change; "released" and "rolled back" mean that, not a row in a table."""

import time
from collections.abc import Mapping
from typing import Any

from cuelight.admin import Admin
from cuelight.cli.show import light, say
from cuelight.contract.errors import NotFound, Unavailable

_POLL_S = 0.25


def observe(admin: Admin, environment: str, version: Any, wait_s: float) -> dict[str, Any] | None:
    """The newest count, as soon as every live client follows or after `wait_s` seconds."""
    if not isinstance(version, int):
        return None
    end = time.monotonic() + wait_s
    while True:
        try:
            seen = admin.observed(environment, version)
        except (Unavailable, NotFound):
            return None
        if seen["following"] >= seen["live"] or time.monotonic() >= end:
            return seen
        time.sleep(_POLL_S)


def show_observed(observed: Mapping[str, Any] | None) -> None:
    """How many of the known clients follow; the others by name, since when they are silent and what they served."""
    if observed is None:
        say("observed: not known; the desk does not say")
        return
    silent, following = observed.get("silent", ()), observed["following"]
    known = observed.get("known", following + len(silent))
    if not known:
        say("observed: no client is known; each gets it with its next snapshot")
        return
    sign, style = light("go" if following >= known else "standby")
    say((sign, style), f" observed by {following} of {known}")
    if not observed.get("named", True) and known > following:
        say("who is silent is told to those who take releases back here, and to who sees every workflow", indent=2)
    for one in silent:
        who = f"{one['client']} ({one.get('app') or 'app unknown'})"
        say(f"silent since {_clock(one.get('seen_at'))}: {who}, last served snapshot {one.get('version')}", indent=2)


def _clock(at: Any) -> str:
    """The hour and minute in UTC; the day too where it is not today's."""
    text = str(at or "")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    return text[11:16] if text.startswith(today) else text[:16].replace("T", " ")
