"""Accounts, their keys, passwords and sessions, as they are kept; times are RFC 3339 text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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
    """A person (`mei.tanaka`), an app (`app:crm`), a service (`service:ci`) or an agent (`agent:drafter`).

    `person` is set where the account belongs to a person who has another one; `person_id` is the same for all of them.
    """

    id: str
    name: str
    kind: ActorKind
    admin: bool
    created_at: str
    disabled_at: str | None = None
    person: str | None = None

    @property
    def person_id(self) -> str:
        """Which person this is: by it two accounts of one person are known as one."""
        return self.person or self.id

    def actor(
        self, environment: Environment | None = None, scopes: frozenset[str] | None = None, token: str = ""
    ) -> Actor:
        """Who acts when this account does, with a key (`token` is its id) of that environment and those scopes."""
        return Actor(self.id, self.name, self.kind, self.admin, environment, scopes, self.person_id, token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A key: the hash of its secret, never the secret; `scopes` None = everything its holder may."""

    id: str
    actor: str
    secret_hash: str
    environment: Environment | None
    created_at: str
    scopes: tuple[str, ...] | None = None
    label: str = ""
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None


class Purpose(StrEnum):
    """What a one-time link is for."""

    OWNER = "owner"  # the first person of a desk, who then is its administrator
    INVITE = "invite"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time link with which a person sets their password; `actor` is None for the owner of a new desk."""

    id: str
    purpose: Purpose
    actor: str | None
    secret_hash: str
    created_at: str
    expires_at: str
    ended_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An address that somebody vouched for; the log knows only the digest of salt and address."""

    actor: str
    address: str
    salt: str
    verified_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is signed in with a browser: `hash` is of the cookie's secret, `id` names it to its owner."""

    hash: str
    id: str
    actor: str
    method: str
    source: str
    browser: str
    created_at: str
    last_seen_at: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """From where somebody comes: the address, and what the browser says of itself."""

    source: str
    browser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How long a session lasts without a sign of life, and at most, in minutes; and how one may come in, None = anyhow."""

    idle_minutes: int = 120
    most_minutes: int = 12 * 60
    methods: frozenset[str] | None = None

    def allows(self, method: str) -> bool:
        """Whether one may come in that way, and stay."""
        return self.methods is None or method in self.methods


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Attempts to sign in that failed, of one account or one source; `key` is a hash of which, `until` "" = no wait."""

    key: str
    failures: int
    last_at: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is at an OpenID provider, and whose account that is here; `gave` is what its groups gave.

    The log knows only the digest of salt, issuer and subject.
    """

    issuer: str
    subject: str
    actor: str
    salt: str
    linked_at: str
    gave: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in on its way to a provider and back; `actor` is who connects their account, None for a sign-in."""

    hash: str
    actor: str | None
    source: str
    created_at: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """That the tokens of an issuer (a pipeline's) open a service account: for whom they are, and what they must say.

    `conditions` is claim -> value, or the beginning of one and `*`; a key from it lasts `minutes`.
    """

    id: str
    actor: str
    issuer: str
    audience: str
    conditions: Mapping[str, str]
    scopes: tuple[str, ...]
    environment: Environment | None
    minutes: int
    created_at: str
    ended_at: str | None = None
    last_used_at: str | None = None
