"""The snapshot: everything the clients of one environment need, and who is served what and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cuelight.contract.bucket import ALGORITHM, PLACES, choose, head, place
from cuelight.contract.errors import Invalid, NotFound
from cuelight.contract.knowledge import KnowledgeRelease

FORMAT = "cuelight/snapshot@1"


class Reason(StrEnum):
    """Why this version was served."""

    KILL_SWITCH = "kill_switch"
    TENANT = "tenant"
    EXPERIMENT = "experiment"
    ROLLOUT = "rollout"
    STABLE = "stable"
    MISSING_KEY = "missing_key"
    FALLBACK = "fallback"  # the caller's own; no snapshot ever says so


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one request gets. `version` is None when the prompt is switched off; then `fallback` is what is declared."""

    prompt: str
    version: str | None
    digest: str | None
    reason: Reason
    release: str | None = None
    fallback: Any = None


@dataclass(frozen=True, slots=True)
class Governed:
    """The rules of one deployment: its authority table under its digest, and what may be kept of a call.

    `trace` is full, redacted or hash_only. Nothing is allowed and no content is kept where the document says nothing.
    """

    digest: str = ""
    authority: Mapping[str, Any] = field(default_factory=dict)
    trace: str = "hash_only"


@dataclass(frozen=True, slots=True)
class _Serving:
    """One deployment with its possible answers made beforehand; resolving only picks one."""

    off: Resolution | None
    experiments: Mapping[str, Resolution]
    weights: tuple[tuple[Resolution, int], ...]
    missing_key: Resolution | None
    seed_head: bytes
    governed: Governed


@dataclass(frozen=True)
class Snapshot:
    """One environment at one moment; immutable. `version` rises by one with each change, within one `epoch`."""

    environment: str
    epoch: str
    version: int
    document: Mapping[str, Any]
    _serving: Mapping[tuple[str, str], _Serving] = field(repr=False)
    _knowledge: Mapping[tuple[str, str], Mapping[str, KnowledgeRelease]] = field(repr=False, default_factory=dict)

    def resolve(
        self, prompt: str, key: str | None = None, *, tenant: str = "", experiment: str | None = None
    ) -> Resolution:
        """Kill switch, then the tenant's own deployment, then the experiment asked for, then rollout weight, then stable.

        NotFound where nothing is deployed: never the latest version, never a draft.
        """
        serving = self._serving.get((prompt, tenant)) or self._serving.get((prompt, ""))
        if serving is None:
            raise self._unknown(prompt)
        if serving.off is not None:
            return serving.off
        if experiment is not None:
            return _experiment(serving, prompt, experiment)
        weights = serving.weights
        if serving.missing_key is None:
            return weights[0][0]
        if not key:
            return serving.missing_key
        return choose(weights, place(serving.seed_head, key)) or weights[-1][0]

    def governed(self, prompt: str, tenant: str = "") -> Governed:
        """The rules that `prompt` was released under here; the narrowest where nothing is deployed."""
        serving = self._serving.get((prompt, tenant)) or self._serving.get((prompt, ""))
        return serving.governed if serving is not None else Governed()

    def content(self, prompt: str, version: str) -> Mapping[str, Any]:
        """The content document of a version that this snapshot carries."""
        found: Mapping[str, Any] = self.document["versions"][prompt][version]["content"]
        return found

    def knowledge(self, prompt: str, version: str) -> Mapping[str, KnowledgeRelease]:
        """Name -> the release of knowledge that this version was released with; empty where none is known."""
        return self._knowledge.get((prompt, version), {})

    def _unknown(self, prompt: str) -> NotFound:
        owner = self.document.get("retired", {}).get(prompt)
        if owner is not None:
            return NotFound(
                f"{prompt} is retired", f"ask {owner}, its workflow owner, what takes its place", owner=owner
            )
        known = sorted({name for name, _ in self._serving})
        return NotFound(
            f"nothing is live for {prompt} in {self.environment}",
            f"live here: {', '.join(known)}"
            if known
            else "release a version first: cuelight release <prompt>@<version>",
        )


