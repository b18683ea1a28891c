"""`cuelight init` and `cuelight schema`: a workflow folder to begin with, and the schemas that editors complete from."""

import json
import shutil
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import click

from cuelight.cli.options import json_option
from cuelight.cli.show import say, show_json
from cuelight.contract import format as file_format
from cuelight.contract.errors import Conflict, NotFound, Unavailable

EXAMPLES = ("minimal", "sales")
SCHEMAS = ".cuelight"
_KIND_OF_FOLDER = {"prompts": "prompt", "suites": "suite", "knowledge": "knowledge"}


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("workflow"))
@click.option(
    "--example", type=click.Choice(EXAMPLES), default="minimal", show_default=True, help="What to begin with."
)
@json_option
def init_command(folder: Path, example: str, as_json: bool) -> None:  # noqa: FBT001  click passes flags
    """Start a workflow in the new FOLDER. Nothing that is there is ever overwritten.

    minimal is one low-risk prompt with its suite and recordings; sales is the worked example of the documentation.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is there already and not empty", "name a new folder")
    _copy(example, folder)
    write_schemas(folder / SCHEMAS)
    for file in sorted(folder.rglob("*.yaml")):
        _point_to_schema(folder, file)
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if as_json:
        show_json({"folder": str(folder), "example": example, "files": written})
        return
    say(("● ", "green"), f"{folder} holds the {example} example: {len(written)} files")
    say(("next: ", "bold"), f"cuelight lint {folder}")
    say(f"then: cuelight eval {folder}{'' if example == 'minimal' else ' --prompt lead_qualification --version v1'}")


@click.command("schema")
@click.argument("kind", required=False, type=click.Choice(file_format.KINDS))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write files into this folder.")
def schema_command(kind: str | None, out: Path | None) -> None:
    """Print the JSON Schema of one KIND of file, or list the kinds; --out writes <kind>.schema.json files."""
    if out is not None:
        for path in write_schemas(out, [kind] if kind else file_format.KINDS):
            say(f"wrote {path}")
    elif kind is not None:
        show_json(file_format.schema(kind))
    else:
        for one in file_format.KINDS:
            described = file_format.schema(one)["$defs"][one].get("description", "")
            say((f"{one:10}", "bold"), f" {described}")


def write_schemas(folder: Path, kinds: Sequence[str] = file_format.KINDS) -> list[Path]:
    """Write `<kind>.schema.json` for each kind; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{kind}.schema.json" for kind in kinds]
    for kind, path in zip(kinds, paths, strict=True):
        path.write_text(json.dumps(file_format.schema(kind), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


def _copy(example: str, folder: Path) -> None:
    packaged = files("cuelight.cli").joinpath("examples", example)
    in_source = Path(__file__).parents[4] / "examples" / example
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if packaged.is_dir():
            with as_file(packaged) as source:
                shutil.copytree(source, folder, dirs_exist_ok=True)
        elif in_source.is_dir():
            shutil.copytree(in_source, folder, dirs_exist_ok=True)
        else:
            raise NotFound(
                f"the {example} example is not installed here", "begin with: cuelight init --example minimal"
            )
    except OSError as bad:
        raise Unavailable(f"{folder} cannot be written: {bad.strerror}", "name a folder that you may write") from bad


def _point_to_schema(folder: Path, file: Path) -> None:
    """Put the comment in front that makes an editor complete from our schema, where there is none."""
    text = file.read_text(encoding="utf-8")
    kind = _kind(file.relative_to(folder))
    if kind is None or "yaml-language-server" in text.partition("\n")[0]:
        return
    up = "../" * (len(file.relative_to(folder).parts) - 1)
    line = f"# yaml-language-server: $schema={up}{SCHEMAS}/{kind}.schema.json\n"
    file.write_text(line + text, encoding="utf-8", newline="\n")


def _kind(path: Path) -> str | None:
    if len(path.parts) == 1:
        return path.stem if path.stem in file_format.KINDS else None
    return _KIND_OF_FOLDER.get(path.parts[0])
