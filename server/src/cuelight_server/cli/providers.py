"""`cuelight-server reseal`: the sealed keys of model providers."""

from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import folder_option
from cuelight_server.cli.wiring import current_settings, opened, sealing, sealing_file
from cuelight_server.kernel.errors import Invalid


@click.command()
@click.option("--new-key", is_flag=True, help="Put a new key into the sealing key file first; older ones still open.")
@folder_option
@declares(Verb.PROVIDER_RESEAL)
def reseal(data: Path | None, *, new_key: bool) -> None:
    """Seal the keys of model providers anew under the current sealing key, after it was changed."""
    from cuelight_server.control.providers import reseal as seal_anew
    from cuelight_server.kernel.ids import sealing_key
    from cuelight_server.vault.keyfile import put_in_front

    settings = current_settings()
    folder = data or settings.folder
    if new_key and settings.sealing_keys:
        raise Invalid("the sealing keys are in CUELIGHT_SEALING_KEYS", "put a new one in front there, then run: reseal")
    with opened(data) as desk:
        keys = put_in_front(sealing_file(settings, folder), sealing_key()) if new_key else sealing(settings, folder)
        names = seal_anew(desk, keys)
    click.echo(f"sealed anew: {', '.join(names)}" if names else "nothing to do")
    if new_key:
        click.echo("  restart the servers, so that they seal with it; the older keys may go when no backup needs them")
