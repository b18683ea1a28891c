"""A report as a page: the verdict and why, what got worse first, the six questions, figures, and how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any
from urllib.parse import quote as in_path

from cuelight_server.evaluation.written.six import Answer, six
from cuelight_server.views.evaluation import EvaluationView

Json = Mapping[str, Any]
_VERDICTS = {"pass": ("go", "Passed"), "fail": ("hold", "Failed"), "inconclusive": ("standby", "Not clear")}
_ANSWERS = {
    Answer.GOOD: ("go", "Good"),
    Answer.BAD: ("hold", "Not good"),
    Answer.UNKNOWN: ("standby", "Not known"),
    Answer.NOT_ASKED: ("off", "Not asked"),
}
GROUPS = (
    ("newly_failing", "hold", "Newly failing", "They pass in what it is compared with, and fail here."),
    ("failing", "hold", "Failing", "They fail here and did before, or there is nothing to compare with."),
    ("unstable", "standby", "Unstable", "They pass in some samples and fail in others: neither failed nor passed."),
    ("undecided", "standby", "Nobody can say", "A grader that would decide could not run."),
    ("expected_failure", "off", "Expected failures", "Known, and accepted with a reason."),
    ("fixed", "go", "Fixed", "They failed before and pass here."),
    ("passing", "go", "Passing", ""),
)
_ORDER = [name for name, *_ in GROUPS]
_WORDS = 2  # findings of one case in a list
_ROWS = 500  # cases in one list of a page


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One of the six questions."""

    state: str
    word: str
    name: str
    asks: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case in a list: what is wrong with it, in words."""

    id: str
    title: str
    category: str
    words: tuple[str, ...]
    samples: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases of one state; `folded` where they need no attention."""

    key: str
    state: str
    title: str
    hint: str
    cases: tuple[CaseLine, ...]
    more: int
    folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A share from 0 to 1 as it is drawn: with an interval, a floor and production's where they are known."""

    name: str
    words: str
    share: float | None
    before: float | None
    floor: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """A report as it is shown, on the desk and in a file of its own."""

    title: str
    person: str
    id: str
    name: str
    version: str
    baseline: str
    against: str
    state: str
    word: str
    why: tuple[str, ...]
    standing: str
    questions: tuple[QuestionLine, ...]
    groups: tuple[Group, ...]
    unstable: str
    figures: tuple[tuple[str, str, str], ...]
    comparison: tuple[str, ...]
    categories: tuple[Bar, ...]
    tags: tuple[Bar, ...]
    metrics: tuple[tuple[str, str, str, str], ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    again: str
    template: str = "evaluation/report.html"


def in_order(rows: Sequence[Json]) -> list[str]:
    """Ids of the cases as a report shows them: what got worse first."""
    return [row["id"] for row in sorted(rows, key=lambda row: _ORDER.index(row["state"]))]


def shown(seen: EvaluationView, person: str) -> ReportPage:
    """A report as a page."""
    line, report = seen.line, {**(seen.report or {}), "reviews": seen.reviews}
    state, word = light(line.state, line.verdict)
    return ReportPage(
        title=f"Report of {line.prompt} {line.label}",
        person=person,
        id=line.id,
        name=f"{line.prompt} {line.label}",
        version=line.label,
        baseline=line.baseline_label or "",
        against=f"against {line.baseline_label}" if line.baseline_label else "nothing to compare with",
        state=state,
        word=word,
        why=tuple(_sentence(one) for one in report.get("why") or ()),
        standing=_standing(seen),
        questions=tuple(QuestionLine(*_ANSWERS[one.answer], one.name, one.asks, one.words) for one in six(report))
        if report.get("case_table")
        else (),
        groups=tuple(_groups(line.id, report)),
        unstable=_mixed(report),
        figures=_figures(report),
        comparison=tuple(_sentence(one) for one in _shown_by_samples(report)),
        categories=_bars(report, "categories", "category"),
        tags=_bars(report, "tags", "tag"),
        metrics=tuple(_metric(row) for row in report.get("metrics") or ()),
        facts=tuple(_facts(seen)),
        notes=tuple(_sentence(one) for one in report.get("notes") or ()),
        again=_again(seen),
    )


def light(state: str, verdict: str | None) -> tuple[str, str]:
    """(cue light, word) of an evaluation."""
    if state == "error":
        return "standby", "Not done"
    if verdict is None:
        return "off", "Running" if state == "running" else "Waiting"
    return _VERDICTS.get(verdict, ("standby", verdict))


def _standing(seen: EvaluationView) -> str:
    line, report = seen.line, seen.report
    if report is None:
        return f"{line.done} of {line.total} outputs so far. Load the page again to see more."
    if report.get("error"):
        return "The run could not be done. Ask for it again once the reason below is settled."
    if report.get("local"):
        return "A local run: it satisfies no gate."
    return "Recorded outputs: no model was asked." if line.recorded else ""


def _mixed(report: Json) -> str:
    """Cases whose samples disagree though the case counts as failed or passed."""
    listed = {row["id"] for row in report.get("case_table") or () if row["state"] == "unstable"}
    return ", ".join(str(one) for one in report.get("unstable") or () if one not in listed)


def _shown_by_samples(report: Json) -> list[str]:
    """What the statistics say in words; nothing in a report from before there were any."""
    parts = (report.get("statistics") or {}, report.get("stability") or {})
    return [one for part in parts for one in part.get("words") or ()]


def _groups(id: str, report: Json) -> Iterable[Group]:
    rows = report.get("case_table") or ()
    for key, state, title, hint in GROUPS:
        found = [row for row in rows if row["state"] == key]
        if found:
            lines = tuple(_case_line(id, row, report) for row in found[:_ROWS])
            yield Group(
                key=key,
                state=state,
                title=title,
                hint=hint,
                cases=lines,
                more=len(found) - len(lines),
                folded=key == "passing",
            )


def _case_line(id: str, row: Json, report: Json) -> CaseLine:
    words = [f"{one['name']} ({one['severity']}): {one.get('message', '')}" for one in row.get("failed") or ()]
    words += [one["why"] for one in report.get("undecided") or () if one["case"] == row["id"]]
    words += [one["reason"] for one in report.get("expected_failures") or () if one["case"] == row["id"]]
    some = row["sound_samples"] not in (0, row["samples"])
    return CaseLine(
        id=row["id"],
        title=row["title"],
        category=row["category"].replace("_", " "),
        words=(*words[:_WORDS], *([f"and {len(words) - _WORDS} more"] if len(words) > _WORDS else [])),
        samples=f"{row['sound_samples']} of {row['samples']} samples are sound" if some else "",
        href=f"/evaluations/{id}/cases/{in_path(row['id'], safe='')}",
    )


def _figures(report: Json) -> tuple[tuple[str, str, str], ...]:
    if not report.get("case_table"):
        return ()
    before = report.get("baseline") or {}
    return (
        ("Cases that pass", _percent(report.get("pass_rate")), _percent(before.get("pass_rate"))),
        ("Cost of a case", usd(report.get("cost_per_case_usd")), usd(before.get("cost_per_case_usd"))),
        ("Slowest of twenty (p95)", ms(report.get("p95_ms")), ms(before.get("p95_ms"))),
    )


def _bars(report: Json, table: str, kind: str) -> tuple[Bar, ...]:
    """The rates of a table, each with the interval that the statistics know of it."""
    known = (report.get("statistics") or {}).get("parts") or ()
    within = {one["name"]: one for one in known if one["kind"] == kind}
    return tuple(_bar(row, kind, within.get(row[kind], {})) for row in report.get(table) or ())


def _bar(row: Json, kind: str, within: Json) -> Bar:
    cases = row["cases"]
    return Bar(
        name=str(row[kind]).replace("_", " "),
        words=f"{row['passed']} of {cases}" if cases else "no case",
        share=row.get("pass_rate"),
        before=row.get("baseline_pass_rate"),
        floor=row.get("floor"),
        low=within.get("lower"),
        high=within.get("upper"),
    )


def _metric(row: Json) -> tuple[str, str, str, str]:
    if row.get("declared_only"):
        return str(row["id"]), "in words only", "", str(row["declared_only"])
    limits = [f"{word} {row[key]:g}" for key, word in _LIMITS if row.get(key) is not None]
    return str(row["id"]), _share(row.get("value")), _share(row.get("baseline")), ", ".join(limits) or "only shown"


_LIMITS = (("min", "at least"), ("max", "at most"), ("max_shift", "may move by"))


def _facts(seen: EvaluationView) -> Iterable[tuple[str, str]]:
    line, report = seen.line, seen.report or {}
    suite = report.get("suite") or {}
    yield "Evaluation", line.id
    yield "Content", line.content_digest
    if line.baseline_digest:
        yield "Compared with", f"{line.baseline_label} {line.baseline_digest}"
    yield "Test set", f"{suite.get('name', '')} {line.suite_digest}".strip()
    yield "Answers from", f"{line.provider}; models: {', '.join(report.get('models') or ()) or 'not known'}"
    if report.get("samples"):
        yield "Samples of each case", str(report["samples"])
    yield "Prices", report.get("prices_digest") or "none"
    if line.evidence_digest:
        yield "Evidence", line.evidence_digest
    yield "Asked by", line.actor
    yield "When", f"{line.created_at}" + (f" to {line.finished_at}" if line.finished_at else "")
    if report.get("tool_version"):
        yield "Made by", f"Cuelight {report['tool_version']}"


def _again(seen: EvaluationView) -> str:
    line = seen.line
    against = f" --baseline {quote(line.baseline_label)}" if line.baseline_label else ""
    return f"cuelight eval {quote(line.prompt)}@{quote(line.label)}{against} --provider {quote(line.provider)}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value * 100:.1f} %"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def usd(value: float | None) -> str:
    """USD, or that they are not known."""
    return "not known" if value is None else f"${value:g}"


def ms(value: float | None) -> str:
    """Milliseconds, or that they are not known."""
    return "not known" if value is None else f"{value:,.0f} ms"
