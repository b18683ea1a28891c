"""`cuelight completion`: the script that teaches a shell our commands and options."""

import click
from click.shell_completion import get_completion_class

from cuelight.cli.options import asks
from cuelight.contract.errors import Invalid


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@asks("")
def completion_command(shell: str) -> None:
    r"""Print the completion script of a SHELL.

    \b
    bash   echo 'eval "$(cuelight completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(cuelight completion zsh)"' >> ~/.zshrc
    fish   cuelight completion fish > ~/.config/fish/completions/cuelight.fish
    """
    from cuelight.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise Invalid(f"there is no completion for {shell}", "use bash, zsh or fish")
    click.echo(kind(cli, {}, "cuelight", "_CUELIGHT_COMPLETE").source())
