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
    """How many of the live clients follow; the silent ones by name."""
    if observed is None:
        say("observed: not known; the desk does not say")
        return
    live, following = observed["live"], observed["following"]
    if not live:
        say("observed: no client is live; each gets it with its next snapshot")
        return
    sign, style = light("go" if following >= live else "standby")
    say((sign, style), f" observed by {following} of {live} live clients")
    for one in observed.get("silent", ()):
        say(f"silent: {one['client']}, last seen {one.get('seen_at')}, on snapshot {one.get('version')}", indent=2)
