"""The report's part on model judges: which were asked, how steady they were, and how far they agree with people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.evaluation.agreement import ENOUGH, Agreement, agreement, trusted, words
from cuelight_server.evaluation.graders.judged import Judge, spread
from cuelight_server.evaluation.model import ArmResult, Json
from cuelight_server.evaluation.pairwise import Tally, refused
from cuelight_server.evaluation.pairwise import words as compared

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A judge put to what people had judged: (person, judge) for each label that it had a word on, and why not else."""

    marks: tuple[tuple[bool, bool], ...] = ()
    no_word: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The judges of one run by their digest; `pairs` and `checked` by what reports put together (`Judge.key`)."""

    judges: Mapping[str, Judge] = field(default_factory=dict)
    pairs: Mapping[Key, Tally] = field(default_factory=dict)
    checked: Mapping[Key, Checked] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def in_report(panel: Panel, arms: Sequence[ArmResult]) -> list[dict[str, Any]]:
    """One entry a grader and instrument, however many rubrics its cases have; by the name of the grader."""
    groups: dict[Key, list[Judge]] = {}
    for one in panel.judges.values():
        groups.setdefault(one.key, []).append(one)
    said: dict[Key, list[Json]] = {}
    for told in _said(arms):
        if told["judge"] in panel.judges:
            said.setdefault(panel.judges[told["judge"]].key, []).append(told)
    return [_entry(groups[key], said.get(key, []), panel) for key in sorted(groups)]


def _entry(judges: Sequence[Judge], said: Sequence[Json], panel: Panel) -> dict[str, Any]:
    one, digests = judges[0], sorted(judge.digest for judge in judges)
    entry = {
        "grader": one.grader,
        "digest": digests[0] if len(digests) == 1 else digest(digests),
        "rubrics": len(digests),
        **one.told(),
        "outputs": len(said),
        "not_run": sum(bool(told["not_run"]) for told in said),
        "split": sum(0 < told.get("passes", 0) < told.get("of", 1) for told in said),
        "widest": round(max((spread(told.get("scores", ())) for told in said), default=0.0), 6),
        "agreement": _agreement(panel.checked.get(one.key, Checked())),
    }
    pairs = panel.pairs.get(one.key)
    return entry if pairs is None else {**entry, "pairs": _pairs(pairs)}


def _agreement(checked: Checked) -> dict[str, Any]:
    found = agreement(checked.marks)
    said = words(found)
    if checked.no_word:
        said += f"; {checked.no_word} labels without a word of the judge ({checked.why})"
    return {**numbers(found), "no_word": checked.no_word, "trusted": trusted(found), "words": said}


def numbers(found: Agreement) -> dict[str, Any]:
    """The numbers, rounded; None for what is not known."""
    return {
        "labels": found.labels,
        "enough": found.labels >= ENOUGH,
        "same": found.same,
        "kappa": _rounded(found.kappa),
        "kappa_low": _rounded(found.kappa_low),
        "kappa_high": _rounded(found.kappa_high),
        "ac1": _rounded(found.ac1),
        "true_pass_rate": _rounded(found.hits.value),
        "true_fail_rate": _rounded(found.refusals.value),
        "people_passed": found.hits.of,
        "people_failed": found.refusals.of,
    }


def _pairs(pairs: Tally) -> dict[str, Any]:
    return {
        "wins": pairs.wins,
        "losses": pairs.losses,
        "ties": pairs.ties,
        "flips": pairs.flips,
        "no_word": pairs.no_word,
        "flip_rate": _rounded(pairs.flip_rate),
        "refused": refused(pairs),
        "words": compared(pairs),
    }


def _said(arms: Sequence[ArmResult]) -> Iterator[Json]:
    """What a judge said of one output, one after the other, also those inside of sets: its digest, its answers, `not_run`."""
    grades = (
        grade for arm in arms for case in arm.cases for one in case.samples for grade in one.grades if grade.judge
    )
    for grade in grades:
        told = grade.said or {}
        yield from told.get("members", ({**told, "judge": grade.judge, "not_run": grade.not_run},))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0
