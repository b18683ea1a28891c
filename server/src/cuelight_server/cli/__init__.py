"""The command line of the server: one command starts the house; the others work on the data folder, server or not."""

from cuelight_server.cli.ending import EXIT, UNEXPECTED
from cuelight_server.cli.program import commands, main, run

__all__ = ["EXIT", "UNEXPECTED", "commands", "main", "run"]
