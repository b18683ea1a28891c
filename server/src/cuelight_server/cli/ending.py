"""How a command ends: a message, a hint and an exit code, never a traceback."""

import os
from collections.abc import Callable

import click

from cuelight_server.kernel.errors import CuelightError

EXIT = {"invalid": 20, "not_found": 21, "conflict": 22, "denied": 23, "blocked": 24, "unavailable": 25}
UNEXPECTED = 29


def ended(command: Callable[[], object]) -> int:
    """Run one command and return its exit code; what went wrong is said on stderr."""
    try:
        code = command()
        return code if isinstance(code, int) else 0
    except CuelightError as error:
        return _say(error.message, error.hint, EXIT[error.kind])
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)  # it is the whole help, which begins with its own name
        return EXIT["invalid"]
    except click.ClickException as error:
        return _say(error.format_message(), "cuelight-server --help", EXIT["invalid"])
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if os.environ.get("CUELIGHT_LOG_LEVEL") == "debug":
            raise
        return _say(
            f"unexpected: {type(error).__name__}: {error}", "set CUELIGHT_LOG_LEVEL=debug to see where", UNEXPECTED
        )


def _say(message: str, hint: str, code: int) -> int:
    click.echo(f"cuelight-server: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return code
