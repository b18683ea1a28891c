"""The line of revisions that the tables of a desk went through; the newest is what `db/schema` says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """The revisions, oldest first, and the folder whose `versions/` holds a file for each of them."""

    folder: Path
    revisions: tuple[str, ...]


TODAY = Line(Path(__file__).parent, ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"))
