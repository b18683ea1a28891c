"""`cuelight verify`: an exported log, checked on any machine, with no server and no database."""

from pathlib import Path
from typing import Any

import click

from cuelight.cli.ending import BLOCKED, Finish
from cuelight.cli.options import asks, json_option
from cuelight.cli.show import say, show_json
from cuelight.contract.errors import Invalid, NotFound, Unavailable

_MOST_BYTES = 64 * 1024 * 1024
_file = click.Path(dir_okay=False, path_type=Path)


@click.command("verify")
@click.argument("export", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--checkpoint",
    "saved",
    type=_file,
    multiple=True,
    metavar="FILE",
    help="A checkpoint that you saved, or the file that a desk appends them to: only these show a cut or a full rewrite.",
)
@click.option(
    "--key", metavar="KEY", help="The verifier key that you trust, from `cuelight-server keys show`, or a file with it."
)
@json_option
@asks("")
def verify_command(export: Path, saved: tuple[Path, ...], key: str | None, as_json: bool) -> None:  # noqa: FBT001  click passes flags
    """Recompute every hash of the log in EXPORT, check who signed it, and replay what its lines let happen."""
    from cuelight.contract.kept import read_kept
    from cuelight.contract.note import parse_verifier
    from cuelight.exported import verify_file

    kept = [one for path in saved for one in read_kept(text_of(path), path.name)]
    pinned = parse_verifier(text_of(Path(key)) if "+" not in key else key) if key else None
    found = verify_file(export, kept, pinned)
    if as_json:
        show_json(found.to_json())
    else:
        _show(found)
    if found.findings:
        raise Finish(BLOCKED)


def _show(found: Any) -> None:
    for one in found.findings:
        say((f"■ {one.kind.value}", "red"), f"  {one.message}")
    if found.findings:
        first = f"the first bad line is {found.first_bad}" if found.first_bad else "no single line can be named"
        say((f"■ {len(found.findings)} found: {first}", "bold red"))
    else:
        say(("● everything fits", "green"), f"  {found.size} lines, {found.checkpoints} checkpoints")
    say(f"root {found.root}", indent=2)
    if found.key:
        say(f"key {found.key}", indent=2)
    for note in found.notes:
        say((f"▲ {note}", "yellow"))


def text_of(path: Path) -> str:
    """A small file that somebody saved; NotFound, Unavailable or Invalid where it cannot be one."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Invalid(f"{path} is larger than {_MOST_BYTES // 2**20} MB", "is it a file of checkpoints?")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as bad:
        raise Invalid(f"{path} is not UTF-8", "is it a checkpoint?") from bad
    except FileNotFoundError as gone:
        raise NotFound(f"there is no file {path}", "a checkpoint is what `cuelight audit checkpoint` prints") from gone
    except OSError as bad:
        raise Unavailable(f"{path} cannot be read: {bad.strerror}", "look at the file") from bad
