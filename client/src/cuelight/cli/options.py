"""Options that many commands share: which desk, as whom, and in which form the answer comes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from cuelight.admin import DEFAULT_URL, Admin
from cuelight.cli.show import show_json

_Command = Callable[..., Any]
ASKS = "__cuelight_asks__"
ROLES = ("workflow_owner", "domain_expert", "engineering_owner", "risk_owner", "support_owner")
ENVIRONMENTS = click.Choice(["development", "staging", "production"])


@dataclass(frozen=True, slots=True)
class Where:
    """The desk that was asked for; `server` is None where none was named."""

    server: str | None
    token: str | None
    as_: str | None

    def admin(self) -> Admin:
        """The desk that was named, or the one on this machine."""
        return Admin(self.server or DEFAULT_URL, self.token, self.as_, once=os.urandom(16).hex())

    @contextmanager
    def admin_or_local(self) -> Iterator[Admin]:
        """The desk that was named, or a temporary one that ends with the command."""
        if self.server:
            with self.admin() as admin:
                yield admin
            return
        from cuelight.cli.local import local_desk

        with local_desk() as admin:
            yield admin


def asks(verb: str) -> Callable[[_Command], _Command]:
    """What the command asks the desk for: a verb of its catalogue; "" for one that works on files alone."""

    def mark(command: _Command) -> _Command:
        setattr(command, ASKS, verb)
        return command

    return mark


def desk_options(command: _Command) -> _Command:
    """--server, --token and --as; the command gets `where`."""
    return _where(command, "CUELIGHT_URL", f"The desk's address; {DEFAULT_URL} if left out.")


def folder_options(command: _Command) -> _Command:
    """The same for commands on a folder, which need no server: only --server itself makes them ask one."""
    return _where(command, None, "Ask this desk; without it a temporary one on this machine.")


def json_option(command: _Command) -> _Command:
    """--json; the command gets `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout, nothing else.")(command)


def answered(show: Callable[[Any], None]) -> Callable[[_Command], _Command]:
    """--json; what the command returns is printed as JSON, or by `show` for people."""

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def with_answer(*args: Any, as_json: bool, **named: Any) -> None:
            found = command(*args, **named)
            (show_json if as_json else show)(found)

        return json_option(with_answer)

    return decorate


def _where(command: _Command, variable: str | None, words: str) -> _Command:
    @click.option("--server", envvar=variable, show_envvar=True, metavar="URL", help=words)
    @click.option("--token", envvar="CUELIGHT_TOKEN", show_envvar=True, metavar="TOKEN", help="A person's token.")
    @click.option("--as", "as_", metavar="PERSON", help="Act as this person; on a demo desk only.")
    @wraps(command)
    def with_where(*args: Any, server: str | None, token: str | None, as_: str | None, **named: Any) -> Any:
        return command(*args, where=Where(server or None, token or None, as_), **named)

    return with_where
