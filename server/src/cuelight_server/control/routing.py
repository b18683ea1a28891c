"""Publishing: what an environment serves becomes its next snapshot, in the transaction of the change."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.content import parse
from cuelight.contract.knowledge import MOST_INDEXED, index, sources
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work
from cuelight_server.db.engine import Connection
from cuelight_server.kernel.errors import CuelightError, NotFound, Unavailable
from cuelight_server.kernel.terms import Environment, ReleaseState, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Prompt, Version
from cuelight_server.releases import store as releases
from cuelight_server.releases.model import Release
from cuelight_server.routing import store
from cuelight_server.routing.model import Carried, Deployment, Governance, Pin, Published, Served
from cuelight_server.routing.publish import build, carry, workflow_of
from cuelight_server.routing.rules import label

UNREADABLE = (CuelightError, LookupError, TypeError, ValueError)  # what rows that somebody changed may lead to
_LOOK_BACK = 100  # snapshots among which a good one is looked for


def publish(desk: Desk, work: Work, environment: str, rolled_back: str | None = None) -> Published:
    """Store the environment's next snapshot and note it; call it inside `act`, after the deployment was saved."""
    published = next_snapshot(desk, work, environment, rolled_back)
    work.note(snapshot={"version": published.version, "digest": published.digest})
    return published


def publish_everywhere(desk: Desk, work: Work, ended: str | None = None) -> dict[str, Published]:
    """The next snapshot of each environment that has one, for a change that all of them have to hear of."""
    places = [place.value for place in Environment if store.version(work.sql, place)]
    published = {place: next_snapshot(desk, work, place, ended) for place in places}
    work.note(snapshots={place: {"version": one.version, "digest": one.digest} for place, one in published.items()})
    return published


def next_snapshot(desk: Desk, work: Work, environment: str, rolled_back: str | None = None) -> Published:
    """Build and store the environment's next snapshot, for whoever notes it in words of their own.

    Each prompt is governed by the revision that its own release was approved under; one that is switched off by its
    last. What serves without a live release of exactly it is refused. When `rolled_back` is the prompt of a rollback,
    others that cannot be read do not stand in its way: they go on as the last good snapshot had them.
    """
    version = store.raise_version(work.sql, environment)
    gone = {one.name: _to_ask(work, one) for one in prompts.retired(work.sql)}
    found, broken = store.readable(work.sql, environment)
    made = list[Served]()
    lost = dict.fromkeys((one for one in broken if one not in gone), "the deployment cannot be read")
    for prompt, group in groupby((one for one in found if one.prompt not in gone), key=lambda one: one.prompt):
        try:
            made.append(_served(work.sql, prompt, group))
        except UNREADABLE as bad:
            if rolled_back in (None, prompt):
                raise
            lost[prompt] = bad.message if isinstance(bad, CuelightError) else repr(bad)
    if lost and rolled_back is None:
        raise Unavailable(f"{', '.join(lost)} in {environment} cannot be read", "run `cuelight-server verify`")
    made = [one for one in made if one.deployments[0].prompt not in lost]
    published = build(
        environment,
        desk.epoch,
        version,
        made,
        _carried(work, environment, version, lost),
        gone,
    )
    store.save_snapshot(work.sql, environment, published, work.at_text)
    return published


def _to_ask(work: Work, prompt: Prompt) -> str:
    owner = prompts.owners_of(work.sql, prompt.workflow, prompt.short).get(Role.WORKFLOW_OWNER, {})
    return str(owner.get("person") or "the people of " + prompt.workflow)


def last_live(sql: Connection, prompt: str, environment: str) -> int | None:
    """The number of the version that is live for everyone, or was before it was switched off; None if none ever was."""
    here = store.deployment(sql, prompt, environment)
    if here is None or here.weights:
        return here.weights[-1][0] if here is not None else None
    ended = releases.release(sql, here.release) if here.release is not None else None
    return ended.number if ended is not None else None


