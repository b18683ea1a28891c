"""What a deployment is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EVERYONE = ""  # the tenant of a deployment that is for everyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The kill switch while it is on: in whose words, by whom (an actor's id) and when (RFC 3339)."""

    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one prompt serves in one environment, for everyone or for one tenant.

    `weights` are (version number, weight of 100,000) pairs, candidate first, the stable version last; none = off.
    `rollback_target` is the pinned last good version; None = a rollback switches off. `release` is the id of the
    release that put the present state there, also of the one that was rolled back to nothing. `since` is RFC 3339.
    """

    prompt: str
    environment: str
    tenant: str = EVERYONE
    weights: tuple[tuple[int, int], ...] = ()
    rollback_target: int | None = None
    kill: Kill | None = None
    release: str | None = None
    revision: int = 0
    since: str = ""

    @property
    def live(self) -> int | None:
        """The stable version's number; None while nothing is served."""
        return self.weights[-1][0] if self.weights and self.kill is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """The rules that one deployment is under: a workflow's document and authority, as one revision holds them (JSON)."""

    document: Mapping[str, Any]
    authority: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One prompt as an earlier snapshot had it (JSON): deployments by tenant, versions by label, authorities and knowledge by digest."""

    prompt: str
    deployments: Mapping[str, Any]
    versions: Mapping[str, Any]
    authorities: Mapping[str, Any]
    knowledge: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A release of knowledge that one version was released with; `items` as `cuelight.contract.knowledge.index` gives."""

    name: str
    number: int
    digest: str
    items: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One prompt as it goes into a snapshot.

    `contents` maps (prompt, number) to (digest, content JSON) and holds every served version; `governed` maps
    (prompt, tenant) to the rules that its own release was approved under; `pinned` maps (prompt, number) to the
    knowledge that it was released with.
    """

    deployments: tuple[Deployment, ...]
    contents: Mapping[tuple[str, int], tuple[str, Mapping[str, Any]]]
    governed: Mapping[tuple[str, str], Governance]
    pinned: Mapping[tuple[str, int], tuple[Pin, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One snapshot: its version in the environment, the digest of its body, and the body as it goes over the wire."""

    version: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A client of one environment, the snapshot version that it said it serves, and when it said so (RFC 3339)."""

    client: str
    app: str
    environment: str
    epoch: str
    version: int
    at: str
