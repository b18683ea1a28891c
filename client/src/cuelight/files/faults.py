"""Faults: everything that is wrong in a folder, each with its file and line, refused together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from cuelight.contract.errors import Invalid

Path = tuple[str | int, ...]
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `line` counts from 1, `message` says what was found and what was expected."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line: message`, as an editor opens it."""
        return f"{self.file}:{self.line}: {self.message}"


def refuse(faults: Sequence[Fault]) -> Invalid:
    """One error that names every fault, in the order of files and lines; `details["problems"]` has them for machines."""
    ordered = sorted(set(faults), key=lambda one: (one.file, one.line, one.message))
    problems = [asdict(one) for one in ordered]
    if len(ordered) == 1:
        return Invalid(str(ordered[0]), ordered[0].hint, problems=problems)
    shown = [f"{one} ({one.hint})" if one.hint else str(one) for one in ordered[:_SHOWN]]
    rest = [f"and {len(ordered) - _SHOWN} more"] if len(ordered) > _SHOWN else []
    message = "\n".join([f"{len(ordered)} problems", *shown, *rest])
    return Invalid(message, "correct them in the files and try again", problems=problems)


def line_of(lines: Mapping[Path, int], path: Iterable[str | int]) -> int:
    """The line of a place in a document, or of the nearest place around it that has one; 1 at the top."""
    steps = tuple(path)
    while steps and steps not in lines:
        steps = steps[:-1]
    return lines.get(steps, 1)


def dotted(path: Iterable[str | int]) -> str:
    """`graders[2].path` for a place in a document; "" at the top."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
