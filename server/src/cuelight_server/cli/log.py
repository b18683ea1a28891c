"""`cuelight-server verify | checkpoint | keys | export-log`: the audit log, recomputed, signed and brought out."""

import json
from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.ending import EXIT
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import checkpoints, current_settings, opened


@click.command()
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds what `checkpoint` printed earlier.",
)
@folder_option
@declares(Verb.DESK_OPERATE)
def verify(kept: Path | None, data: Path | None) -> int:
    """Recompute everything stored: versions, audit log, snapshots and what points at them."""
    from cuelight_server.control.verify import verify_desk

    with opened(data) as desk:
        found = verify_desk(desk, kept.read_text(encoding="utf-8") if kept else None)
    for line in found.problems:
        click.echo(line, err=True)
    click.echo(found.summary)
    return EXIT["blocked"] if found.problems else 0


@click.command()
@folder_option
@declares(Verb.DESK_OPERATE)
def checkpoint(data: Path | None) -> None:
    """Sign the log as it is now and print the checkpoint: keep it outside of this desk, so that a cut or rewritten log is noticed."""
    from cuelight_server.control.checkpoints import issue

    settings = current_settings()
    with opened(data) as desk:
        click.echo(issue(desk, checkpoints(settings, data or settings.folder).keys).note, nl=False)


@click.group()
def keys() -> None:
    """The key that signs checkpoints; its private half is never shown."""


@keys.command("show")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@folder_option
@declares(Verb.DESK_READ)
def keys_show(data: Path | None, *, as_json: bool) -> None:
    """Show the verifier keys, oldest first: give the last one to whoever checks this desk's log."""
    from dataclasses import asdict

    from cuelight_server.control.signing import ensure_key
    from cuelight_server.views.audit import keys as known

    settings = current_settings()
    with opened(data) as desk:
        if not known(desk):
            ensure_key(desk, checkpoints(settings, data or settings.folder).keys)
        found = known(desk)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        click.echo(one.verifier)


@keys.command("rotate")
@click.option("--lost", is_flag=True, help="The old key is lost and cannot sign the new one; every verifier says so.")
@folder_option
@declares(Verb.KEY_ROTATE)
def keys_rotate(data: Path | None, *, lost: bool) -> None:
    """Let a new key sign from now on, signed by the old one, with a line in the log; prints the new verifier key."""
    from cuelight_server.control.signing import rotate_key

    settings = current_settings()
    with opened(data) as desk:
        click.echo(str(rotate_key(desk, checkpoints(settings, data or settings.folder).keys, lost=lost)))


@click.command("export-log")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@folder_option
@declares(Verb.DESK_OPERATE)
def export_log(file: Path, data: Path | None) -> None:
    """Write the whole log to FILE, with checkpoints and public keys, for `cuelight verify FILE` anywhere."""
    from cuelight_server.control.log_export import export, export_to

    with opened(data) as desk:
        size = export_to(file, export(desk))
    click.echo(f"{size} lines in {file}")
