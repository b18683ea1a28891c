"""The composition root: the only place where the rooms are plugged together, and where the server starts."""

import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Route

from cuelight_server import __version__, sandboxes, web
from cuelight_server.access.fetching import Fetching
from cuelight_server.access.issuers import Issuers
from cuelight_server.access.model import SessionRules
from cuelight_server.access.oidc import Provider as SignInProvider
from cuelight_server.access.passwords import Argon2, Passwords
from cuelight_server.api import (
    audit,
    errors,
    evaluations,
    governance,
    knowledge,
    models,
    ownership,
    people,
    prompts,
    providers,
    releases,
    reviews,
    runtime,
    status,
    tries,
    trusts,
    workload,
)
from cuelight_server.api.headers import BoundedHeaders
from cuelight_server.api.limits import Limits
from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.control.evaluation import Outside
from cuelight_server.control.oidc import SingleSignOn
from cuelight_server.control.once import forget_answers
from cuelight_server.control.providers import Connected
from cuelight_server.kernel.errors import Unavailable
from cuelight_server.outbound import Network
from cuelight_server.providers.port import Provider
from cuelight_server.vault.sealing import SealingKeys
from cuelight_server.web.doors import Doors, at_provider
from cuelight_server.worker import Courier, Worker

# What the API answers without a key; the pages ask for a session by themselves, the exchange for a pipeline's token.
PUBLIC = frozenset({"/healthz", workload.EXCHANGE})
_ROUTERS = (
    prompts.router,
    knowledge.router,
    evaluations.router,
    tries.router,
    reviews.router,
    releases.router,
    governance.router,
    ownership.router,
    status.router,
    models.router,
    providers.router,
    audit.router,
    people.router,
    trusts.router,
    workload.router,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The keys of this server, and where what they sign goes.

    `sealing` seals keys of model providers; without it none can be set. `checkpoints` says with what the log is signed,
    and `networks` to which private networks the name of a provider may lead.
    """

    sealing: SealingKeys | None = None
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    networks: Sequence[Network] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """How the desk meets people: the address at which they find it, how passwords are kept, how long a session lasts.

    `provider` is where they sign in besides; a desk without https asks issuers on this machine without it, too.
    """

    public_url: str = ""
    passwords: Passwords | None = None  # None = argon2id
    rules: SessionRules = field(default_factory=SessionRules)
    provider: SignInProvider | None = None
    issuers: Issuers | None = None  # None = they are asked over the network
    proxies: str = "127.0.0.1"  # whose word counts on who asks and whether by https: X-Forwarded-For and -Proto


def build(
    desk: Desk,
    *,
    providers: Mapping[str, Provider] | None = None,
    worker: bool = True,
    host: str = "",
    keyring: Keyring | None = None,
    front: Front | None = None,
    outside: Outside | None = None,
) -> FastAPI:
    """The ASGI app of one desk; with `worker` a thread runs evaluations between start and end of the app.

    `outside` is what graders may reach; left out, what this installation has and nobody need allow. `host` is the name it
    listens at: by it, by localhost and by an address a demo desk takes a name for a person.
    """
    keyring, front = keyring or Keyring(), front or Front()
    how, passwords = keyring.checkpoints, front.passwords or Argon2()
    connected = Connected(desk, keyring.sealing, providers or {}, keyring.networks)
    made = Worker(desk, connected, ticks=(forget_answers,), outside=outside or reach())
    app = FastAPI(
        title="Cuelight",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # prompts are secrets: what there is, nobody learns without a token
        lifespan=_lifespan(made, Courier(desk, how)) if worker else None,
        routes=[*runtime.routes(desk), Route("/healthz", _healthy)],
    )
    app.state.desk, app.state.worker, app.state.wake = desk, made, made.wake
    app.state.providers = connected
    app.state.host, app.state.public_url = host, front.public_url
    app.state.sealing, app.state.checkpoints = keyring.sealing, how
    app.add_middleware(Limits, desk=desk, bare=frozenset({runtime.SNAPSHOT}), host=host)
    errors.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.state.issuers = issuers = front.issuers or Issuers(Fetching(plain_at_home=plain_at_home(front.public_url)))
    sso = None
    if front.provider is not None:
        redirect = f"{front.public_url}{web.CALLBACK}"
        sso = SingleSignOn(provider=front.provider, issuers=issuers, redirect=redirect)
    others = (at_provider(sso),) if sso else ()
    doors = Doors(
        passwords=passwords, host=host, public_url=front.public_url, rules=front.rules, others=others, sso=sso
    )
    app.state.written_report = web.written  # the one page that the API hands out too
    app.router.routes.extend(web.routes(desk, doors, how))
    return app


def serve(  # noqa: PLR0913  everything that can be plugged in
    desk: Desk,
    host: str = "127.0.0.1",
    port: int = 7080,
    *,
    providers: Mapping[str, Provider] | None = None,
    front: Front | None = None,
    listening: Callable[[str], None] | None = None,
    stdin_ends: bool = False,
    keyring: Keyring | None = None,
    outside: Outside | None = None,
) -> None:
    """Serve the desk until SIGINT or SIGTERM; port 0 takes a free one.

    `listening` gets the URL as soon as requests are answered; with `stdin_ends` the end of standard input ends it too.
    Unavailable when the address cannot be had.
    """
    door = _bound(host, port)
    config = uvicorn.Config(
        build(desk, providers=providers, host=host, keyring=keyring, front=front, outside=outside),
        forwarded_allow_ips=(front or Front()).proxies,
        loop="uvloop",
        http=BoundedHeaders,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config, lambda: listening(_url(host, door)) if listening else None)
    if stdin_ends:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[door])


def reach(*, python: bool = False) -> Outside:
    """What graders may reach: JavaScript where the extra is installed, Python where the operator allows it."""
    return Outside(javascript=sandboxes.javascript(), python=sandboxes.python if python else None)


def plain_at_home(public_url: str) -> bool:
    """Whether an issuer on this machine may do without https: only where the desk itself does."""
    return not public_url.startswith("https://")


class _Server(uvicorn.Server):
    """uvicorn that says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._listening()


def _lifespan(worker: Worker, courier: Courier) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        courier.start()
        try:
            yield
        finally:
            worker.stop()
            courier.stop()

    return life


@declares(Verb.DESK_ENTER)
def _healthy(_request: object) -> JSONResponse:
    return JSONResponse({"ok": True, "version": __version__})


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except (OSError, OverflowError) as bad:
        door.close()
        raise Unavailable(
            f"{host}:{port} cannot be had: {bad}", "choose another with --port, or stop the other"
        ) from bad
    return door


def _url(host: str, door: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{door.getsockname()[1]}"


def _end_with_stdin(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True
