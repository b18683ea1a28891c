"""`cuelight-server backup | restore`: the whole desk in one file, and back."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import checkpoints, current_settings, databases


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
@click.option(
    "--signing-key",
    "old",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the signing key of the desk that was backed up: it signs the new one, and stays as it is.",
)
@declares(Verb.DESK_RESTORE)
def restore(file: Path, data: Path, old: Path | None) -> None:
    """Make a desk of a backup: verified first, under a new epoch, so that running clients notice and follow.

    With CUELIGHT_DATABASE_URL or CUELIGHT_CALLS_URL it goes into that database, wherever the backup came from: so a
    desk moves from files to PostgreSQL, or back. A new key signs its log from then on, so that the old one never signs
    two histories.
    """
    from cuelight_server.audit.signing import KeyPlace
    from cuelight_server.control.backup import restore as make_again

    settings = current_settings()
    place = checkpoints(settings, data).keys
    before = KeyPlace(old) if old else None
    made = make_again(file, data, databases=databases(settings), place=place, old=before)
    click.echo(f"{data} is the desk as it was on {made.made_at}, under the new epoch {made.epoch}")
    for environment, version in made.snapshots.items():
        click.echo(f"  {environment} serves snapshot {version}")
    if made.key:
        by = "signed by the one before" if made.endorsed else "NOT signed by the one before, as every verifier will say"
        click.echo(f"  a new key signs its log, {by}: {made.key}")
        if made.key_file != place.file or place.given is not None:
            click.echo(
                f"  it is in {made.key_file}: set CUELIGHT_SIGNING_KEY_FILE to that, and no CUELIGHT_SIGNING_KEY"
            )
    click.echo(
        "  not in it: whatever was done since, also revoked keys and disabled people; do that again before you serve it"
    )
