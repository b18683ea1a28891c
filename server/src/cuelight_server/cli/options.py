"""Options that many commands share."""

from pathlib import Path

import click

from cuelight_server.kernel.terms import Environment

ENVIRONMENTS = click.Choice([place.value for place in Environment])
folder_option = click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder [CUELIGHT_DATA, ./cuelight-data]."
)
