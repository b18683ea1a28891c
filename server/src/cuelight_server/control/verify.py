"""Recomputing everything that is stored: what was changed behind our back is named."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from cuelight.contract.canonical import digest_bytes
from cuelight_server.audit import store as audit
from cuelight_server.audit.verify import parse_checkpoint
from cuelight_server.control.desk import Desk
from cuelight_server.control.prompts import verify_prompts
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store as prompts
from cuelight_server.releases import store as releases
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from cuelight_server.routing.rules import label


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong, one sentence each, and what was looked at."""

    problems: tuple[str, ...]
    summary: str


def verify_desk(desk: Desk, kept: str | None = None) -> Verified:
    """Versions against their digests, the log against its heads (and a kept checkpoint), snapshots, pointers."""
    with reading(desk.registry) as sql:
        problems = [f"log: {one.message}" for one in audit.examine(sql, parse_checkpoint(kept) if kept else None)]
        problems += [f"version: {one.prompt}@{one.label} {one.message}" for one in verify_prompts(desk)]
        for place in Environment:
            problems += _readable(f"snapshot: {place}", partial(_snapshots, sql, place.value))
            problems += _readable(f"pointer: {place}", partial(_pointers, sql, place.value))
        head = audit.checkpoint(sql)
    state = "everything fits" if not problems else f"{len(problems)} problems"
    return Verified(tuple(problems), f"{state}: log of {head.size} lines, root {head.root}")


def _readable(what: str, look: Callable[[], Iterable[str]]) -> list[str]:
    """What was found, or that what is stored cannot even be read: rows that somebody changed may hold anything."""
    try:
        return list(look())
    except (LookupError, TypeError, ValueError) as bad:
        return [f"{what} cannot be read: {bad!r}"]


def _pointers(sql: Connection, environment: str) -> Iterator[str]:
    for one in routing.deployments(sql, environment):
        yield from _pointer(sql, one)


def _snapshots(sql: Connection, environment: str) -> Iterator[str]:
    newest = routing.version(sql, environment)
    for version in range(1, newest + 1):
        found = routing.snapshot(sql, environment, version)
        if found is None:
            yield f"snapshot: {environment} {version} is missing"
        elif digest_bytes(found.body) != found.digest:
            yield f"snapshot: {environment} {version} does not have its digest {found.digest}"


def _pointer(sql: Connection, one: Deployment) -> Iterator[str]:
    """What serves must be stored, and be there by a release of exactly this version."""
    for number, _ in one.weights:
        name = f"{one.prompt}@{label(number)} in {one.environment}"
        if prompts.version(sql, one.prompt, number) is None:
            yield f"pointer: {name} serves and is not stored"
        release = releases.release(sql, one.release) if one.release else None
        if release is None or (release.prompt, release.number, release.environment) != (
            one.prompt,
            number,
            one.environment,
        ):
            yield f"pointer: {name} serves without a release of it"
