"""Which pages there are, and writing them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cuelight_server.docs_reference.catalogues import enforcement_page, errors_page, settings_page, verbs_page
from cuelight_server.docs_reference.commands import commands_page
from cuelight_server.docs_reference.endpoints import api_page
from cuelight_server.docs_reference.formats import format_page
from cuelight_server.docs_reference.graders import graders_page
from cuelight_server.docs_reference.markdown import page, table

# File -> what writes it, and what it is for.
PAGES: Mapping[str, tuple[Callable[[], str], str]] = {
    "format.md": (format_page, "every key of every file, every grader, every operator of a condition"),
    "graders.md": (graders_page, "every grader under promptfoo's name: what it asks, what it is given, what it needs"),
    "commands.md": (commands_page, "every command of `cuelight` and `cuelight-server` with its options"),
    "api.md": (api_page, "every HTTP address: what it takes and gives, and who may"),
    "verbs.md": (verbs_page, "everything that one can do, as the audit log calls it, and who may"),
    "settings.md": (settings_page, "every environment variable with its default"),
    "errors.md": (errors_page, "the six kinds of error, HTTP statuses and exit codes"),
    "enforcement.md": (enforcement_page, "which rule is held by which code, and which by none yet"),
}


def pages() -> dict[str, str]:
    """File name -> text of every page; the same code gives the same bytes."""
    index = page(
        "Reference",
        "For looking things up. To learn, begin with [Start](../start.md) and [Concepts](../concepts.md).",
        table(("page", "what stands in it"), [(f"[{name}]({name})", words) for name, (_, words) in PAGES.items()]),
    )
    return {"index.md": index, **{name: make() for name, (make, _) in PAGES.items()}}


def write(folder: Path) -> list[Path]:
    """Write every page into `folder`, remove pages that are no more; the paths that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    gone = [path for path in sorted(folder.glob("*.md")) if path.name not in wanted]
    for path in gone:
        path.unlink()
    changed = [folder / name for name, text in wanted.items() if not _same(folder / name, text)]
    for path in changed:
        path.write_text(wanted[path.name], encoding="utf-8", newline="\n")
    return [*gone, *changed]


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
