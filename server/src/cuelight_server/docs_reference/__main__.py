"""`python -m cuelight_server.docs_reference [DOCS]` writes docs/reference anew."""

import sys
from pathlib import Path

from cuelight_server.docs_reference.pages import write
from cuelight_server.kernel.errors import NotFound


def main(arguments: list[str]) -> int:
    """Write the pages and name those that changed; the exit code is 21 where there is no docs folder."""
    try:
        folder = find_docs(Path(arguments[0]) if arguments else Path.cwd())
    except NotFound as error:
        sys.stderr.write(f"{error.message}\n  {error.hint}\n")
        return 21
    changed = write(folder / "reference")
    sys.stdout.write("".join(f"wrote {path}\n" for path in changed) or "docs/reference is up to date\n")
    return 0


def find_docs(start: Path) -> Path:
    """The docs folder: `start` itself, or the docs of the repository that `start` lies in. NotFound where none is."""
    for place in (start.resolve(), *start.resolve().parents):
        for docs in (place, place / "docs"):
            if docs.name == "docs" and docs.is_dir():
                return docs
    raise NotFound(
        f"{start} lies in no repository with a docs folder", "name the folder: ... docs_reference path/to/docs"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
