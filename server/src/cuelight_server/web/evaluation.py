"""The pages of evaluations: what was run, what a report says with what got worse first, and two outputs side by side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from cuelight_server.evaluation.written.beside import Part, Piece, readable
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.sight import Sight
from cuelight_server.views import report as view
from cuelight_server.views.evaluation import show
from cuelight_server.views.sight import sight_of
from cuelight_server.web.doors import Doors
from cuelight_server.web.frame import signed_in
from cuelight_server.web.render import document
from cuelight_server.web.report import GROUPS, ReportPage, in_order, light, ms, shown, usd
from cuelight_server.web.words import ago

Json = Mapping[str, Any]
_WRITTEN = 100  # cases whose outputs a written report holds


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


def _file(text: str, id: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="report-{id}.html"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _run(one: view.Run, now: datetime) -> RunLine:
    state, word = light(one.state, one.verdict)
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


def _case(seen: view.CaseSeen, order: Sequence[str], person: str) -> CasePage:
    line = seen.evaluation.line
    at = order.index(seen.id) if seen.id in order else 0
    state = seen.row.get("state", "")
    lamp, word = next(((lamp, title) for key, lamp, title, _ in GROUPS if key == state), ("off", "Not judged yet"))
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
        state=lamp,
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
            filter(None, [str(found.get("model") or ""), ms(found.get("latency_ms")), usd(found.get("cost_usd"))])
        ),
    )


def _alone(text: str) -> tuple[Piece, ...]:
    return (Piece(Part.SAME, readable(text)),) if text else ()
