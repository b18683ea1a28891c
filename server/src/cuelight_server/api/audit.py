"""The audit log over HTTP: searched, proved line by line, and taken out as a whole."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from cuelight_server import __version__
from cuelight_server.api.auth import Caller, DeskDep, Limit, Number, Seen, verb
from cuelight_server.audit.model import Asked
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.log_export import export
from cuelight_server.kernel.errors import Denied, Invalid
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import audit as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)
Words = Annotated[str | None, Query(max_length=240)]
Line = Annotated[int, Query(ge=1, le=2**53 - 1)]


def searched(
    actor: Words = None, verb: Words = None, subject: Words = None, since: Words = None, until: Words = None
) -> Asked:
    """What somebody looks for, from the query."""
    return view.asked_for(actor, verb, subject, since, until)


Search = Annotated[Asked, Depends(searched)]


@router.get("/audit", openapi_extra=_READ)
def audit(
    desk: DeskDep,
    actor: Caller,
    asked: Search,
    sight: Seen,
    after: Number | None = None,
    before: Number | None = None,
    order: Literal["oldest", "newest"] | None = None,
    limit: Limit = DEFAULT_SIZE,
) -> dict[str, Any]:
    """Audit lines: oldest first from above the seq `after`, or newest first from below `before` (`order=newest`).

    They can be searched by actor, verb, subject (`sales` finds `sales.x@v2` too) and time. They are those of the
    workflows that one sees, and one's own; an auditor reads all. `next` is what to pass as `after` or `before` for the
    page that follows: a page may be short and still have one.
    """
    newest = order == "newest" or (order is None and before is not None)
    if (newest and after is not None) or (not newest and before is not None):
        raise Invalid("`after` goes with the oldest first, `before` with the newest first", "send one of them")
    reader = view.Reader(id=actor.id, sight=sight, admin=actor.admin)
    read = view.events if newest else view.after
    found = read(desk, before if newest else after or 0, limit, asked, reader)
    return {"items": [asdict(one) for one in found.items], "next": found.next}


@router.get("/audit/lines/{seq}", openapi_extra=_READ)
def line(desk: DeskDep, actor: Caller, sight: Seen, seq: int) -> dict[str, Any]:
    """One line: the bytes that were hashed, and the proof that it is in the log as it is now."""
    return asdict(view.line(desk, seq, view.Reader(id=actor.id, sight=sight, admin=actor.admin)))


@router.get("/audit/proof/inclusion", openapi_extra=_READ)
def inclusion(desk: DeskDep, _: Caller, line: Line, size: Line | None = None) -> dict[str, Any]:
    """The hashes that prove a line to be in the log of `size` lines, or in the log as it is now (RFC 6962)."""
    return asdict(view.inclusion(desk, line, size))


@router.get("/audit/proof/consistency", openapi_extra=_READ)
def consistency(desk: DeskDep, _: Caller, old: Line, size: Line | None = None) -> dict[str, Any]:
    """The hashes that prove the log of `old` lines to be the start of that of `size` lines, or of the log as it is now."""
    return asdict(view.consistency(desk, old, size))


@router.get("/audit/checkpoints", openapi_extra=_READ)
def checkpoints(desk: DeskDep, _: Caller, after: Number = 0, limit: Limit = DEFAULT_SIZE) -> dict[str, Any]:
    """The checkpoints that were signed, oldest first from above the size `after`; `note` is what to keep."""
    found = view.signed(desk, after, limit)
    return {"items": [asdict(one) for one in found], "next": str(found[-1].size) if len(found) == limit else None}


@router.get("/audit/keys", openapi_extra=_READ)
def keys(desk: DeskDep, _: Caller) -> dict[str, Any]:
    """The public keys that signed here, oldest first; the last one signs now."""
    return {"items": [asdict(one) for one in view.keys(desk)], "next": None}


@router.get("/audit/export", openapi_extra=_READ)
def whole(desk: DeskDep, _: Caller, sight: Seen) -> StreamingResponse:
    """The whole log as lines of JSON, for `cuelight verify`; for those who may see every workflow."""
    if not sight.everything:
        raise Denied("the whole log tells of every workflow", "ask an auditor or an administrator")
    lines = (one.encode(errors="surrogatepass") for one in export(desk))
    return StreamingResponse(lines, media_type="application/x-ndjson")


@router.get("/health", openapi_extra=_READ)
def health(request: Request, desk: DeskDep, _: Caller) -> dict[str, Any]:
    """Whether the log is signed and its checkpoints reach their places; `ok` is false where somebody has to look."""
    how = request.app.state.checkpoints
    log = view.standing(desk, tuple(how.sinks), signs=how.signs, every_s=how.every_s)
    return {"ok": log.state != "hold", "version": __version__, "log": asdict(log)}
