"""The door of the command line: which commands there are, and how each run ends."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from cuelight import __version__
from cuelight.cli.ending import Ending

# What is read when: the order of the help, the module that is imported on use, one line of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("scaffold", "Start a workflow folder."),
    "schema": ("scaffold", "Show or write the JSON Schemas of the files."),
    "lint": ("lint", "Say what is wrong in a folder, before anything is pushed."),
    "digest": ("lint", "Show the digest of every prompt in a folder."),
    "push": ("push", "Put a folder on the desk: versions are minted, drafts saved."),
    "export": ("outward", "Write a workflow as a folder, or a folder for promptfoo."),
    "import": ("moving", "Bring test sets in: promptfoo, tables, recorded calls."),
    "diff": ("diff", "Show what changes between two versions, part by part."),
    "report": ("reports", "Show or save the report of an evaluation."),
    "compare": ("compare", "Show how two versions did on the same test set."),
    "try": ("trying", "Run a few cases and look at the outputs, side by side."),
    "eval": ("evaluate", "Run the whole suite on a version, against production."),
    "review": ("review", "Read outputs blind, answer, and sign."),
    "evals": ("evals", "List, watch and cancel evaluations."),
    "judge": ("judge", "Hold the model judges of a suite against what people said."),
    "approve": ("release", "Say yes to exactly one version for one environment."),
    "release": ("release", "Put an approved version into an environment."),
    "rollback": ("rollback", "Go back to the last good version, now."),
    "off": ("retiring", "Switch a prompt off: callers get its declared fallback."),
    "retire": ("retiring", "Retire a prompt, and its name with it."),
    "models": ("models", "Show which models are in use; retire one."),
    "providers": ("providers", "Show the model providers of the desk; set or remove one."),
    "card": ("card", "Show everything the desk knows of one prompt."),
    "status": ("look", "Show what serves where."),
    "why": ("why", "Show which version made an output, and who let it."),
    "knowledge": ("knowledge", "Show what a workflow knows, release by release."),
    "audit": ("audit", "Look through the audit log, prove a line, export it."),
    "verify": ("verify", "Check an exported log, with no server."),
    "people": ("people", "List, invite and disable people."),
    "keys": ("people", "List, issue and revoke keys."),
    "trusts": ("trusts", "List, add and end trusts of pipelines."),
    "owners": ("access", "Show who owns what, and what is missing."),
    "access": ("access", "Explain a right; let people into a workflow."),
    "govern": ("govern", "Changes of who decides: agree, decline, put into force."),
    "handover": ("govern", "Hand a role over to somebody."),
    "ci": ("ci", "Check pull requests; sign in without a stored key."),
    "completion": ("completion", "Print the shell's completion script."),
}


class Commands(click.Group):
    """Commands that are imported when they are used, so that the first answer is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cuelight.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that was typed; a typing error is answered with the command that was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else "see: cuelight --help"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(__version__, message="cuelight %(version)s")
def cli() -> None:
    """The release desk for production prompts.

    Commands on a FOLDER work without a server. The others ask the desk at --server or CUELIGHT_URL, as the person whose
    token is in CUELIGHT_TOKEN. Exit codes: 0 ok or pass, 10 fail, 11 inconclusive, 20 invalid, 21 not found,
    22 conflict, 23 denied, 24 blocked, 25 unavailable, 29 unexpected.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with Ending("--json" in (sys.argv if args is None else args)) as ending:
        cli.main(args=list(args) if args is not None else None, prog_name="cuelight", standalone_mode=False)
        sys.stdout.flush()
    if ending.pipe_closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(ending.code)
