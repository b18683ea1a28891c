"""`cuelight-server backup | restore`: the whole desk in one file, and back."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import current_settings, databases


@click.command()
@click.option("--to", "file", required=True, type=click.Path(path_type=Path), metavar="FILE.tar.gz", help="A new file.")
@folder_option
@declares(Verb.DESK_OPERATE)
def backup(file: Path, data: Path | None) -> None:
    """Write the whole desk to one file while it is served; keep it as secret as the data folder."""
    from cuelight_server.control.backup import back_up

    settings = current_settings()
    made = back_up(data or settings.folder, file, databases=databases(settings))
    click.echo(f"wrote {file}: {file.stat().st_size} bytes, log checkpoint {made.checkpoint}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@declares(Verb.DESK_RESTORE)
def restore(file: Path, data: Path) -> None:
    """Make a desk of a backup: verified first, under a new epoch, so that running clients notice and follow.

    With CUELIGHT_DATABASE_URL or CUELIGHT_CALLS_URL it goes into that database, wherever the backup came from: so a
    desk moves from files to PostgreSQL, or back.
    """
    from cuelight_server.control.backup import restore as make_again

    made = make_again(file, data, databases=databases(current_settings()))
    click.echo(f"{data} is the desk as it was on {made.made_at}, under the new epoch {made.epoch}")
    for place, version in made.snapshots.items():
        click.echo(f"  {place} serves snapshot {version}")
    click.echo(
        "  not in it: whatever was done since, also revoked keys and disabled people; do that again before you serve it"
    )
