"""How a command ends: every kind of error becomes one exit code and words on stderr."""

import json
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import click

from cuelight.contract.errors import CuelightError

OK, FAIL, INCONCLUSIVE = 0, 10, 11
INVALID, NOT_FOUND, CONFLICT, DENIED, BLOCKED, UNAVAILABLE, UNEXPECTED = 20, 21, 22, 23, 24, 25, 29
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
CODES: Mapping[str, int] = {
    "invalid": INVALID,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "denied": DENIED,
    "blocked": BLOCKED,
    "unavailable": UNAVAILABLE,
}


class Finish(Exception):
    """End with this exit code; everything has been said."""

    def __init__(self, code: int) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class Ending:
    """A context that catches what ends a command, says it, and keeps the exit code in `code`."""

    def __init__(self, as_json: bool = False) -> None:  # noqa: FBT001, FBT002  asked once, by main
        """Say errors as JSON where `as_json`."""
        self.code = OK
        self.pipe_closed = False
        self._as_json = as_json

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Map the error to a code; SystemExit and nothing go through."""
        if error is None or isinstance(error, SystemExit):
            return False
        self.code = self._say(error)
        return True

    def _say(self, error: BaseException) -> int:
        if isinstance(error, Finish):
            return error.code
        if isinstance(error, click.exceptions.Exit):
            return error.exit_code
        if isinstance(error, CuelightError):
            return self._known(error)
        if isinstance(error, click.ClickException):
            return self._usage(error)
        if isinstance(error, KeyboardInterrupt | click.Abort):
            sys.stderr.write("stopped\n")
            return INTERRUPTED
        if isinstance(error, BrokenPipeError):
            self.pipe_closed = True
            return OK
        return self._unexpected(error)

    def _known(self, error: CuelightError) -> int:
        if self._as_json:
            _json(error.to_json())
        else:
            from cuelight.cli.show import complain

            complain(error)
        return CODES.get(error.kind, UNEXPECTED)

    def _usage(self, error: click.ClickException) -> int:
        if self._as_json:
            _json({"kind": "invalid", "message": error.format_message(), "hint": "see --help", "details": {}})
        else:
            error.show(sys.stderr)
        return INVALID

    def _unexpected(self, error: BaseException) -> int:
        if self._as_json:
            _json({"kind": "unexpected", "message": f"{type(error).__name__}: {error}", "hint": "", "details": {}})
        else:
            traceback.print_exception(error, file=sys.stderr)
            sys.stderr.write("error: this was not expected; please report it with the lines above\n")
        return UNEXPECTED


def _json(error: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps({"error": error}, ensure_ascii=False) + "\n")
