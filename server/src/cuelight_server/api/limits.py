"""What stands before every route: how much a request may carry, and the headers that every answer has."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MB = 1024 * 1024
MOST, MOST_BUNDLE = 5 * MB, 50 * MB
BUNDLE_PATHS = frozenset({"/api/v1/push", "/api/v1/lint", "/api/v1/diff"})  # these carry a whole workflow folder
SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class Limits:
    """Refuses a body that is too large, whether it says so or not, and adds SAFE_HEADERS where a route set none."""

    def __init__(self, app: ASGIApp, bare: frozenset[str] = frozenset()) -> None:
        """`bare` are paths that read no body and set every header themselves."""
        self._app = app
        self._bare = bare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http" or scope["path"] in self._bare:
            await self._app(scope, receive, send)
            return
        most = MOST_BUNDLE if scope["path"] in BUNDLE_PATHS else MOST
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, f"the body is larger than {most // MB} MB")
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, limited, headed)
