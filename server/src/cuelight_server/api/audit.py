"""The audit log over HTTP."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter

from cuelight_server.api.auth import Caller, DeskDep, Limit, Number, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import activity

router = APIRouter(prefix="/api/v1")


@router.get("/audit", openapi_extra=verb(Verb.DESK_READ))
def audit(
    desk: DeskDep,
    actor: Caller,
    sight: Seen,
    after: Number | None = None,
    before: Number | None = None,
    order: Literal["oldest", "newest"] | None = None,
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """Audit lines: oldest first from above the seq `after`, or newest first from below `before` (`order=newest`).

    Those of the workflows that one sees, and one's own; an auditor reads all. `next` is what to pass as `after` or
    `before` for the page that follows: a page may be short and still have one.
    """
    newest = order == "newest" or (order is None and before is not None)
    if (newest and after is not None) or (not newest and before is not None):
        raise Invalid("`after` goes with the oldest first, `before` with the newest first", "send one of them")
    read, cursor = (activity.events, before) if newest else (activity.after, after or 0)
    found = read(desk, cursor, limit, sight, actor.id)
    return {"items": [asdict(one) for one in found.items], "next": found.next}
