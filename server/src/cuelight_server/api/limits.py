"""What stands before every route: how much a request may carry, from whom, and the headers that every answer has."""

import asyncio
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cuelight_server.api.auth import person_of, token_of
from cuelight_server.api.errors import answer
from cuelight_server.api.headers import MOST as MOST_HEAD
from cuelight_server.api.headers import head_size
from cuelight_server.control.access import authenticate
from cuelight_server.control.desk import Desk
from cuelight_server.kernel.address import at_home
from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable

KB, MB = 1024, 1024 * 1024
MOST, MOST_BUNDLE = 5 * MB, 50 * MB
LARGE = 64 * KB  # from here on nobody is read who did not say who they are
AT_ONCE = 4  # large bodies in memory at the same time
_TURN_S, _SILENT_S = 10.0, 30.0  # how long one waits for a turn, and for the next piece of a body
BUNDLE_PATHS = frozenset({"/api/v1/push", "/api/v1/lint", "/api/v1/diff"})  # these carry a whole workflow folder
SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class Limits:
    """Refuses a body that is too large or comes from a stranger, and adds SAFE_HEADERS where a route set none."""

    def __init__(self, app: ASGIApp, desk: Desk, bare: frozenset[str] = frozenset(), host: str = "") -> None:
        """`bare` are paths that read no body and set every header themselves; `host` is where the server listens."""
        self._app = app
        self._desk = desk
        self._bare = bare
        self._host = host
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http" or scope["path"] in self._bare:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if head_size(scope["headers"]) > MOST_HEAD:
            refused = Invalid(f"the headers are larger than {MOST_HEAD // KB} kB", "send fewer, or shorter cookies")
            await answer(refused, 431)(scope, receive, _headed(send))
            return
        limited = _limited(receive, MOST_BUNDLE if scope["path"] in BUNDLE_PATHS else MOST)
        if not _large(headers):
            await self._app(scope, limited, _headed(send))
            return
        try:
            await run_in_threadpool(self._known, headers)
            await self._turn()
        except CuelightError as refused:
            await answer(refused)(scope, receive, _headed(send))
            return
        try:
            await self._app(scope, limited, _headed(send))
        finally:
            self._turns.release()

    def _known(self, headers: Headers) -> None:
        authorization, as_person = headers.get("authorization"), headers.get("cuelight-as")
        if as_person is not None and authorization is None:
            person_of(self._desk, None, as_person, home=at_home(headers.get("host", ""), self._host))
        else:
            authenticate(self._desk, token_of(authorization))

    async def _turn(self) -> None:
        try:
            await asyncio.wait_for(self._turns.acquire(), _TURN_S)
        except TimeoutError as late:
            raise Unavailable("too many large requests at once", "try again in a moment") from late


def _large(headers: Mapping[str, str]) -> bool:
    """Whether the body is large, or does not say how large it is."""
    said = headers.get("content-length", "")
    return "transfer-encoding" in headers or (said != "" and not (said.isdigit() and int(said) <= LARGE))


def _limited(receive: Receive, most: int) -> Receive:
    taken, whole = 0, False

    async def limited() -> Message:
        nonlocal taken, whole
        try:
            message = await (receive() if whole else asyncio.wait_for(receive(), _SILENT_S))
        except TimeoutError as silent:
            raise HTTPException(408, "the body does not come") from silent
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > most:
            raise HTTPException(413, f"the body is larger than {most // MB} MB")
        return message

    return limited


def _headed(send: Send) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return headed
