"""The doors of the apps: the snapshot, acknowledgements and calls; plain routes, since they are asked all the time."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from cuelight_server.api.auth import token_of
from cuelight_server.api.hot import Acks, Keys, Snapshots
from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.runtime import Ack
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied, Invalid

SNAPSHOT = "/runtime/v1/snapshot"


class SentAck(Struct, frozen=True):
    """The body of POST /runtime/v1/acks; `app` is what the client calls itself, the key says who it is.

    `bye` says that the client ends: it is not listed any more.
    """

    client: Annotated[str, Meta(min_length=1, max_length=80)]
    epoch: Annotated[str, Meta(min_length=1, max_length=32)]
    version: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    app: Annotated[str, Meta(max_length=80)] = ""
    bye: bool = False


def routes(desk: Desk) -> list[BaseRoute]:
    """The runtime's routes; an app's key opens them, and nothing else."""
    keys, acks = Keys(desk), Acks(desk)
    decoder = msgspec.json.Decoder(SentAck)

    async def acknowledge(request: Request) -> Response:
        app = await _app(keys, request.headers.get("authorization"))
        try:
            sent = decoder.decode(await request.body())
        except msgspec.DecodeError as bad:
            raise Invalid(f"the acknowledgement does not fit: {bad}", "send client, app, epoch and version") from bad
        await acks.put(_ack(app, sent))
        return JSONResponse({"ok": True})

    async def calls(request: Request) -> Response:
        app = await _app(keys, request.headers.get("authorization"))
        recorded = await run_in_threadpool(record_calls, desk, app, await request.body())
        return JSONResponse({"new": recorded.new, "known": recorded.known})

    return [
        Route(SNAPSHOT, declares(Verb.RUNTIME_FETCH)(SnapshotDoor(keys, Snapshots(desk))), methods=["GET"]),
        Route("/runtime/v1/acks", declares(Verb.RUNTIME_ACKNOWLEDGE)(acknowledge), methods=["POST"]),
        Route("/runtime/v1/calls", declares(Verb.CALL_RECORD)(calls), methods=["POST"]),
    ]


class SnapshotDoor:
    """GET the snapshot of the key's environment: bytes as they are stored; 304 when the client has them."""

    def __init__(self, keys: Keys, snapshots: Snapshots) -> None:
        self._keys = keys
        self._snapshots = snapshots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """One ASGI call; in the usual case nothing in it waits."""
        authorization, has = _headers(scope)
        now = asyncio.get_running_loop().time()
        token = token_of(authorization)
        app = self._keys.fresh(token, now) or await self._keys.ask(token)
        environment = _environment(app)
        held = self._snapshots.fresh(environment, now) or await self._snapshots.look(environment)
        if has == held.etag:
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", held.etag)]})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": held.headers})
        await send({"type": "http.response.body", "body": held.published.body})


def _headers(scope: Scope) -> tuple[str | None, bytes | None]:
    authorization, has = None, None
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"if-none-match":
            has = value
    return authorization, has


async def _app(keys: Keys, authorization: str | None) -> Actor:
    token = token_of(authorization)
    return keys.fresh(token, asyncio.get_running_loop().time()) or await keys.ask(token)


def _environment(app: Actor) -> str:
    if app.environment is None:
        raise Denied("this door is for apps", "use the app's key: CUELIGHT_KEY")
    return app.environment.value


def _ack(app: Actor, sent: SentAck) -> Ack:
    told = {"client": sent.client, "app": app.name, "environment": _environment(app)}
    return Ack(**told, epoch=sent.epoch, version=sent.version, bye=sent.bye)
