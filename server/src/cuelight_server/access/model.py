"""People, apps and their tokens, as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.terms import ActorKind, Environment


@dataclass(frozen=True, slots=True)
class Once:
    """A request that must not be done twice: the caller's key for it, and the digest of what is asked."""

    key: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a request was answered; `answer` is JSON."""

    actor: str
    once: Once
    answer: Mapping[str, Any]
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person (`mei.tanaka`) or an app (`app:crm`); times are RFC 3339 text."""

    id: str
    name: str
    kind: ActorKind
    admin: bool
    created_at: str
    disabled_at: str | None = None

    def actor(self, environment: Environment | None = None) -> Actor:
        """Who acts when this account does."""
        return Actor(self.id, self.name, self.kind, self.admin, environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A person's token or an app's key: the hash of its secret, never the secret."""

    id: str
    actor: str
    secret_hash: str
    environment: Environment | None
    created_at: str
    revoked_at: str | None = None
    last_used_at: str | None = None
