"""What a pipeline's token has to say before it opens a service account: claims, exactly or by their beginning; pure."""

import re
from collections.abc import Mapping
from typing import Any

from cuelight_server.kernel.errors import Invalid

# A claim that says whose the pipeline is: without one, everybody's pipeline at a shared issuer would fit.
WHOSE = frozenset(
    {
        "sub",
        *("repository", "repository_id", "repository_owner", "repository_owner_id"),
        *("project_path", "project_id", "namespace_path", "namespace_id"),
        *("organization_id", "organization_slug"),
    }
)
# What a run tells of itself that is worth a line of the log; names of people are not among it.
TOLD = (
    *("sub", "jti", "repository", "ref", "sha", "environment", "event_name", "run_id", "run_attempt"),
    *("workflow_ref", "project_path", "pipeline_id", "job_id"),
)
MOST, MOST_LENGTH = 20, 255
_CLAIM = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}")
_ENDS = ("/", ":")


def check_conditions(conditions: Mapping[str, str]) -> dict[str, str]:
    """The conditions, by claim; Invalid where one is none, is too loose, or none of them says whose the pipeline is.

    A value is exact, or a beginning followed by `*`. Where the claim says whose the pipeline is, the beginning ends
    in `/` or `:`, for `acme*` would also be `acme-evil`.
    """
    if not 1 <= len(conditions) <= MOST:
        raise Invalid(f"give 1 to {MOST} conditions", "such as --claim repository=acme/prompts")
    for claim, value in conditions.items():
        _check(claim, value)
    if WHOSE.isdisjoint(conditions):
        raise Invalid(
            "no condition says whose the pipeline is",
            "add one such as --claim repository=acme/prompts, --claim project_path=acme/prompts or --claim sub=...",
        )
    return dict(sorted(conditions.items()))


def fits(conditions: Mapping[str, str], claims: Mapping[str, Any]) -> bool:
    """Whether the claims say all of it; a claim that is missing, or is no plain value, fits nothing."""
    return bool(conditions) and all(_fits(wanted, claims.get(claim)) for claim, wanted in conditions.items())


def told(claims: Mapping[str, Any]) -> dict[str, str]:
    """What the run says of itself, cut to what a line of the log may hold."""
    found = {name: _plain(claims.get(name)) for name in TOLD}
    return {name: value[:200] for name, value in found.items() if value is not None}


def _check(claim: str, value: str) -> None:
    if not _CLAIM.fullmatch(claim) or claim in ("iss", "aud", "exp", "iat", "nbf"):
        raise Invalid(f"{claim[:80]!r} is no claim to look at", "name one that the pipeline's token has")
    start, star, rest = value.partition("*")
    if not value or len(value) > MOST_LENGTH or not value.isprintable():
        raise Invalid(f"{claim} needs a value of 1 to {MOST_LENGTH} characters", f"write {claim}=VALUE")
    if rest or (star and not start):
        raise Invalid(
            f"{claim}={value[:80]} is too loose", "a value is exact, or a beginning and one * at its end: refs/tags/*"
        )
    steps = [one for one in re.split("[/:]", start) if one]
    if star and claim in WHOSE and (not start.endswith(_ENDS) or len(steps) < (2 if claim == "sub" else 1)):
        raise Invalid(
            f"{claim}={value[:80]} would fit others, too",
            "before * comes an owner and / or :, as in repository=acme/* or sub=repo:acme/*",
        )


def _fits(wanted: str, said: Any) -> bool:
    plain = _plain(said)
    if plain is None:
        return False
    return plain.startswith(wanted[:-1]) if wanted.endswith("*") else plain == wanted


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None
