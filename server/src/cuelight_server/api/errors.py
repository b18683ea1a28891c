"""The one map from our six kinds of error to HTTP; whatever else happens gets an id and tells nothing."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from cuelight_server.api.auth import desk_of
from cuelight_server.control.door import Again
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.db.failures import NOT_NOW
from cuelight_server.kernel.errors import CuelightError, Invalid, NotFound, Unavailable

STATUS: Mapping[str, int] = {
    "invalid": 422,
    "not_found": 404,
    "conflict": 409,
    "denied": 403,
    "blocked": 423,
    "unavailable": 503,
}
_LOG = logging.getLogger("cuelight")
_SHOWN = 10
_NOTED = ("missing", "unfit")  # who showed nothing is only asked to sign in; the exchange notes itself why


def status_of(error: CuelightError) -> int:
    """The HTTP status; 401 where a token is missing or opens nothing, 429 for who has to wait."""
    if "retry_after" in error.details:
        return 429
    return 401 if "credentials" in error.details else STATUS[error.kind]


def answer(error: CuelightError, status: int | None = None) -> JSONResponse:
    """The error as a response: {"error": {"kind", "message", "hint", "details"}}."""
    status = status or status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status == 503:
        headers["Retry-After"] = "1"
    if status == 429:
        headers["Retry-After"] = str(error.details["retry_after"])
    return JSONResponse({"error": error.to_json()}, status, headers)


def install(app: FastAPI) -> None:
    """Answer every exception of this app in our words."""
    app.add_exception_handler(CuelightError, _ours)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Again, _again)
    for kind in NOT_NOW:
        app.add_exception_handler(kind, _not_now)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CuelightError)  # noqa: S101  installed for it
    shown = error.details.get("credentials", "missing")
    if shown not in _NOTED:
        note_failed_sign_in(desk_of(request), f"token {shown}", None, request.client.host if request.client else "")
    return answer(error)


def _unfit(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  installed for it
    found: list[dict[str, Any]] = [
        {"at": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()[:_SHOWN]
    ]
    words = "; ".join(f"{one['at']}: {one['message']}" for one in found)
    return answer(Invalid(f"the request does not fit: {words}", "see docs/reference/api.md", findings=found))


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  installed for it
    if error.status_code == 404:
        return answer(NotFound("there is nothing at this address", "the API is under /api/v1"))
    return answer(Invalid(str(error.detail), "see docs/reference/api.md"), error.status_code)


def _again(_request: Request, again: Exception) -> JSONResponse:
    assert isinstance(again, Again)  # noqa: S101  installed for it
    return JSONResponse(dict(again.answer))


def _not_now(_request: Request, _error: Exception) -> JSONResponse:
    return answer(Unavailable("the database does not answer", "try again in a moment"))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    id = desk_of(request).new_id("err")
    path = request.url.path
    for name, value in request.path_params.items():  # an address may hold a secret: that of a one-time link does
        path = path.replace(str(value), f"{{{name}}}") if value else path
    _LOG.error("%s: %s at %s %s", id, type(error).__name__, request.method, path)
    body = {
        "kind": "unexpected",
        "message": "something went wrong that should not",
        "hint": f"tell the operator this id: {id}",
        "details": {"id": id},
    }
    return JSONResponse({"error": body}, 500)
