"""`cuelight-server serve | worker`: the two commands that go on until they are stopped."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import (
    checkpoints,
    current_settings,
    front,
    networks,
    opened,
    outside,
    providers,
    sealing,
)
from cuelight_server.kernel.errors import Blocked
from cuelight_server.settings import Settings


@click.command()
@folder_option
@click.option("--host", help="The address to listen on [CUELIGHT_HOST, 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port, 0 = any free one [CUELIGHT_PORT, 7080].")
@click.option("--temporary", is_flag=True, help="A local desk in a temporary folder, gone when standard input closes.")
@click.option("--demo", is_flag=True, help="Make the data folder a demo desk if it is new.")
@declares(Verb.DESK_OPERATE)
def serve(data: Path | None, host: str | None, port: int | None, *, temporary: bool, demo: bool) -> None:
    """Serve the desk: registry, evaluations, releases and pages in one process."""
    settings = current_settings()
    if temporary:
        _serve_temporary(settings)
        return
    from cuelight_server.app import Keyring
    from cuelight_server.app import serve as serve_desk

    folder, address = data or settings.folder, host or settings.host
    with opened(folder, demo=demo, new=True) as desk:
        _check_exposure(desk, address, settings.public_url)
        serve_desk(
            desk,
            address,
            settings.port if port is None else port,
            providers=providers(settings),
            outside=outside(settings),
            front=front(settings),
            listening=lambda url: _listening(desk, url, folder, settings.public_url),
            keyring=Keyring(
                sealing=sealing(settings, folder),
                checkpoints=checkpoints(settings, folder),
                networks=networks(settings),
            ),
        )


@click.command()
@folder_option
@declares(Verb.DESK_OPERATE)
def worker(data: Path | None) -> None:
    """Run evaluations for a desk that another process serves."""
    import signal
    import threading

    from cuelight_server.control.providers import Connected
    from cuelight_server.worker import Courier, Worker

    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())

    settings = current_settings()
    with opened(data) as desk:
        sealed = sealing(settings, data or settings.folder)
        connected = Connected(desk, sealed, providers(settings), networks(settings))
        running = Worker(desk, connected, outside=outside(settings))
        courier = Courier(desk, checkpoints(settings, data or settings.folder))
        running.start()
        courier.start()
        ended.wait()
        running.stop()
        courier.stop()


def _serve_temporary(settings: Settings) -> None:
    """A local desk for one command: its folder is removed at the end, what it finds never opens a gate."""
    from cuelight_server.app import serve as serve_desk
    from cuelight_server.control.access import issue_token
    from cuelight_server.control.opening import create_desk
    from cuelight_server.kernel.actor import SYSTEM

    with tempfile.TemporaryDirectory(prefix="cuelight-") as folder:
        desk = create_desk(Path(folder) / "desk", local=True, admin=("local", "you"))
        token = issue_token(desk, SYSTEM, "local")
        try:
            serve_desk(
                desk,
                port=0,
                providers=providers(settings),
                outside=outside(settings),
                listening=lambda url: _line({"url": url, "token": token}),
                stdin_ends=True,
            )
        finally:
            desk.close()


def _listening(desk: Any, url: str, folder: Path, public_url: str) -> None:
    """Say where the desk is, and where nobody owns it yet print the link that makes an owner."""
    from cuelight_server.control.invitations import issue_owner_link
    from cuelight_server.views.people import has_owner

    click.echo(f"Cuelight is at {url}, its data in {folder}")
    if not has_owner(desk):
        click.echo("  nobody owns this desk yet; this link makes you its owner, once, within 24 hours:")
        click.echo(f"  {public_url or url}/invitation/{issue_owner_link(desk).code}")


def _check_exposure(desk: Any, host: str, public_url: str) -> None:
    """Blocked where the desk would be reached from other machines and is not made for it; every reason is said."""
    from cuelight_server.access.exposure import reasons_against
    from cuelight_server.views.people import has_owner

    reasons = reasons_against(host, public_url, demo=desk.demo, owned=has_owner(desk))
    if reasons:
        told = "\n".join(f"  - {one.message}: {one.hint}" for one in reasons)
        raise Blocked(f"{host} can be reached from other machines, and this desk is not ready for that\n{told}")


def _line(value: Any) -> None:
    click.echo(json.dumps(value))
    sys.stdout.flush()
