"""How a deployment moves: pure, one new deployment out of an old one."""

import re
from dataclasses import asdict, replace
from typing import Any

from cuelight.contract.bucket import PLACES
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.terms import Environment
from cuelight_server.routing.model import Deployment, Kill

_LABEL = re.compile(r"v([1-9][0-9]{0,8})")


def move(deployment: Deployment, number: int, *, release: str, at: str) -> Deployment:
    """Everyone gets `number` now; what was live until now is pinned as the target of a rollback, None if nothing was.

    After the switch `off` the target that was pinned then stays pinned.
    """
    pinned = deployment.rollback_target if deployment.rollback_target != number else None
    return replace(
        deployment,
        weights=((number, PLACES),),
        rollback_target=deployment.live if deployment.live is not None else pinned,
        kill=None,
        release=release,
        revision=deployment.revision + 1,
        since=at,
    )


def rolled_back(
    deployment: Deployment, number: int, *, release: str | None, next_target: int | None, at: str
) -> Deployment:
    """One switch back to `number`. `release` is the one that made it live, `next_target` its own target."""
    return replace(
        deployment,
        weights=((number, PLACES),),
        rollback_target=next_target,
        kill=None,
        release=release,
        revision=deployment.revision + 1,
        since=at,
    )


def killed(deployment: Deployment, kill: Kill) -> Deployment:
    """Nothing is served any more; callers get the declared fallback. The release that was live stays named."""
    return replace(
        deployment, weights=(), rollback_target=None, kill=kill, revision=deployment.revision + 1, since=kill.at
    )


def told(deployment: Deployment) -> dict[str, Any]:
    """The state of a deployment as an audit line tells it (JSON)."""
    return {
        "weights": [list(one) for one in deployment.weights],
        "rollback_target": deployment.rollback_target,
        "kill": asdict(deployment.kill) if deployment.kill else None,
        "release": deployment.release,
        "revision": deployment.revision,
    }


def off(deployment: Deployment, kill: Kill) -> Deployment:
    """Nothing is served any more, by a person's choice; the rollback target stays pinned for when it is on again."""
    return replace(killed(deployment, kill), rollback_target=deployment.rollback_target)


def label(number: int) -> str:
    """`v2` for 2."""
    return f"v{number}"


def label_of(number: int | None) -> str | None:
    """`v2` for 2; None where nothing serves."""
    return None if number is None else label(number)


def environment_of(text: str) -> str:
    """The environment that somebody named; Invalid where there is none of that name."""
    if text not in list(Environment):
        raise Invalid(f"there is no environment {text}", f"one of {', '.join(Environment)}")
    return Environment(text).value


def number_of(text: str) -> int | None:
    """2 for `v2`; None for anything that is no version's label, such as a draft's."""
    found = _LABEL.fullmatch(text)
    return int(found[1]) if found else None
