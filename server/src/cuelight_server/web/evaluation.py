"""The pages of evaluations: what was run, what a report says with what got worse first, and two outputs side by side."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Any
from urllib.parse import quote as in_path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.evaluation.written.beside import Part, Piece
from cuelight_server.evaluation.written.six import Answer, six
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.sight import Sight
from cuelight_server.views import report as view
from cuelight_server.views.evaluation import EvaluationView, show
from cuelight_server.views.sight import sight_of
from cuelight_server.web.doors import Doors
from cuelight_server.web.frame import signed_in
from cuelight_server.web.render import document
from cuelight_server.web.words import ago

Json = Mapping[str, Any]
_VERDICTS = {"pass": ("go", "Passed"), "fail": ("hold", "Failed"), "inconclusive": ("standby", "Not clear")}
_ANSWERS = {
    Answer.GOOD: ("go", "Good"),
    Answer.BAD: ("hold", "Not good"),
    Answer.UNKNOWN: ("standby", "Not known"),
    Answer.NOT_ASKED: ("off", "Not asked"),
}
_GROUPS = (
    ("newly_failing", "hold", "Newly failing", "They pass in production and fail here."),
    ("failing", "hold", "Failing", "They fail here; in production they fail too, or nothing is there to compare with."),
    ("undecided", "standby", "Nobody can say", "A grader that would decide could not run."),
    ("expected_failure", "off", "Expected failures", "Known, and accepted with a reason."),
    ("fixed", "go", "Fixed", "They fail in production and pass here."),
    ("passing", "go", "Passing", ""),
)
_ORDER = [name for name, *_ in _GROUPS]
_WRITTEN = 100  # cases whose outputs a written report holds
_ROWS = 500  # cases in one list of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One evaluation in the list."""

    id: str
    name: str
    against: str
    state: str
    word: str
    who: str
    at: str
    ago: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """The evaluations in sight, newest first."""

    person: str
    lines: tuple[RunLine, ...]
    prompt: str
    older: str
    title: str = "Evaluations"
    template: str = "evaluation/evaluations.html"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputShown:
    """What one version answered, and what its graders said."""

    pieces: tuple[Piece, ...]
    tools: tuple[str, ...]
    wrong: tuple[str, ...]
    not_run: tuple[str, ...]
    used: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairShown:
    """One sample: both answers, and whether they are the same."""

    sample: int
    before: OutputShown | None
    after: OutputShown | None
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One case with both answers side by side."""

    title: str
    person: str
    id: str
    report: str
    name: str
    against: str
    case: str
    words: str
    category: str
    state: str
    word: str
    input: str
    label: str
    expected: tuple[str, ...]
    pairs: tuple[PairShown, ...]
    previous: str
    next: str
    place: str
    template: str = "evaluation/case.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """A report in a file of its own: nothing in it is fetched from anywhere."""

    report: ReportPage
    cases: tuple[CasePage, ...]
    left_out: int


def routes(desk: Desk, doors: Doors) -> list[BaseRoute]:
    """The pages of evaluations."""
    look = declares(Verb.DESK_READ)

    def report(visit: Visit, request: Request) -> Any:
        return report_page(desk, visit.actor, request.path_params["id"])

    def case(visit: Visit, request: Request) -> Any:
        return case_page(desk, visit.actor, request.path_params["id"], request.path_params["case"])

    def written_file(visit: Visit, request: Request) -> Any:
        id = request.path_params["id"]
        return _file(written(desk, id, sight_of(desk, visit.actor)), id)

    def runs(visit: Visit, request: Request) -> Any:
        return runs_page(desk, visit.actor, dict(request.query_params))

    return [
        Route("/evaluations", look(signed_in(desk, doors, runs)), methods=["GET"]),
        Route("/evaluations/{id}", look(signed_in(desk, doors, report)), methods=["GET"]),
        Route("/evaluations/{id}/report.html", look(signed_in(desk, doors, written_file)), methods=["GET"]),
        Route("/evaluations/{id}/cases/{case}", look(signed_in(desk, doors, case)), methods=["GET"]),
    ]


def runs_page(desk: Desk, person: Actor, asked: Mapping[str, str]) -> RunsPage:
    """The list, of one prompt where one is asked for."""
    prompt, now = asked.get("prompt", ""), desk.clock()
    found = view.recent(desk, sight_of(desk, person), prompt, asked.get("before") or None)
    older = {"prompt": prompt, "before": found.next} if found.next else {}
    return RunsPage(
        person=person.name,
        lines=tuple(_run(one, now) for one in found.items),
        prompt=prompt,
        older=urlencode({name: value for name, value in older.items() if value}),
    )


def report_page(desk: Desk, person: Actor, id: str) -> ReportPage:
    """The report of one evaluation, or how far it is."""
    return shown(show(desk, id, sight_of(desk, person)), person.name)


def case_page(desk: Desk, person: Actor, id: str, case: str) -> CasePage:
    """One case of it, with the ones before and after in the order of the report."""
    seen = view.case(desk, id, case, sight_of(desk, person))
    order = in_order((seen.evaluation.report or {}).get("case_table") or ())
    return _case(seen, order, person.name)


def written(desk: Desk, id: str, sight: Sight) -> str:
    """The report as one HTML file that needs nothing else; NotFound."""
    seen = show(desk, id, sight)
    order = in_order((seen.report or {}).get("case_table") or ())
    cases = view.cases(desk, seen, order[:_WRITTEN])
    page = WrittenReport(
        report=shown(seen, ""),
        cases=tuple(_case(one, order, "") for one in cases),
        left_out=max(0, len(order) - len(cases)),
    )
    return document("evaluation/written.html", page)


def in_order(rows: Sequence[Json]) -> list[str]:
    """Ids of the cases as a report shows them: what got worse first."""
    return [row["id"] for row in sorted(rows, key=lambda row: _ORDER.index(row["state"]))]


def shown(seen: EvaluationView, person: str) -> ReportPage:
    """A report as a page."""
    line, report = seen.line, seen.report or {}
    state, word = _light(line.state, line.verdict)
    return ReportPage(
        title=f"Report of {line.prompt} {line.label}",
        person=person,
        id=line.id,
        name=f"{line.prompt} {line.label}",
        against=f"against {line.baseline_label}" if line.baseline_label else "nothing to compare with",
        state=state,
        word=word,
        why=tuple(_sentence(one) for one in report.get("why") or ()),
        standing=_standing(seen),
        questions=tuple(QuestionLine(*_ANSWERS[one.answer], one.name, one.asks, one.words) for one in six(report))
        if report.get("case_table")
        else (),
        groups=tuple(_groups(line.id, report)),
        unstable=", ".join(map(str, report.get("unstable") or ())),
        figures=_figures(report),
        comparison=tuple((report.get("statistics") or {}).get("words") or ()),
        categories=tuple(_bar(row, "category") for row in report.get("categories") or ()),
        tags=tuple(_bar(row, "tag") for row in report.get("tags") or ()),
        metrics=tuple(_metric(row) for row in report.get("metrics") or ()),
        facts=tuple(_facts(seen)),
        notes=tuple(_sentence(one) for one in report.get("notes") or ()),
        again=_again(seen),
    )


def _file(text: str, id: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="report-{id}.html"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _run(one: view.Run, now: datetime) -> RunLine:
    state, word = _light(one.state, one.verdict)
    return RunLine(
        id=one.id,
        name=f"{one.prompt} {one.label}",
        against=f"against {one.baseline}" if one.baseline else "nothing to compare with",
        state=state,
        word=word if one.verdict or one.state != "running" else f"{one.done} of {one.total}",
        who=one.actor,
        at=one.created_at,
        ago=ago(parse(one.created_at), now),
    )


def _light(state: str, verdict: str | None) -> tuple[str, str]:
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


def _groups(id: str, report: Json) -> Iterable[Group]:
    rows = report.get("case_table") or ()
    for key, state, title, hint in _GROUPS:
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
        words=tuple(words),
        samples=f"{row['sound_samples']} of {row['samples']} samples are sound" if some else "",
        href=f"/evaluations/{id}/cases/{in_path(row['id'], safe='')}",
    )


def _figures(report: Json) -> tuple[tuple[str, str, str], ...]:
    if not report.get("case_table"):
        return ()
    before = report.get("baseline") or {}
    return (
        ("Cases that pass", _percent(report.get("pass_rate")), _percent(before.get("pass_rate"))),
        ("Cost of a case", _usd(report.get("cost_per_case_usd")), _usd(before.get("cost_per_case_usd"))),
        ("Slowest of twenty (p95)", _ms(report.get("p95_ms")), _ms(before.get("p95_ms"))),
    )


def _bar(row: Json, kind: str) -> Bar:
    low, high = row.get("interval") or (None, None)
    cases = row["cases"]
    return Bar(
        name=str(row[kind]).replace("_", " "),
        words=f"{row['passed']} of {cases}" if cases else "no case",
        share=row.get("pass_rate"),
        before=row.get("baseline_pass_rate"),
        floor=row.get("floor"),
        low=low,
        high=high,
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
        yield "Production", f"{line.baseline_label} {line.baseline_digest}"
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


def _case(seen: view.CaseSeen, order: Sequence[str], person: str) -> CasePage:
    line = seen.evaluation.line
    at = order.index(seen.id) if seen.id in order else 0
    state = seen.row.get("state", "")
    light, word = next(((light, title) for key, light, title, _ in _GROUPS if key == state), ("off", "Not judged yet"))
    near = {place: order[place] for place in (at - 1, at + 1) if 0 <= place < len(order)}
    link = f"/evaluations/{line.id}/cases/"
    return CasePage(
        title=f"Case {seen.id}",
        person=person,
        id=line.id,
        report=f"/evaluations/{line.id}",
        name=line.label,
        against=line.baseline_label or "",
        case=seen.id,
        words=seen.title,
        category=seen.category.replace("_", " "),
        state=light,
        word=word,
        input=json.dumps(seen.input, ensure_ascii=False, indent=2),
        label=json.dumps(seen.label, ensure_ascii=False) if seen.label else "",
        expected=seen.expected,
        pairs=tuple(_pair(one) for one in seen.pairs),
        previous=link + in_path(near[at - 1], safe="") if at - 1 in near else "",
        next=link + in_path(near[at + 1], safe="") if at + 1 in near else "",
        place=f"{at + 1} of {len(order)}" if order else "",
    )


def _pair(pair: view.Pair) -> PairShown:
    both = pair.candidate is not None and pair.baseline is not None
    return PairShown(
        sample=pair.sample,
        before=_output(pair.baseline, pair.pieces, Part.NEW),
        after=_output(pair.candidate, pair.pieces, Part.GONE),
        same=both and all(one.part is Part.SAME for one in pair.pieces),
    )


def _output(found: Json | None, pieces: Sequence[Piece], hidden: Part) -> OutputShown | None:
    if found is None:
        return None
    own = tuple(one for one in pieces if one.part is not hidden)
    return OutputShown(
        pieces=own or _alone(found["output"]),
        tools=tuple(json.dumps(one, ensure_ascii=False) for one in found.get("tool_calls") or ()),
        wrong=tuple(f"{one['name']} ({one['severity']}): {one['message']}" for one in found.get("failed") or ()),
        not_run=tuple(f"{one['name']}: {one['message']}" for one in found.get("not_run") or ()),
        used=", ".join(
            filter(None, [str(found.get("model") or ""), _ms(found.get("latency_ms")), _usd(found.get("cost_usd"))])
        ),
    )


def _alone(text: str) -> tuple[Piece, ...]:
    return (Piece(Part.SAME, text),) if text else ()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value * 100:.1f} %"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _usd(value: float | None) -> str:
    return "not known" if value is None else f"${value:g}"


def _ms(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.0f} ms"
