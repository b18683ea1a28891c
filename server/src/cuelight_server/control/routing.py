"""Publishing: what an environment serves becomes its next snapshot, in the transaction of the change."""

from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.terms import Environment, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Prompt, Version, Workflow
from cuelight_server.releases import store as releases
from cuelight_server.routing import store
from cuelight_server.routing.model import Deployment, Governance, Published
from cuelight_server.routing.publish import build, workflow_of


def publish(desk: Desk, work: Work, environment: str) -> Published:
    """Store the environment's next snapshot and note it; call it inside `act`, after the deployment was saved."""
    published = next_snapshot(desk, work, environment)
    work.note(snapshot={"version": published.version, "digest": published.digest})
    return published


def next_snapshot(desk: Desk, work: Work, environment: str) -> Published:
    """Build and store the environment's next snapshot, for whoever notes it in words of their own.

    A workflow is governed by the newest revision that a release here was approved under: an authority that was pushed
    later takes effect with the next release, not behind anyone's back.
    """
    version = store.raise_version(work.sql, environment)
    gone = {one.name: _to_ask(work, one) for one in prompts.retired(work.sql)}
    deployments = [one for one in store.deployments(work.sql, environment) if one.prompt not in gone]
    served = {(one.prompt, number) for one in deployments for number, _ in one.weights}
    contents = {key: _content(work, *key) for key in served}
    published = build(
        environment,
        desk.epoch,
        version,
        deployments,
        {key: (found.digest, found.content) for key, found in contents.items()},
        _governance(work, deployments),
        gone,
    )
    store.save_snapshot(work.sql, environment, published, work.at_text)
    return published


def publish_everywhere(desk: Desk, work: Work) -> dict[str, Published]:
    """The next snapshot of each environment that has one, for a change that all of them have to hear of."""
    places = [place.value for place in Environment if store.version(work.sql, place)]
    published = {place: next_snapshot(desk, work, place) for place in places}
    work.note(snapshots={place: {"version": one.version, "digest": one.digest} for place, one in published.items()})
    return published


def _to_ask(work: Work, prompt: Prompt) -> str:
    owner = prompts.owners_of(work.sql, prompt.workflow, prompt.short).get(Role.WORKFLOW_OWNER, {})
    return str(owner.get("person") or "the people of " + prompt.workflow)


def _content(work: Work, prompt: str, number: int) -> Version:
    found = prompts.version(work.sql, prompt, number)
    if found is None:
        raise NotFound(f"{prompt}@v{number} is served and not stored", "run `cuelight-server verify`")
    return found


def _governance(work: Work, deployments: list[Deployment]) -> dict[str, Governance]:
    revisions: dict[str, int] = {}
    for one in deployments:
        release = releases.release(work.sql, one.release) if one.release else None
        if release is not None:
            name = workflow_of(one.prompt)
            revisions[name] = max(revisions.get(name, 0), release.governed_by)
    return {name: _as_governance(_revision(work, name, number)) for name, number in revisions.items()}


def _revision(work: Work, name: str, number: int) -> Workflow:
    found = prompts.workflow_at(work.sql, name, number)
    if found is None:
        raise NotFound(f"revision {number} of {name} is not stored", "run `cuelight-server verify`")
    return found


def _as_governance(found: Workflow) -> Governance:
    return Governance(document=found.document, authority=found.authority)
