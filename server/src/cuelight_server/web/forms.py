"""Posted forms: the one place of the pages that has to wait for a body."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

Form = dict[str, str]
_MOST_BYTES = 4096


def posted(answer: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a small form (4 kB at most, else it counts as empty) and answers in a worker thread."""

    async def endpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                body = b""
                break
        fields = parse_qs(body.decode("utf-8", "replace"))
        return await run_in_threadpool(answer, request, {name: values[0] for name, values in fields.items()})

    return endpoint
