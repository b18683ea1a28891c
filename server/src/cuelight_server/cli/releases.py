"""`cuelight-server rollback`: the way back when no server runs."""

import getpass
from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import ENVIRONMENTS, folder_option
from cuelight_server.cli.wiring import opened


@click.command()
@click.argument("prompt")
@click.option("--why", required=True, help="The reason, for the log.")
@click.option("--environment", default="production", type=ENVIRONMENTS, show_default=True, help="Where.")
@click.option("--from", "from_label", metavar="LABEL", help="The version you see as live, such as v2.")
@folder_option
@declares(Verb.RELEASE_ROLL_BACK)
def rollback(prompt: str, why: str, environment: str, from_label: str | None, data: Path | None) -> None:
    """Roll a prompt back on the data folder itself: no server, no web, no gate."""
    from cuelight_server.control.releases import roll_back
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        back = roll_back(desk, SYSTEM, prompt, environment, f"{why} ({_shell_user()} at the shell)", from_label)
    if back.no_op:
        click.echo(f"{prompt} in {environment}: {back.words}")
        return
    click.echo(f"{prompt} in {environment}: {back.from_} -> {back.to or 'off, the declared fallback'}")
    if back.words:
        click.echo(f"  {back.words}", err=True)
    click.echo(f"  snapshot {back.snapshot_version}; running servers publish it within a second")


def _shell_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "someone"
