"""Building a snapshot: pure, the same facts give the same bytes."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.bucket import ALGORITHM
from cuelight.contract.canonical import canonical, digest, digest_bytes
from cuelight.contract.snapshot import FORMAT
from cuelight_server.routing.model import Carried, Deployment, Governance, Published
from cuelight_server.routing.rules import label

DEFAULT_TRACE = {"content": "hash_only"}  # what is kept of a call where the workflow does not say: as little as can be
Contents = Mapping[tuple[str, int], tuple[str, Mapping[str, Any]]]
Governed = Mapping[tuple[str, str], Governance]


def build(
    environment: str,
    epoch: str,
    version: int,
    deployments: Iterable[Deployment],
    contents: Contents,
    governed: Governed,
    carried: Iterable[Carried] = (),
    retired: Mapping[str, str] | None = None,
) -> Published:
    """The snapshot of one environment.

    `retired` maps a retired prompt to the person to ask about it; none of them is among the deployments.

    `contents` maps (prompt, number) to (digest, content JSON) and must hold every served version; what is not served is
    left out. `governed` maps (prompt, tenant) to the rules that its own release was approved under. `carried` are
    prompts as an earlier snapshot had them.
    """
    listed = sorted(deployments, key=lambda one: (one.prompt, one.tenant))
    kept = list(carried)
    document: dict[str, Any] = {
        "format": FORMAT,
        "environment": environment,
        "epoch": epoch,
        "version": version,
        "deployments": _deployments(listed, governed) | {one.prompt: one.deployments for one in kept},
        "versions": _versions(listed, contents) | {one.prompt: one.versions for one in kept if one.versions},
        "authorities": _authorities(listed, governed, kept),
    }
    if retired:
        document["retired"] = dict(retired)
    body = canonical(document)
    return Published(version=version, digest=digest_bytes(body), body=body)


def carry(document: Mapping[str, Any], prompt: str) -> Carried | None:
    """One prompt out of a snapshot's document, as it is; None where the document does not have it."""
    deployments = document["deployments"].get(prompt)
    if deployments is None:
        return None
    named = {one["authority"] for one in deployments.values() if "authority" in one}
    return Carried(
        prompt=prompt,
        deployments=deployments,
        versions=document["versions"].get(prompt, {}),
        authorities={name: document["authorities"][name] for name in named},
    )


def workflow_of(prompt: str) -> str:
    """`sales` for `sales.lead_qualification`."""
    return prompt.partition(".")[0]


def prompt_rules(document: Mapping[str, Any], prompt: str) -> Mapping[str, Any]:
    """What the workflow document says about one prompt (full name); empty when it does not name it."""
    found: Mapping[str, Any] = document.get("prompts", {}).get(prompt.partition(".")[2], {})
    return found


def _deployments(listed: list[Deployment], governed: Governed) -> dict[str, Mapping[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for one in listed:
        made.setdefault(one.prompt, {})[one.tenant] = _deployment(one, governed[one.prompt, one.tenant])
    return dict(made)


def _deployment(one: Deployment, rules: Governance) -> dict[str, Any]:
    document, own = rules.document, prompt_rules(rules.document, one.prompt)
    key = own.get("release", {}).get("bucketing_key") or document.get("release", {}).get("bucketing_key") or ""
    return {
        "weights": [[label(number), weight] for number, weight in one.weights],
        "seed": one.release or one.prompt,
        "algorithm": ALGORITHM,
        "bucket_by": key,
        "kill": {"reason": one.kill.reason, "fallback": own.get("fallback")} if one.kill else None,
        "release": one.release,
        "authority": digest(dict(rules.authority)),
        "trace": {"content": (document.get("trace") or DEFAULT_TRACE)["content"]},
    }


def _versions(listed: list[Deployment], contents: Contents) -> dict[str, Mapping[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for one in listed:
        for number, _ in one.weights:
            name, content = contents[one.prompt, number]
            made.setdefault(one.prompt, {})[label(number)] = {"digest": name, "content": content}
    return dict(made)


def _authorities(listed: list[Deployment], governed: Governed, kept: list[Carried]) -> dict[str, Any]:
    """Digest -> authority table, of every revision that governs something here."""
    made = {name: table for one in kept for name, table in one.authorities.items()}
    tables = [governed[one.prompt, one.tenant].authority for one in listed]
    return made | {digest(dict(table)): table for table in tables}
