"""commands.md: every command of both command lines with its arguments and options."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from cuelight.cli.main import cli
from cuelight_server.cli import commands as server
from cuelight_server.docs_reference.markdown import code, codes, page, prose, section, table

_KINDS = {"integer": "N", "integer range": "N", "text": "TEXT", "path": "PATH", "file": "FILE", "directory": "FOLDER"}
PROGRAMS: dict[str, click.Command] = {"cuelight": cli, "cuelight-server": server}
_UNWRAPPED = re.compile(r"^(?:\x08|\\b)\n((?:.+\n?)+)", re.MULTILINE)  # click's mark: keep these lines as they are


def commands_page() -> str:
    """The page, from click."""
    return page(
        "Commands",
        "`cuelight` is for people and pipelines, `cuelight-server` for the machine that holds the data. Every command "
        "also takes `--help`. How a command ends is told in [Errors](errors.md).",
        *(_program(name, command) for name, command in PROGRAMS.items()),
    )


def every_command() -> Iterator[tuple[str, click.Command, click.Context]]:
    """(`cuelight-server user add`, the command, its context) of all commands that do something, in the order of help."""
    for name, program in PROGRAMS.items():
        yield from _walk(name, program, None)


def _walk(
    name: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent)
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield name, command, context
    if not isinstance(command, click.Group):
        return
    for one in command.list_commands(context):
        found = command.get_command(context, one)
        if found is not None and not found.hidden:
            yield from _walk(f"{name} {one}", found, context)


def _program(name: str, program: click.Command) -> str:
    described = [_command(*one) for one in every_command() if one[0].split(" ")[0] == name]
    return section(code(name), _words(program), *described)


def _command(name: str, command: click.Command, context: click.Context) -> str:
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    rows = [(_form(one), _meaning(one, context)) for one in command.params]
    return section(
        code(name), f"```\n{usage}\n```", _words(command), table(("argument or option", "meaning"), rows), level=3
    )


def _words(command: click.Command) -> str:
    told = inspect.cleandoc(command.help or "")
    return prose(_UNWRAPPED.sub(lambda found: f"```\n{found[1].rstrip()}\n```", told).strip())


def _form(one: click.Parameter) -> str:
    if isinstance(one, click.Argument):
        return code(one.metavar or one.human_readable_name)
    taken = "" if isinstance(one, click.Option) and one.is_flag else f" {_value(one)}"
    return ", ".join(code(f"{opt}{taken}") for opt in [*one.opts, *one.secondary_opts])


def _value(one: click.Parameter) -> str:
    named = (one.name or "").strip("_").upper()
    return one.metavar or (named if isinstance(one.type, click.Choice) else _KINDS.get(one.type.name, named))


def _meaning(one: click.Parameter, context: click.Context) -> str:
    """What it is, what it may be, and what counts where it is left out."""
    words = [prose(one.help or "")] if isinstance(one, click.Option) else []
    if isinstance(one.type, click.Choice):
        words.append(f"One of {codes(one.type.choices)}.")
    if one.required:
        words.append("Must be given.")
    elif isinstance(one, click.Argument):
        words.append("May be left out.")
    if isinstance(one, click.Option) and one.multiple:
        words.append("May be given several times.")
    preset = one.get_default(context)
    if isinstance(preset, str | int | Path) and not isinstance(preset, bool) and str(preset):
        words.append(f"Default: {code(preset)}.")
    if one.envvar:
        words.append(f"Or {codes([one.envvar] if isinstance(one.envvar, str) else one.envvar)}.")
    return " ".join(word for word in words if word)


def variables() -> set[str]:
    """The environment variables that options are read from."""
    found = [one.envvar for _, command, _ in every_command() for one in command.params if one.envvar]
    return {name for one in found for name in ([one] if isinstance(one, str) else one)}
