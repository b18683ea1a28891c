"""`cuelight-server init | demo | status`: making a desk, and how it stands."""

import json
from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import checkpoints, current_settings, databases, invitation_address, opened


@click.command()
@folder_option
@click.option("--demo", is_flag=True, help="A demo desk: it may release on recorded outputs, and says so for ever.")
@click.option("--admin", metavar="ID[:NAME]", help="The owner, such as mei.tanaka; without it a link lets one choose.")
@declares(Verb.DESK_CREATE)
def init(data: Path | None, admin: str | None, *, demo: bool) -> None:
    """Make a desk in an empty folder; prints the owner's token once, or the one-time link that makes an owner."""
    from cuelight_server.control.access import issue_token
    from cuelight_server.control.invitations import issue_link, issue_owner_link
    from cuelight_server.control.opening import create_desk
    from cuelight_server.kernel.actor import SYSTEM

    id, _, name = (admin or "").partition(":")
    settings = current_settings()
    owner = None if admin is None else (id, name or id)
    desk = create_desk(data or settings.folder, demo=demo, admin=owner, databases=databases(settings))
    try:
        if owner is None:
            click.echo(invitation_address(settings, issue_owner_link(desk).code))
            click.echo(
                "  once `cuelight-server serve` runs, this link makes you the owner: once, within 24 hours", err=True
            )
            return
        click.echo(issue_token(desk, SYSTEM, id))
        link = invitation_address(settings, issue_link(desk, SYSTEM, id).code)
        click.echo(f"  the token is for the terminal; to sign in on the pages, set a password: {link}", err=True)
    finally:
        desk.close()


@click.command()
@click.option("--only", type=click.Choice(["sales", "tutoring", "clinical", "notes"]), help="One workflow's chapter.")
@folder_option
@declares(Verb.DESK_CREATE)
def demo(data: Path | None, only: str | None) -> int:
    """Play the story of all four example workflows on a new demo desk; every output in it is a recording."""
    from cuelight_server.demo import main as play

    return play(data or current_settings().folder, only or "")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@folder_option
@declares(Verb.DESK_READ)
def status(data: Path | None, *, as_json: bool) -> None:
    """What serves where, and how the log stands."""
    from dataclasses import asdict

    from cuelight_server.views.audit import standing
    from cuelight_server.views.desk import status as look

    settings = current_settings()
    with opened(data) as desk:
        how = checkpoints(settings, data or settings.folder)
        found, log = look(desk), standing(desk, tuple(how.sinks), every_s=how.every_s)
    if as_json:
        click.echo(json.dumps({**found.to_json(), "log": asdict(log)}, ensure_ascii=False))
        return
    for row in found.rows:
        serves = " + ".join(label for label, _ in row.serves) or "-"
        click.echo(f"{row.word:8} {row.prompt:40} {row.environment:12} {serves:8} {row.why}")
    click.echo(f"{log.state.capitalize():8} log of {log.size} lines, signed up to {log.signed or 0}. {log.words}")
