"""`cuelight export`: a workflow of the desk becomes a folder, and a folder a promptfoo config."""

from pathlib import Path
from typing import Any

import click

from cuelight.cli.ending import BLOCKED, Finish
from cuelight.cli.moving import show_findings
from cuelight.cli.names import label_in, prompt_in
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import counted, heading, say, show_json, tell
from cuelight.contract.errors import Conflict, Invalid, Unavailable
from cuelight.files import read_folder, write_folder

_FORM = "promptfoo"


class Export(click.Group):
    """A group in which every word but `promptfoo` is the name of a workflow on the desk."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The export of the desk, unless the first word asks for another form."""
        if args and args[0] != _FORM:
            args = ["desk", *args]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """The two forms."""
        with formatter.section("Forms"):
            formatter.write_dl(
                [
                    ("WORKFLOW FOLDER", "Write WORKFLOW of the desk as the new FOLDER."),
                    ("promptfoo FOLDER", "Write a folder's prompt and suite as a promptfoo config."),
                ]
            )


@click.command(
    "export",
    cls=Export,
    subcommand_metavar="WORKFLOW FOLDER | promptfoo FOLDER",
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)
def export_command() -> None:
    """Write a WORKFLOW of the desk as the new FOLDER; or, with the word promptfoo, a folder as a promptfoo config."""


@export_command.command("desk", hidden=True)
@click.argument("workflow")
@click.argument("folder", type=click.Path())
@json_option
@desk_options
@asks("desk.read")
def desk_command(workflow: str, folder: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Write WORKFLOW as the new FOLDER. Pushing it again gives the same digests."""
    with where.admin() as admin:
        written = write_folder(admin.export(workflow), folder)
    if as_json:
        show_json({"folder": folder, "files": written})
    else:
        say(f"wrote {counted(len(written), 'file')} to {folder}")


@export_command.command(_FORM)
@click.argument("folder", type=click.Path())
@click.option("--prompt", metavar="P", help="Which prompt; not needed where there is one.")
@click.option(
    "--version", "labels", multiple=True, metavar="L", help="Which label; may be given again. The newest if left out."
)
@click.option("--to", "target", type=click.Path(path_type=Path), help="The new file; standard output if left out.")
@click.option(
    "--strict", is_flag=True, help="Exit with 24 if anything was refused; the config is written all the same."
)
@json_option
@asks("")
def promptfoo_command(
    folder: str,
    prompt: str | None,
    labels: tuple[str, ...],
    target: Path | None,
    strict: bool,  # noqa: FBT001  click passes flags
    as_json: bool,  # noqa: FBT001  click passes flags
) -> None:
    """Write a prompt of FOLDER and its suite as one promptfoo config. What has no counterpart there is named."""
    from cuelight.files.yaml_text import dump
    from cuelight.moving.outward import export_config
    from cuelight.moving.report import CannotCarry

    read = read_folder(folder)
    short = prompt_in(read, prompt)
    chosen = [label_in(read, short, one) for one in labels] or [label_in(read, short, None)]
    try:
        made = export_config(read.bundle, short, chosen)
    except CannotCarry as bad:
        raise Invalid(bad.why, "choose another version with --version") from bad
    text = dump(made.config)
    if target is not None:
        _write(target, text)
    if as_json:
        show_json({"file": str(target) if target else None, "config": made.config, **made.report.to_json()})
    else:
        _show(made.report, text, target)
    if strict and made.report.refused:
        raise Finish(BLOCKED)


def _write(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as bad:
        raise Conflict(f"{target} is there already", "name a new file") from bad
    except OSError as bad:
        raise Unavailable(f"{target} cannot be written: {bad.strerror}", "name a file that you may write") from bad


def _show(report: Any, text: str, target: Path | None) -> None:
    """The config on standard output, or the words about it; beside a config the words go to standard error."""
    said = report.assertions()
    words = f"assertions: {said['carried']} carried, {said['approximated']} approximated, {said['refused']} refused"
    if target is None:
        click.echo(text, nl=False)
        tell(words)
        for one in [*report.named("refused"), *report.named("approximated")]:
            tell(f"{one.state}: {one.kind} {one.what} ({one.where}): {one.why}", indent=2)
        return
    say(("● ", "green"), f"wrote {target}")
    say(words)
    for state, title in (
        ("refused", "Refused: not in the config"),
        ("approximated", "With a difference"),
        ("aside", "Left aside"),
    ):
        found = list(report.named(state))
        if found:
            heading(f"{title} ({len(found)})")
            show_findings(found)
