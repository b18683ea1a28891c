"""Building a snapshot: pure, the same facts give the same bytes."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.bucket import ALGORITHM
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.contract.snapshot import FORMAT
from cuelight_server.routing.model import Deployment, Governance, Published
from cuelight_server.routing.rules import label

DEFAULT_TRACE = {"content": "hash_only"}  # what is kept of a call where the workflow does not say: as little as can be
Contents = Mapping[tuple[str, int], tuple[str, Mapping[str, Any]]]


def build(
    environment: str,
    epoch: str,
    version: int,
    deployments: Iterable[Deployment],
    contents: Contents,
    workflows: Mapping[str, Governance],
    retired: Mapping[str, str] | None = None,
) -> Published:
    """The snapshot of one environment.

    `retired` maps a retired prompt to the person to ask about it; none of them is among the deployments.

    `contents` maps (prompt, number) to (digest, content JSON) and must hold every served version; what is not served is
    left out. `workflows` maps a workflow's name to what governs it here.
    """
    listed = sorted(deployments, key=lambda one: (one.prompt, one.tenant))
    named = sorted({workflow_of(one.prompt) for one in listed})
    document: dict[str, Any] = {
        "format": FORMAT,
        "environment": environment,
        "epoch": epoch,
        "version": version,
        "deployments": _deployments(listed, workflows),
        "versions": _versions(listed, contents),
        "authorities": {name: workflows[name].authority for name in named},
        "trace": {name: {"content": _trace(workflows[name].document)["content"]} for name in named},
    }
    if retired:
        document["retired"] = dict(retired)
    body = canonical(document)
    return Published(version=version, digest=digest_bytes(body), body=body)


def workflow_of(prompt: str) -> str:
    """`sales` for `sales.lead_qualification`."""
    return prompt.partition(".")[0]


def prompt_rules(document: Mapping[str, Any], prompt: str) -> Mapping[str, Any]:
    """What the workflow document says about one prompt (full name); empty when it does not name it."""
    found: Mapping[str, Any] = document.get("prompts", {}).get(prompt.partition(".")[2], {})
    return found


def _deployments(listed: list[Deployment], workflows: Mapping[str, Governance]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for one in listed:
        document = workflows[workflow_of(one.prompt)].document
        made.setdefault(one.prompt, {})[one.tenant] = _deployment(one, document)
    return made


def _deployment(one: Deployment, document: Mapping[str, Any]) -> dict[str, Any]:
    rules = prompt_rules(document, one.prompt)
    key = rules.get("release", {}).get("bucketing_key") or document.get("release", {}).get("bucketing_key") or ""
    fallback = rules.get("fallback")
    return {
        "weights": [[label(number), weight] for number, weight in one.weights],
        "seed": one.release or one.prompt,
        "algorithm": ALGORITHM,
        "bucket_by": key,
        "kill": {"reason": one.kill.reason, "fallback": fallback} if one.kill else None,
        "release": one.release,
    }


def _versions(listed: list[Deployment], contents: Contents) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for one in listed:
        for number, _ in one.weights:
            digest, content = contents[one.prompt, number]
            made.setdefault(one.prompt, {})[label(number)] = {"digest": digest, "content": content}
    return made


def _trace(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("trace") or DEFAULT_TRACE
    return found
