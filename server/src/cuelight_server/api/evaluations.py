"""Evaluations over HTTP: ask for one, watch it, read its report and every output."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.api.auth import Caller, DeskDep, Limit, Seen, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import evaluation
from cuelight_server.control.evaluation import MAX_AGE_DAYS, Plan
from cuelight_server.evaluation.written.junit import junit
from cuelight_server.evaluation.written.markdown import markdown
from cuelight_server.kernel.errors import Conflict
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.views import comparison
from cuelight_server.views import evaluation as view
from cuelight_server.views import report as written_view

Form = Literal["markdown", "junit", "html"]
router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)


_PLAN = ("repeat", "max_usd", "max_calls", "max_seconds", "cache", "max_age_days")


class EvaluationAsked(BaseModel):
    """An evaluation of a version or draft; `baseline` is a label, or what production serves.

    `repeat` is how often each case is asked; `max_usd`, `max_calls` and `max_seconds` end the run before they are crossed.
    With `cache`, answers to the same words that are at most `max_age_days` old stand in.
    """

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(max_length=161)
    label: str = Field(max_length=40)
    provider: Literal["recorded", "openai", "responses", "anthropic", "http", "command"] = "recorded"
    baseline: str = Field(default="production", max_length=40)
    repeat: int | None = None
    max_usd: float | None = None
    max_calls: int | None = None
    max_seconds: float | None = None
    cache: bool = True
    max_age_days: float = MAX_AGE_DAYS


@router.post("/evaluations", openapi_extra=verb(Verb.EVALUATION_RUN))
def start(asked: EvaluationAsked, request: Request, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Ask for an evaluation; it runs in the background."""
    id = evaluation.start(desk, actor, asked.prompt, asked.label, asked.provider, asked.baseline, _plan(asked))
    wake = getattr(request.app.state, "wake", None)
    if wake is not None:
        wake()
    return {"id": id}


def _plan(asked: EvaluationAsked) -> Plan:
    return Plan(**{name: getattr(asked, name) for name in _PLAN})


@router.get("/evaluations", openapi_extra=_READ)
def listing(
    desk: DeskDep, _actor: Caller, sight: Seen, prompt: str, before: str | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """The evaluations of one prompt, newest first, from below the id `before`."""
    sight.enter(prompt)
    found = view.listing(desk, prompt, before, limit)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.get("/evaluations/{id}", openapi_extra=_READ)
def show(id: str, desk: DeskDep, _actor: Caller, sight: Seen) -> dict[str, Any]:
    """One evaluation: state, done of total, and the report once there is one."""
    return view.show(desk, id, sight).to_json()


@router.post("/evaluations/{id}/cancel", openapi_extra=verb(Verb.EVALUATION_CANCEL))
def cancel(id: str, request: Request, desk: DeskDep, actor: Caller, sight: Seen) -> dict[str, Any]:
    """End an evaluation before it is done; what was answered is kept, and it is inconclusive."""
    view.show(desk, id, sight)
    evaluation.cancel(desk, actor, id)
    wake = getattr(request.app.state, "wake", None)
    if wake is not None:
        wake()
    return view.show(desk, id, sight).line.to_json()


@router.get("/evaluations/{id}/results", openapi_extra=_READ)
def results(
    id: str, desk: DeskDep, _actor: Caller, sight: Seen, after: str | None = None, limit: Limit = DEFAULT_SIZE
) -> dict[str, Any]:
    """Outputs with their grades, by arm, case and sample."""
    found = view.results(desk, id, after, limit, sight)
    return {"items": [one.to_json() for one in found.items], "next": found.next}


@router.get("/evaluations/{id}/cases/{case}", openapi_extra=_READ)
def case(id: str, case: str, desk: DeskDep, _actor: Caller, sight: Seen) -> dict[str, Any]:
    """One case with its input and every output of both versions, word by word beside each other."""
    return written_view.case(desk, id, case, sight).to_json()


@router.get("/evaluations/{id}/report", openapi_extra=_READ)
def written(
    id: str, request: Request, desk: DeskDep, _actor: Caller, sight: Seen, form: Form = "markdown"
) -> dict[str, str]:
    """The report as one text: Markdown for a pull request, JUnit XML for a pipeline, an HTML file for people."""
    seen = view.show(desk, id, sight)
    if seen.report is None:
        raise Conflict("this evaluation has not ended, so there is no report", "ask again once it has")
    if form == "html":
        return {"form": form, "text": request.app.state.written_report(desk, id, sight)}
    report = {**seen.report, "reviews": seen.reviews}
    return {"form": form, "text": markdown(report) if form == "markdown" else junit(report)}


@router.get("/compare", openapi_extra=_READ)
def compare(
    desk: DeskDep,
    _actor: Caller,
    sight: Seen,
    prompt: str,
    before: Annotated[str, Query(alias="from", max_length=40)],
    after: Annotated[str, Query(alias="to", max_length=40)],
) -> dict[str, Any]:
    """How two versions did on the same test set, side by side; null is not known."""
    sight.enter(prompt)
    return comparison.compare(desk, prompt, before, after).to_json()
