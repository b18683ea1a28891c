"""`cuelight providers`: the model providers of the desk; a key goes in and does not come out."""

import sys

import click

from cuelight.cli.look import day
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json, table
from cuelight.contract.errors import Invalid

_USUAL = {"openai": "https://api.openai.com/v1"}


@click.group("providers", invoke_without_command=True)
@json_option
@desk_options
@click.pass_context
@asks("desk.read")
def providers_command(context: click.Context, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show the model providers that are set on the desk."""
    if context.invoked_subcommand is not None:
        return
    with where.admin() as admin:
        answer = admin.providers()
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["provider"], one["base_url"], "a key is set" if one["key"] else "no key", one["by"], day(one["at"]))
        for one in answer["items"]
    ]
    table(("provider", "answers at", "key", "set by", "on"), rows)
    if not rows:
        say("none is set; the server's own settings count. To set one: cuelight providers set openai")


@providers_command.command("set")
@click.argument("provider", type=click.Choice(list(_USUAL)))
@click.option("--base-url", metavar="URL", help="Where it answers; the provider's own address, if left out.")
@click.option("--no-key", is_flag=True, help="It needs no key, such as a model on this machine.")
@json_option
@desk_options
@asks("provider.set")
def set_command(provider: str, base_url: str | None, no_key: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Set where PROVIDER answers, and its key: asked for without showing it, or one line of standard input."""
    key = None if no_key else _asked(provider)
    with where.admin() as admin:
        done = admin.set_provider(provider, base_url or _USUAL[provider], key)
    if as_json:
        show_json(done)
        return
    say(("● set", "green"), f"  {done['provider']} at {done['base_url']}, {'with' if done['key'] else 'without'} a key")
    say("it counts from the next evaluation on; the key cannot be read again", indent=2)


@providers_command.command("remove")
@click.argument("provider", type=click.Choice(list(_USUAL)))
@json_option
@desk_options
@asks("provider.remove")
def remove_command(provider: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Remove PROVIDER and its key from the desk."""
    with where.admin() as admin:
        done = admin.remove_provider(provider)
    if as_json:
        show_json(done)
        return
    say(("· removed", "bright_black"), f"  {provider}; the server's own settings count again")


def _asked(provider: str) -> str:
    shown = sys.stdin.isatty()
    key = str(click.prompt(f"key for {provider}", hide_input=True)) if shown else sys.stdin.readline().strip()
    if not key:
        raise Invalid("no key was given", "pipe it in, or use --no-key")
    return key
