"""Proposals to change what governs, as people look at them: what differs, whose yes is there and whose is missing."""

from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.governance.model import Need, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """One proposal with everything that it takes; `needs` is empty for one that has ended. Times are RFC 3339."""

    id: str
    workflow: str
    kind: str
    state: str
    author: str
    note: str
    receiver: str | None
    changes: tuple[str, ...]
    needs: tuple[Need, ...]
    stale: bool
    created_at: str
    ended_at: str | None
    ended_by: str | None
    ended_why: str | None

    @property
    def ready(self) -> bool:
        """Whether it could be put into force now."""
        return self.state == "open" and not self.stale and all(one.given_by for one in self.needs)

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {**asdict(self), "ready": self.ready}


def shown(one: Proposal, lines: tuple[str, ...], needs: tuple[Need, ...], *, stale: bool) -> ProposalView:
    """One proposal, put together: pure."""
    return ProposalView(
        id=one.id,
        workflow=one.workflow,
        kind=one.kind.value,
        state=one.state.value,
        author=one.author,
        note=one.note,
        receiver=one.receiver,
        changes=lines,
        needs=needs,
        stale=stale,
        created_at=one.created_at,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        ended_why=one.ended_why,
    )
