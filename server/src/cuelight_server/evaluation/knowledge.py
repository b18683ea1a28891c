"""Which releases of knowledge a suite's cases speak of: what an evaluation was measured on, beside suite and prices."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.knowledge import KnowledgeRelease, KnowledgeUse, Source, uses
from cuelight_server.evaluation.model import Case

_NAMED = 20  # cases that are told by their ids


def measured(
    cases: Iterable[Case], declared: Iterable[Source], releases: Mapping[str, KnowledgeRelease]
) -> list[dict[str, Any]]:
    """For each knowledge that a version names: the release at hand, and how many of its cases give it word for word.

    `cases` counts those that give it at all; `other_cases` names the first of those that give something else. `number`
    and `digest` are None where the desk has no such knowledge: then no case is as released.
    """
    sources = tuple(declared)
    names = sorted({one.name for one in sources})
    given: dict[str, int] = dict.fromkeys(names, 0)
    other: dict[str, list[str]] = {name: [] for name in names}
    for case in cases if sources else ():
        found = _by_name(uses(sources, case.input, releases))
        for name, known in found.items():
            given[name] += 1
            if not known:
                other[name].append(case.id)
    return [_line(name, releases.get(name), given[name], other[name]) for name in names]


def _by_name(found: Iterable[KnowledgeUse]) -> dict[str, bool]:
    """Name -> whether everything that the case gives of it is as released; without what it does not give."""
    made: dict[str, bool] = {}
    for one in found:
        if one.items or one.left_out:
            made[one.name] = made.get(one.name, True) and one.known
    return made


def _line(name: str, release: KnowledgeRelease | None, cases: int, other: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "number": release.number if release else None,
        "digest": release.digest if release else None,
        "cases": cases,
        "as_released": cases - len(other),
        "other_cases": other[:_NAMED],
    }
