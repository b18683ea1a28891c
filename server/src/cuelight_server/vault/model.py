"""What is kept of a provider: where it answers, and its key, sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One provider of the desk. `sealed` is its key under a sealing key that is not in the database; None has none."""

    provider: str
    base_url: str
    sealed: str | None
    actor: str
    updated_at: str
    options: str | None = None  # canonical JSON: limits of its pace, and how an HTTP endpoint is spoken to


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProvider:
    """A provider as anyone may see it: its key went in and does not come out."""

    provider: str
    base_url: str
    key: bool
    by: str
    at: str
    options: Mapping[str, Any]


def seen(one: Connection) -> SetProvider:
    """What anyone may see of it."""
    return SetProvider(
        provider=one.provider,
        base_url=one.base_url,
        key=one.sealed is not None,
        by=one.actor,
        at=one.updated_at,
        options=json.loads(one.options) if one.options else {},
    )
