"""Files of rows, read by their name; and a suite written as a new file of a workflow folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cuelight.contract.errors import Conflict, NotFound, Unavailable
from cuelight.files.yaml_text import dump
from cuelight.moving.loose import read_csv, read_json, read_lines, read_yaml
from cuelight.moving.report import CannotCarry
from cuelight.moving.sources import Sources


def rows_of(file: Path) -> list[Any]:
    """The rows of a table. NotFound where there is no file, CannotCarry where it cannot be read."""
    if not file.is_file():
        raise NotFound(f"there is no file {file}", "name a file of .csv, .jsonl, .json or .yaml")
    text, name = Sources(file.parent, allow_outside=True).text(file.name), file.name
    readers = {
        ".csv": read_csv,
        ".tsv": read_csv,
        ".jsonl": read_lines,
        ".json": read_json,
        ".yaml": read_yaml,
        ".yml": read_yaml,
    }
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise CannotCarry(f"{name}, expected .csv, .jsonl, .json or .yaml")
    found: Any = reader(text, name)
    rows = found.get("cases", found.get("tests")) if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise CannotCarry(f"{name} holds no list of rows")
    return rows


def write_suite(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a suite into `suites/` of the folder. Conflict where one of that name is there already."""
    path = folder / "suites" / f"{document['suite']}.yaml"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(dump(dict(document)))
    except FileExistsError as bad:
        raise Conflict(f"{path} is there already", "give the suite another name with --name") from bad
    except OSError as bad:
        raise Unavailable(
            f"{path} cannot be written: {bad.strerror}", "name a workflow folder that you may write"
        ) from bad
    return path
