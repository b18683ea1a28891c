"""`cuelight-server key | token`: what opens the desk, for apps, services, agents and people."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import ENVIRONMENTS, folder_option
from cuelight_server.cli.wiring import opened
from cuelight_server.kernel.terms import Environment

_HOLDERS = click.Choice(["app", "service", "agent"])


@click.group()
def key() -> None:
    """Keys of apps, services and agents."""


@key.command("add")
@click.argument("holder")
@click.option("--kind", default="app", type=_HOLDERS, show_default=True, help="What holds the key.")
@click.option("--environment", type=ENVIRONMENTS, help="The one environment that it reaches; an app's key needs one.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, release.*, ...; again for more.")
@click.option("--days", type=click.IntRange(1, 366), help="When it ends [an app's never, others after 90].")
@click.option("--note", default="", help="Where it is used, for the list.")
@folder_option
@declares(Verb.TOKEN_ISSUE)
def key_add(
    holder: str,
    kind: str,
    environment: str | None,
    scopes: tuple[str, ...],
    days: int | None,
    note: str,
    data: Path | None,
) -> None:
    """Issue a key to an app, a service or an agent, which is added if it is new; prints it once."""
    from cuelight_server.control.access import Wish, issue
    from cuelight_server.kernel.actor import SYSTEM
    from cuelight_server.kernel.terms import ActorKind

    place = Environment(environment) if environment else None
    with opened(data) as desk:
        click.echo(issue(desk, SYSTEM, holder, ActorKind(kind), place, Wish(scopes or None, note, days)))


@click.group()
def token() -> None:
    """Tokens of people, keys of apps."""


@token.command("add")
@click.argument("person")
@folder_option
@declares(Verb.TOKEN_ISSUE)
def token_add(person: str, data: Path | None) -> None:
    """Issue a token to a person who is here, one more where they have some; prints it once."""
    from cuelight_server.control.access import issue_token
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        click.echo(issue_token(desk, SYSTEM, person))


@token.command("list")
@folder_option
@declares(Verb.DESK_READ)
def token_list(data: Path | None) -> None:
    """Every token and key: id, whose it is, for which environment, when it was made, used and revoked."""
    from cuelight_server.views.people import tokens

    with opened(data) as desk:
        for one in tokens(desk):
            used = f"used {one.last_used_at[:16]}" if one.last_used_at else "never used"
            ends = f"ends {one.expires_at[:10]}" if one.expires_at else ""
            ended = f"revoked {one.revoked_at[:16]}" if one.revoked_at else ends
            place = one.environment.value if one.environment else "-"
            click.echo(f"{one.id} {one.actor:30} {place:12} made {one.created_at[:16]} {used} {ended}".rstrip())


@token.command("revoke")
@click.argument("token_id")
@folder_option
@declares(Verb.TOKEN_REVOKE)
def token_revoke(token_id: str, data: Path | None) -> None:
    """Revoke a token or key by its id (the part before its secret); it opens nothing within 5 seconds."""
    from cuelight_server.control.access import revoke
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        revoke(desk, SYSTEM, token_id)
    click.echo(f"revoked {token_id}")
