"""How two versions do on the same test set, side by side; what is not known is said and never a number."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.schema import evaluation
from cuelight_server.evaluation import store
from cuelight_server.evaluation.store import Stored
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.terms import EvaluationState
from cuelight_server.prompts import store as prompts

FORMAT = frozenset({"schema", "json_only"})  # graders of the form of an output
_NEWEST = 200  # reports of one version that are looked at
_FIGURES = ("cases", "samples", "pass_rate", "cost_per_case_usd", "p95_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side: its newest report on the common test set, or None and what to do about it.

    Rates from 0 to 1, cost in USD, p95 in milliseconds; `blockers` and `format_errors` count cases; None = not known.
    """

    label: str
    digest: str
    evaluation: str | None
    at: str | None
    verdict: str | None
    recorded: bool | None
    cases: int | None
    samples: int | None
    pass_rate: float | None
    blockers: int | None
    format_errors: int | None
    categories: Mapping[str, float | None]
    cost_per_case_usd: float | None
    p95_ms: int | None
    missing: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of a prompt on the test set with this digest; None while no report stands on any."""

    prompt: str
    suite_digest: str | None
    before: Measured
    after: Measured

    def to_json(self) -> dict[str, Any]:
        """The comparison as it goes over the wire; the sides are `from` and `to`."""
        return {
            "prompt": self.prompt,
            "suite_digest": self.suite_digest,
            "from": asdict(self.before),
            "to": asdict(self.after),
        }


def compare(desk: Desk, prompt: str, before: str, after: str) -> Comparison:
    """The newest reports of two labels on the newest test set that both were run on.

    Where there is none in common, the newest set that either was run on, and the other side is not known. NotFound.
    """
    with reading(desk.registry) as sql:
        sides = [(label, _digest(sql, prompt, label)) for label in (before, after)]
        reports = [_reports(sql, prompt, digest) for _, digest in sides]
    suite = _suite(*reports)
    old, new = (
        _measured(prompt, label, digest, found.get(suite or ""))
        for (label, digest), found in zip(sides, reports, strict=True)
    )
    return Comparison(prompt=prompt, suite_digest=suite, before=old, after=new)


def _digest(sql: Connection, prompt: str, label: str) -> str:
    found = prompts.labelled(sql, prompt, label)
    if found is None:
        raise NotFound(f"{prompt} has no {label}", f"see its labels: cuelight card {prompt}")
    return found.digest


def _reports(sql: Connection, prompt: str, digest: str) -> dict[str, Stored]:
    """The newest report of this content by the digest of its test set, newest first; a run that broke has none."""
    query = select(evaluation.c.id).where(
        evaluation.c.prompt == prompt,
        evaluation.c.content_digest == digest,
        evaluation.c.state == EvaluationState.DONE.value,
    )
    found: dict[str, Stored] = {}
    for id in sql.scalars(query.order_by(evaluation.c.id.desc()).limit(_NEWEST)):
        one = store.load(sql, id)
        if one is not None and one.report is not None:
            found.setdefault(one.suite_digest, one)
    return found


def _suite(old: Mapping[str, Stored], new: Mapping[str, Stored]) -> str | None:
    newest = sorted({**old, **new}.values(), key=lambda one: one.id, reverse=True)
    both = [one.suite_digest for one in newest if one.suite_digest in old and one.suite_digest in new]
    return next(iter([*both, *(one.suite_digest for one in newest)]), None)


def _measured(prompt: str, label: str, digest: str, found: Stored | None) -> Measured:
    report: Mapping[str, Any] = (found.report if found else None) or {}
    table = report.get("case_table")
    return Measured(
        label=label,
        digest=digest,
        evaluation=found.id if found else None,
        at=found.finished_at if found else None,
        verdict=found.verdict.value if found and found.verdict else None,
        recorded=found.recorded if found else None,
        **{name: report.get(name) for name in _FIGURES},
        blockers=len(report["blockers"]) if "blockers" in report else None,
        format_errors=None if table is None else sum(map(_broken, table)),
        categories={one["category"]: one["pass_rate"] for one in report.get("categories", ())},
        missing="" if found else f"{label} has no report on this test set",
        how="" if found else f"cuelight eval {prompt}@{label}",
    )


def _broken(case: Mapping[str, Any]) -> bool:
    """Whether a grader of the form failed; graders go by `type` or `type:path` unless the test set names them."""
    return any(one["name"].partition(":")[0] in FORMAT for one in case["failed"])
