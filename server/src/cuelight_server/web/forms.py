"""Posted forms: the one place of the pages that has to wait for a body."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

Form = dict[str, str]
_MOST_BYTES, _MOST_FIELDS = 16 * 1024, 30


def posted(answer: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a small form (16 kB and 30 fields at most, else it counts as empty) and answers in a thread."""

    async def endpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                body = b""
                break
        return await run_in_threadpool(answer, request, _fields(body))

    return endpoint


def _fields(body: bytes) -> Form:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
