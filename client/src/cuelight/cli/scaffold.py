"""`cuelight init` and `cuelight schema`: a workflow folder to begin with, and the schemas that editors complete from."""

import json
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from shlex import quote

import click

from cuelight.cli.options import asks, json_option
from cuelight.cli.show import say, show_json
from cuelight.contract import format as file_format
from cuelight.contract.errors import NotFound
from cuelight.files.placing import refuse_filled, unwritable, whole

EXAMPLES = ("minimal", "sales")
SCHEMAS = ".cuelight"
_KIND_OF_FOLDER = {"prompts": "prompt", "suites": "suite", "knowledge": "knowledge"}


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("workflow"))
@click.option(
    "--example", type=click.Choice(EXAMPLES), default="minimal", show_default=True, help="What to begin with."
)
@json_option
@asks("")
def init_command(folder: Path, example: str, as_json: bool) -> None:  # noqa: FBT001  click passes flags
    """Start a workflow in the new FOLDER. Nothing that is there is ever overwritten.

    minimal is one low-risk prompt with its suite and recordings; sales is the worked example of the documentation.
    """
    refuse_filled(folder)
    with whole(folder) as place:
        _copy(files("cuelight.cli").joinpath("examples", example), example, place)
        write_schemas(place / SCHEMAS)
        for file in sorted(place.rglob("*.yaml")):
            _point_to_schema(place, file)
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if as_json:
        show_json({"folder": str(folder), "example": example, "files": written})
        return
    say(("● ", "green"), f"{folder} holds the {example} example: {len(written)} files")
    say(("next: ", "bold"), f"cuelight lint {quote(str(folder))}")
    which = "" if example == "minimal" else " --prompt lead_qualification --version v1"
    say(f"then: cuelight eval {quote(str(folder))}{which}")


@click.command("schema")
@click.argument("kind", required=False, type=click.Choice(file_format.KINDS))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write files into this folder.")
@asks("")
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
    """Write `<kind>.schema.json` for each kind; the paths. Unavailable where the folder cannot be written."""
    paths = [folder / f"{kind}.schema.json" for kind in kinds]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, path in zip(kinds, paths, strict=True):
            path.write_text(json.dumps(file_format.schema(kind), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as bad:
        raise unwritable(folder, bad) from bad
    return paths


def _copy(packaged: Traversable, example: str, folder: Path) -> None:
    """Copy an example: bytes only, so that a read-only installation does not make a read-only folder."""
    in_source = Path(__file__).parents[4] / "examples" / example
    source: Traversable = packaged if packaged.is_dir() else in_source
    if not source.is_dir():
        raise NotFound(f"the {example} example is not installed here", "begin with: cuelight init --example minimal")
    _copied(source, folder)


def _copied(source: Traversable, target: Path) -> None:
    for one in source.iterdir():
        if one.is_dir():
            (target / one.name).mkdir()
            _copied(one, target / one.name)
        else:
            (target / one.name).write_bytes(one.read_bytes())


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
