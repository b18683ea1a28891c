"""The door of the server's command line: which commands there are, in the order of the help."""

import sys

import click

from cuelight_server import __version__
from cuelight_server.cli.backup import backup, restore
from cuelight_server.cli.database import grants, migrate
from cuelight_server.cli.desk import demo, init, status
from cuelight_server.cli.ending import ended
from cuelight_server.cli.keys import key, token
from cuelight_server.cli.log import checkpoint, export_log, keys, verify
from cuelight_server.cli.people import invite, user
from cuelight_server.cli.providers import reseal
from cuelight_server.cli.releases import rollback
from cuelight_server.cli.serve import serve, worker
from cuelight_server.cli.trust import trust

_COMMANDS = (
    *(serve, init, invite, user, key, trust, token, rollback, status),
    *(verify, checkpoint, keys, export_log, grants, backup, restore, worker, migrate, reseal, demo),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cuelight-server")
def commands() -> None:
    """Cuelight: the release desk for production prompts."""


for _one in _COMMANDS:
    commands.add_command(_one)


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    return ended(lambda: commands.main(arguments, prog_name="cuelight-server", standalone_mode=False))