def parse(document: Any) -> Snapshot:
    """Read a snapshot document; Invalid where its format, its shape, its weights or its algorithm are not known."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise Invalid(f"this is no {FORMAT} document", "update the client or the server")
    try:
        return _parse(document)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as bad:
        raise Invalid(f"the snapshot cannot be read: {bad!r:.200}", "fetch the snapshot again") from bad


def _parse(document: Mapping[str, Any]) -> Snapshot:
    serving = {}
    for prompt, deployments in document["deployments"].items():
        everyone = deployments.get("", {})
        for tenant, deployment in deployments.items():
            kill = deployment.get("kill") or everyone.get("kill")
            carried = _Prompt(prompt, document["versions"].get(prompt, {}))
            governed = _governed(prompt, deployment, document.get("authorities", {}))
            serving[prompt, tenant] = _serve(carried, tenant, deployment, kill, governed)
    about = (str(document["environment"]), str(document["epoch"]), int(document["version"]))
    return Snapshot(*about, document, serving, _knowledge(document))


def _knowledge(document: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, KnowledgeRelease]]:
    """What each version was released with. A release whose items the document lacks is known by its number alone."""
    items = {
        release: {str(ref): tuple(map(str, digests)) for ref, digests in found.items()}
        for release, found in document.get("knowledge", {}).items()
    }
    return {
        (prompt, label): {
            name: KnowledgeRelease(name, int(pin["number"]), str(pin["release"]), items.get(pin["release"], {}))
            for name, pin in version["knowledge"].items()
        }
        for prompt, versions in document.get("versions", {}).items()
        for label, version in versions.items()
        if version.get("knowledge")
    }


@dataclass(frozen=True, slots=True)
class _Prompt:
    """One prompt of the document: its name and the versions that the document carries."""

    name: str
    versions: Mapping[str, Any]

    def answer(self, version: str, reason: Reason, deployment: Mapping[str, Any]) -> Resolution:
        return Resolution(self.name, version, self.versions[version]["digest"], reason, deployment.get("release"))


def _governed(prompt: str, deployment: Mapping[str, Any], authorities: Mapping[str, Any]) -> Governed:
    """A deployment that names no authority allows nothing; one that names a table which is not there is broken."""
    named, trace = deployment.get("authority"), deployment.get("trace", {}).get("content", "hash_only")
    if named is None:
        return Governed(trace=str(trace))
    if named not in authorities:
        raise Invalid(f"the authority table of {prompt} is missing from the snapshot", "fetch the snapshot again")
    return Governed(str(named), authorities[named], str(trace))


def _serve(
    prompt: _Prompt,
    tenant: str,
    deployment: Mapping[str, Any],
    kill: Mapping[str, Any] | None,
    governed: Governed,
) -> _Serving:
    weights = _weights(prompt, deployment)
    alone = len(weights) == 1
    stable = Reason.TENANT if tenant and alone else Reason.STABLE
    reasons = [Reason.ROLLOUT] * (len(weights) - 1) + ([stable] if weights else [])  # switched off: no arm
    arms = [
        (prompt.answer(version, reason, deployment), weight)
        for (version, weight), reason in zip(weights, reasons, strict=True)
    ]
    return _Serving(
        off=Resolution(prompt.name, None, None, Reason.KILL_SWITCH, deployment.get("release"), kill.get("fallback"))
        if kill
        else None,
        experiments={
            name: prompt.answer(version, Reason.EXPERIMENT, deployment)
            for name, version in deployment.get("experiments", {}).items()
        },
        weights=tuple(arms),
        missing_key=None if alone or not weights else prompt.answer(weights[-1][0], Reason.MISSING_KEY, deployment),
        seed_head=head(str(deployment["seed"])) if len(weights) > 1 else b"",
        governed=governed,
    )


def _weights(prompt: _Prompt, deployment: Mapping[str, Any]) -> list[tuple[str, int]]:
    weights = [(str(version), int(weight)) for version, weight in deployment["weights"]]
    if deployment.get("kill") and not weights:
        return []
    known = all(version in prompt.versions and weight >= 0 for version, weight in weights)
    if sum(weight for _, weight in weights) != PLACES or not known:
        raise Invalid(
            f"the weights of {prompt.name} do not add up to {PLACES} over known versions", "fetch the snapshot again"
        )
    if len(weights) > 1 and deployment.get("algorithm") != ALGORITHM:
        raise Invalid(f"{prompt.name} asks for a bucketing algorithm this client does not know", "update the client")
    return weights


def _experiment(serving: _Serving, prompt: str, name: str) -> Resolution:
    if name not in serving.experiments:
        raise NotFound(f"{prompt} has no experiment {name} here", "ask without experiment= to get what is live")
    return serving.experiments[name]
