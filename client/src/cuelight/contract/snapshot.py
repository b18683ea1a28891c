"""The snapshot: everything the clients of one environment need, and who is served what and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cuelight.contract.bucket import ALGORITHM, PLACES, bucket, choose
from cuelight.contract.errors import Invalid, NotFound

FORMAT = "cuelight/snapshot@1"


class Reason(StrEnum):
    """Why this version was served."""

    KILL_SWITCH = "kill_switch"
    TENANT = "tenant"
    EXPERIMENT = "experiment"
    ROLLOUT = "rollout"
    STABLE = "stable"
    MISSING_KEY = "missing_key"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one request gets. `version` is None when the prompt is switched off; then `fallback` is what is declared."""

    prompt: str
    version: str | None
    digest: str | None
    reason: Reason
    release: str | None = None
    fallback: Any = None


@dataclass(frozen=True)
class Snapshot:
    """One environment at one moment; immutable. `version` rises by one with each change, within one `epoch`."""

    environment: str
    epoch: str
    version: int
    document: Mapping[str, Any]
    _serving: dict[tuple[str, str], tuple[tuple[tuple[str, int], ...], Mapping[str, Any]]] = field(repr=False)

    def resolve(
        self, prompt: str, key: str | None = None, *, tenant: str = "", experiment: str | None = None
    ) -> Resolution:
        """Kill switch, then the tenant's own deployment, then the experiment asked for, then rollout weight, then stable.

        NotFound where nothing is deployed: never the latest version, never a draft.
        """
        serving = self._serving.get((prompt, tenant)) if tenant else None
        reason = Reason.TENANT if serving else Reason.STABLE
        everyone = self._serving.get((prompt, ""))
        serving = serving or everyone
        if serving is None:
            raise self._unknown(prompt)
        weights, deployment = serving
        kill = deployment.get("kill") or (everyone and everyone[1].get("kill"))
        if kill:
            return Resolution(prompt, None, None, Reason.KILL_SWITCH, deployment.get("release"), kill.get("fallback"))
        if experiment is not None:
            return self._experiment(prompt, experiment, deployment)
        if len(weights) > 1:
            return self._rollout(prompt, key, weights, deployment)
        return self._answer(prompt, weights[-1][0], reason, deployment)

    def content(self, prompt: str, version: str) -> Mapping[str, Any]:
        """The content document of a version that this snapshot carries."""
        found: Mapping[str, Any] = self.document["versions"][prompt][version]["content"]
        return found

    def _rollout(
        self, prompt: str, key: str | None, weights: tuple[tuple[str, int], ...], deployment: Mapping[str, Any]
    ) -> Resolution:
        stable = weights[-1][0]
        if key is None or key == "":
            return self._answer(prompt, stable, Reason.MISSING_KEY, deployment)
        chosen = choose(weights, bucket(deployment["seed"], key)) or stable
        return self._answer(prompt, chosen, Reason.STABLE if chosen == stable else Reason.ROLLOUT, deployment)

    def _experiment(self, prompt: str, name: str, deployment: Mapping[str, Any]) -> Resolution:
        version = deployment.get("experiments", {}).get(name)
        if version is None:
            raise NotFound(f"{prompt} has no experiment {name} here", "ask without experiment= to get what is live")
        return self._answer(prompt, version, Reason.EXPERIMENT, deployment)

    def _answer(self, prompt: str, version: str, reason: Reason, deployment: Mapping[str, Any]) -> Resolution:
        digest = self.document["versions"][prompt][version]["digest"]
        return Resolution(prompt, version, digest, reason, deployment.get("release"))

    def _unknown(self, prompt: str) -> NotFound:
        known = sorted({name for name, _ in self._serving})
        return NotFound(
            f"nothing is live for {prompt} in {self.environment}",
            f"live here: {', '.join(known)}" if known else "release a version first: cuelight release <prompt>@<version>",
        )


def parse(document: Mapping[str, Any]) -> Snapshot:
    """Read a snapshot document; Invalid where its format, its weights or its algorithm are not known."""
    if document.get("format") != FORMAT:
        raise Invalid(f"this is no {FORMAT} document", "update the client or the server")
    serving = {}
    for prompt, deployments in document["deployments"].items():
        for tenant, deployment in deployments.items():
            serving[prompt, tenant] = (_weights(prompt, deployment, document), deployment)
    return Snapshot(document["environment"], document["epoch"], document["version"], document, serving)


def _weights(
    prompt: str, deployment: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[tuple[str, int], ...]:
    weights = tuple((str(version), int(weight)) for version, weight in deployment["weights"])
    if deployment.get("kill") and not weights:
        return ()
    known = document["versions"].get(prompt, {})
    if sum(weight for _, weight in weights) != PLACES or any(version not in known for version, _ in weights):
        raise Invalid(f"the weights of {prompt} do not add up to {PLACES} over known versions", "fetch the snapshot again")
    if len(weights) > 1 and deployment.get("algorithm") != ALGORITHM:
        raise Invalid(f"{prompt} asks for a bucketing algorithm this client does not know", "update the client")
    return weights