def restorable(sql: Connection, prompt: str, number: int, environment: str) -> Release:
    """The release that a rollback to this version brings back; one of UNREADABLE, saying why, where it must not be.

    It was live here through a release, was not rolled back, is stored as it was minted, and its rules are known.
    """
    release = releases.newest_of(sql, prompt, number, environment)
    if release is None:
        raise NotFound("it was never live here through a release", "release it")
    if releases.rolled_back(sql, prompt, number, environment) is not None:
        raise NotFound("it was rolled back here itself", "mint a new version")
    stored(sql, prompt, number)
    if prompts.workflow_at(sql, workflow_of(prompt), release.governed_by) is None:
        raise NotFound("the rules it was released under are not stored", "run `cuelight-server verify`")
    return release


def stored(sql: Connection, prompt: str, number: int) -> Version:
    """A version that still is what was minted; NotFound where it is gone, Unavailable where it was changed."""
    found = prompts.version(sql, prompt, number)
    if found is None:
        raise NotFound(f"{prompt}@{label(number)} is served and not stored", "run `cuelight-server verify`")
    if digest(dict(found.content)) != found.digest:
        raise Unavailable(f"{prompt}@{label(number)} is not what was minted", "run `cuelight-server verify`")
    return found


def _served(sql: Connection, prompt: str, group: Iterable[Deployment]) -> Served:
    deployments = tuple(group)
    numbers = {number for one in deployments for number, _ in one.weights}
    contents = {(prompt, number): stored(sql, prompt, number) for number in numbers}
    governed = {(prompt, one.tenant): _governance(sql, one) for one in deployments}
    pinned = {key: tuple(_pins(sql, one, deployments[0].environment)) for key, one in contents.items()}
    found = {key: (one.digest, one.content) for key, one in contents.items()}
    return Served(deployments=deployments, contents=found, governed=governed, pinned=pinned)


def _pins(sql: Connection, one: Version, environment: str) -> Iterator[Pin]:
    """The releases of knowledge that this version was approved with here; what is not known is left out."""
    release = releases.newest_of(sql, one.prompt, one.number, environment)
    bound = release.checklist["bound"].get("knowledge", {}) if release is not None else {}
    for name in dict.fromkeys(source.name for source in sources(parse(one.content))):
        found = prompts.knowledge_by_digest(sql, workflow_of(one.prompt), name, bound[name]) if name in bound else None
        if found is not None and digest(dict(found.document)) == found.digest:
            small = len(found.document["items"]) <= MOST_INDEXED
            yield Pin(name=name, number=found.number, digest=found.digest, items=index(found.document) if small else {})


def _governance(sql: Connection, one: Deployment) -> Governance:
    """The revision that its release was approved under; the newest where it is off and its release is lost."""
    try:
        release = releases.release(sql, one.release) if one.release else None
        here = (one.prompt, one.environment)
        if release is None or (release.prompt, release.environment) != here or not _as_released(one, release):
            raise NotFound(
                f"{one.prompt} in {one.environment} serves without a release", "run `cuelight-server verify`"
            )
        found = prompts.workflow_at(sql, workflow_of(one.prompt), release.governed_by)
        if found is None:
            raise NotFound(f"the rules of release {release.id} are not stored", "run `cuelight-server verify`")
    except UNREADABLE:
        newest = None if one.weights else prompts.workflow(sql, workflow_of(one.prompt))
        if newest is None:
            raise
        return Governance(document=newest.document, authority={})
    return Governance(document=found.document, authority=found.authority)


def _as_released(one: Deployment, release: Release) -> bool:
    """What serves is exactly what a live release put there; what is off serves nothing."""
    return all(number == release.number and release.state is ReleaseState.LIVE for number, _ in one.weights)


def _carried(work: Work, environment: str, version: int, lost: dict[str, str]) -> list[Carried]:
    """The lost prompts as the last good snapshot had them; told in the audit line."""
    if not lost:
        return []
    number, document = _last_good(work.sql, environment, version)
    found = {prompt: carry(document, prompt) if document else None for prompt in lost}
    told = {prompt: {"why": why, "from": number if found[prompt] else None} for prompt, why in lost.items()}
    work.note(carried_over=told)
    return [one for one in found.values() if one is not None]


def _last_good(sql: Connection, environment: str, version: int) -> tuple[int | None, Any]:
    for number in range(version - 1, max(0, version - 1 - _LOOK_BACK), -1):
        found = store.snapshot(sql, environment, number)
        if found is not None and digest_bytes(found.body) == found.digest:
            return number, json.loads(found.body)
    return None, None
