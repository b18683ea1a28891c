"""Building a snapshot: pure, the same facts give the same bytes."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.bucket import ALGORITHM
from cuelight.contract.canonical import canonical, digest, digest_bytes
from cuelight.contract.snapshot import FORMAT
from cuelight_server.routing.model import Carried, Deployment, Governance, Pin, Published, Served
from cuelight_server.routing.rules import label

DEFAULT_TRACE = {"content": "hash_only"}  # what is kept of a call where the workflow does not say: as little as can be
Contents = Mapping[tuple[str, int], tuple[str, Mapping[str, Any]]]
Governed = Mapping[tuple[str, str], Governance]
Pinned = Mapping[tuple[str, int], tuple[Pin, ...]]


def build(
    environment: str,
    epoch: str,
    version: int,
    served: Iterable[Served],
    carried: Iterable[Carried] = (),
    retired: Mapping[str, str] | None = None,
) -> Published:
    """The snapshot of one environment; what is not served is left out.

    `carried` are prompts as an earlier snapshot had them. `retired` maps a retired prompt to the person to ask about it;
    none of them is served.
    """
    parts = list(served)
    listed = sorted((one for part in parts for one in part.deployments), key=lambda one: (one.prompt, one.tenant))
    contents = {key: content for part in parts for key, content in part.contents.items()}
    governed = {key: rules for part in parts for key, rules in part.governed.items()}
    pinned = {key: pins for part in parts for key, pins in part.pinned.items()}
    kept = list(carried)
    document: dict[str, Any] = {
        "format": FORMAT,
        "environment": environment,
        "epoch": epoch,
        "version": version,
        "deployments": _deployments(listed, governed) | {one.prompt: one.deployments for one in kept},
        "versions": _versions(listed, contents, pinned) | {one.prompt: one.versions for one in kept if one.versions},
        "authorities": _authorities(listed, governed, kept),
        "knowledge": _knowledge(listed, pinned, kept),
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
    versions = document["versions"].get(prompt, {})
    known = document.get("knowledge", {})
    releases = {pin["release"] for one in versions.values() for pin in one.get("knowledge", {}).values()}
    return Carried(
        prompt=prompt,
        deployments=deployments,
        versions=versions,
        authorities={name: document["authorities"][name] for name in named},
        knowledge={release: known[release] for release in releases if release in known},
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


def _versions(listed: list[Deployment], contents: Contents, pinned: Pinned) -> dict[str, Mapping[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for one in listed:
        for number, _ in one.weights:
            name, content = contents[one.prompt, number]
            pins = {
                pin.name: {"number": pin.number, "release": pin.digest} for pin in pinned.get((one.prompt, number), ())
            }
            told = {"knowledge": pins} if pins else {}
            made.setdefault(one.prompt, {})[label(number)] = {"digest": name, "content": content, **told}
    return dict(made)


def _knowledge(listed: list[Deployment], pinned: Pinned, kept: list[Carried]) -> dict[str, Any]:
    """Digest of a release -> its items by ref, as digests; a release that is too large to carry is left out."""
    made = {name: items for one in kept for name, items in one.knowledge.items()}
    served = {(one.prompt, number) for one in listed for number, _ in one.weights}
    pins = [pin for key in served for pin in pinned.get(key, ()) if pin.items]
    return made | {pin.digest: {ref: list(digests) for ref, digests in pin.items.items()} for pin in pins}


def _authorities(listed: list[Deployment], governed: Governed, kept: list[Carried]) -> dict[str, Any]:
    """Digest -> authority table, of every revision that governs something here."""
    made = {name: table for one in kept for name, table in one.authorities.items()}
    tables = [governed[one.prompt, one.tenant].authority for one in listed]
    return made | {digest(dict(table)): table for table in tables}
