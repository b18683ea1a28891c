"""`cuelight providers`: the model providers of the desk; a key goes in and does not come out."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cuelight.cli.look import day
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json, table
from cuelight.contract.errors import Invalid

_USUAL = {
    "openai": "https://api.openai.com/v1",
    "responses": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "http": "",
}
_MOST_TEMPLATE = 20_000


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
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="requests_a_minute, tokens_a_minute, at_once; for http also template (JSON, or @FILE), answer, input_tokens, "
    "output_tokens, key_header. May be given again.",
)
@json_option
@desk_options
@asks("provider.set")
def set_command(
    provider: str,
    base_url: str | None,
    no_key: bool,  # noqa: FBT001  click passes flags
    options: Sequence[str],
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Set where PROVIDER answers, and its key: asked for without showing it, or one line of standard input."""
    address, told = base_url or _USUAL[provider], dict(map(_option, options))
    if not address:
        raise Invalid(f"{provider} has no address of its own", "give one with --base-url")
    key = None if no_key else _asked(provider)
    with where.admin() as admin:
        done = admin.set_provider(provider, address, key, told)
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


def _option(text: str) -> tuple[str, Any]:
    """One NAME=VALUE: whole numbers where they are ones, the template as JSON."""
    name, found, value = text.partition("=")
    if not found or not value:
        raise Invalid(f"{text!r} is no NAME=VALUE", "such as requests_a_minute=60")
    if name == "template":
        return name, _template(value)
    return name, int(value) if value.isascii() and value.isdigit() else value


def _template(value: str) -> Any:
    try:
        text = Path(value[1:]).read_text("utf-8")[: _MOST_TEMPLATE + 1] if value.startswith("@") else value
        return json.loads(text)
    except (OSError, ValueError) as bad:
        raise Invalid(f"the template is no JSON: {bad}", """such as '{"question": "{{prompt}}"}'""") from None
