"""`cuelight-server migrate | grants`: the tables of the desk, and who may change them."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import current_settings, databases, opened


@click.command()
@click.option("--yes", is_flag=True, help="Do it; without this the command only says what it would do.")
@folder_option
@declares(Verb.DESK_MIGRATE)
def migrate(data: Path | None, *, yes: bool) -> None:
    """Bring the tables of an older desk up to this server; stop the servers first, and keep a backup."""
    from cuelight_server.control.migrating import migrate as bring_up
    from cuelight_server.db.migrating import plans

    settings = current_settings()
    where = data or settings.folder, databases(settings)
    found = plans(*where)
    for line in (line for plan in found for line in plan.lines):
        click.echo(line)
    if not yes:
        click.echo("Nothing was done yet: --yes does it." if any(not plan.idle for plan in found) else "Nothing to do.")
    elif any(not plan.idle for plan in found):
        bring_up(*where)
        click.echo("Done.")


@click.command()
@click.argument("role")
@folder_option
@declares(Verb.DESK_OPERATE)
def grants(role: str, data: Path | None) -> None:
    """Print the SQL that lets a PostgreSQL ROLE run the server without the right to change evidence or tables."""
    from cuelight_server.db.roles import grants as made

    with opened(data) as desk:
        for statement in made(desk.registry, role):
            click.echo(f"{statement};")
