"""The audit log over HTTP."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from cuelight_server.api.auth import Caller, DeskDep, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import activity

router = APIRouter(prefix="/api/v1")


@router.get("/audit", openapi_extra=verb(Verb.DESK_READ))
def audit(desk: DeskDep, _: Caller, after: int = 0, limit: int = DEFAULT_SIZE) -> dict[str, Any]:
    """Audit lines, oldest first, from above the seq `after`."""
    found = activity.after(desk, after, limit)
    return {"items": [asdict(one) for one in found.items], "next": found.next}
