"""What is kept of a provider: where it answers, and its key, sealed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One provider of the desk. `sealed` is its key under a sealing key that is not in the database; None has none."""

    provider: str
    base_url: str
    sealed: str | None
    actor: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProvider:
    """A provider as anyone may see it: its key went in and does not come out."""

    provider: str
    base_url: str
    key: bool
    by: str
    at: str


def seen(one: Connection) -> SetProvider:
    """What anyone may see of it."""
    return SetProvider(
        provider=one.provider, base_url=one.base_url, key=one.sealed is not None, by=one.actor, at=one.updated_at
    )
