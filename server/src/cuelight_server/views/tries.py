"""What was tried by hand on a prompt, and whether it is still of what lies under its label."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.prompts import store as prompts
from cuelight_server.tries import store


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedLine:
    """One try; `stale` says that another content lies under its label by now. `at` is RFC 3339, empty where not kept."""

    id: str
    prompt: str
    label: str
    content_digest: str
    provider: str
    recorded: bool
    actor: str
    at: str
    stale: bool
    examples: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """The line as it goes over the wire."""
        return asdict(self)


def listing(desk: Desk, prompt: str, before: str | None = None, size: int = DEFAULT_SIZE) -> Page[TriedLine]:
    """The tries of one prompt, newest first, from below the id `before`."""
    with reading(desk.registry) as sql:
        page = store.newest(sql, prompt, before, size)
        lies = {label: prompts.labelled(sql, prompt, label) for label in {one.label for one in page.items}}
    digests = {label: found.digest if found else "" for label, found in lies.items()}
    return Page(
        tuple(
            TriedLine(
                id=one.id,
                prompt=one.prompt,
                label=one.label,
                content_digest=one.content_digest,
                provider=one.provider,
                recorded=one.recorded,
                actor=one.actor,
                at=one.created_at,
                stale=digests[one.label] != one.content_digest,
                examples=tuple(one.document["examples"]),
            )
            for one in page.items
        ),
        page.next,
    )
