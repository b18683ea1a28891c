"""What one can see of evaluations: how far they are, how they ended, and every output with its grades."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.evaluation import store
from cuelight_server.evaluation.store import Stored
from cuelight_server.kernel.errors import Invalid, NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.views.reviews import of_evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationLine:
    """One evaluation without its report; times are RFC 3339. `recorded` says that no model was asked.

    `spend` is what it has cost so far: calls, cached (by arm), retried, errors, usd, seconds. `left_s` is about how many
    seconds it goes on, None where nobody can say.
    """

    id: str
    prompt: str
    label: str
    content_digest: str
    baseline_label: str | None
    baseline_digest: str | None
    suite_digest: str
    provider: str
    recorded: bool
    state: str
    done: int
    total: int
    verdict: str | None
    why: tuple[str, ...]
    evidence_digest: str | None
    actor: str
    created_at: str
    finished_at: str | None
    plan: dict[str, Any]
    spend: dict[str, Any]
    left_s: float | None
    cancelled_by: str | None

    def to_json(self) -> dict[str, Any]:
        """The line as it goes over the wire."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationView:
    """One evaluation with its report, which is None until it has ended."""

    line: EvaluationLine
    report: dict[str, Any] | None
    reviews: tuple[dict[str, Any], ...] = ()  # beside the report: evidence is not what people said later

    def to_json(self) -> dict[str, Any]:
        """The evaluation as it goes over the wire: the line's fields, `report` and `reviews`."""
        return {**self.line.to_json(), "report": self.report, "reviews": list(self.reviews)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """One output: `document` has the text, tool calls, what it used, and the names and words of its graders."""

    arm: str
    case: str
    sample: int
    passed: bool
    document: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The output as it goes over the wire."""
        return asdict(self)


def show(desk: Desk, id: str, sight: Sight = EVERYTHING) -> EvaluationView:
    """One evaluation; NotFound."""
    with reading(desk.registry) as sql:
        found = _seen(store.load(sql, id), id, sight)
        read = of_evaluation(sql, found.prompt, found.content_digest, id)
    return EvaluationView(line=_line(found), report=found.report, reviews=tuple(read))


def listing(desk: Desk, prompt: str, after: str | None = None, size: int = DEFAULT_SIZE) -> Page[EvaluationLine]:
    """The evaluations of one prompt, newest first; `after` is the cursor of the page before."""
    with reading(desk.registry) as sql:
        found = store.newest(sql, prompt, after, size)
    return Page(tuple(map(_line, found.items)), found.next)


def results(
    desk: Desk, id: str, after: str | None = None, size: int = DEFAULT_SIZE, sight: Sight = EVERYTHING
) -> Page[ResultLine]:
    """Outputs of one evaluation by arm, case and sample; NotFound, Invalid for a cursor that is none."""
    with reading(desk.registry) as sql:
        _seen(store.load(sql, id), id, sight)
        found = store.results(sql, id, _cursor(after), size)
    lines = [ResultLine(**{name: getattr(one, name) for name in one.__slots__}) for one in found.items]
    return Page(tuple(lines), found.next)


def _seen(found: Stored | None, id: str, sight: Sight) -> Stored:
    if found is None or not sight.sees(found.prompt):
        raise NotFound(f"there is no evaluation {id}", "list them: GET /api/v1/evaluations?prompt=")
    return found


def _cursor(after: str | None) -> tuple[str, str, int] | None:
    if after is None:
        return None
    arm, _, rest = after.partition("/")
    sample, _, case = rest.partition("/")
    if not (case and sample.isascii() and sample.isdigit()):
        raise Invalid(f"{after!r} is no cursor", "take `next` of the page before")
    return arm, case, int(sample)


def _left_s(one: Stored, spend: dict[str, Any]) -> float | None:
    """As long for what is left as for what is done."""
    if one.state is not EvaluationState.RUNNING or not one.done or not spend.get("seconds"):
        return None
    return round(float(spend["seconds"]) / one.done * max(0, one.total - one.done), 1)


def _line(one: Stored) -> EvaluationLine:
    spend = json.loads(one.spend) if one.spend else {}
    return EvaluationLine(
        plan=json.loads(one.plan) if one.plan else {},
        spend=spend,
        left_s=_left_s(one, spend),
        cancelled_by=one.cancelled_by,
        id=one.id,
        prompt=one.prompt,
        label=one.label,
        content_digest=one.content_digest,
        baseline_label=one.baseline_label,
        baseline_digest=one.baseline_digest,
        suite_digest=one.suite_digest,
        provider=one.provider,
        recorded=one.recorded,
        state=one.state.value,
        done=one.done,
        total=one.total,
        verdict=one.verdict.value if one.verdict else None,
        why=tuple(one.report["why"]) if one.report else (),
        evidence_digest=one.evidence_digest,
        actor=one.actor,
        created_at=one.created_at,
        finished_at=one.finished_at,
    )
