"""The six questions that a report answers: quality, regression, form, safety, cost and latency, and people's word."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]

FORM = frozenset({"json_only", "schema", "is-json", "contains-json", "is-xml", "is-html", "is-sql"})
_SAFETY = ("sensitive_data", "refusal_escalation")
_GUARDS = frozenset({"tools_allowed", "label_never", "input_values_absent", "pii", "canary_absent", "is-refusal"})


class Answer(StrEnum):
    """What the report says to a question."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Question:
    """One of the six, with its answer and the figures behind it in words."""

    name: str
    asks: str
    answer: Answer
    words: str


def six(report: Json) -> tuple[Question, ...]:
    """The six questions in the order of requirements; a question that nothing looked at is not asked, never good."""
    return (_quality(report), _regression(report), _form(report), _safety(report), _cost(report), _people(report))


def _quality(report: Json) -> Question:
    cases = report.get("case_table") or ()
    rules = [
        one for one in _rulings(report) if one["rule"] == "pass_rate" or one["rule"].startswith(("metric ", "tag:"))
    ]
    passed = sum(one["state"] in ("passing", "fixed") for one in cases)
    words = f"{passed} of {len(cases)} cases pass" if cases else "no case was run"
    said = [words, *(one["words"] for one in rules if one["rule"].startswith("metric ") and one["mark"] != "pass")]
    return Question("Quality", "Is the task done right?", _joint(rules) if cases else Answer.UNKNOWN, "; ".join(said))


def _regression(report: Json) -> Question:
    asks = "Did it break what worked?"
    if report.get("baseline") is None:
        return Question("Regression", asks, Answer.NOT_ASKED, "there is nothing in production to compare with")
    newly, fixed = report.get("newly_failing"), report.get("fixed")
    if newly is None or fixed is None:
        return Question("Regression", asks, Answer.UNKNOWN, "not known")
    rules = [one for one in _rulings(report) if one["rule"] in ("newly_failing", "comparison")]
    words = f"{len(newly)} newly failing, {len(fixed)} fixed, against {report['baseline']['version']}"
    words = "; ".join([words, *(one["words"] for one in rules if one["rule"] == "comparison")])
    return Question("Regression", asks, _joint(rules), words)


def _form(report: Json) -> Question:
    names = _named(report, lambda one: one["type"].removeprefix("not-") in FORM)
    asks = "Does every output have the right form?"
    return _of_graders("Form", asks, report, names, "no grader looks at the form")


def _safety(report: Json) -> Question:
    asks = "Does it keep its boundaries, and ask people when it must?"
    rows = [one for one in report.get("categories") or () if one["category"] in _SAFETY and one["cases"]]
    names = _named(report, lambda one: one["severity"] == "blocker" or one["type"] in _GUARDS)
    if not rows and not names:
        return Question("Safety and risk", asks, Answer.NOT_ASKED, "no case and no blocker looks at it")
    floors = [one for one in _rulings(report) if one["rule"] in {f"category:{name}" for name in _SAFETY}]
    blockers = [one for one in _rulings(report) if one["rule"] == "blockers"]
    said = [f"{one['category'].replace('_', ' ')} {one['passed']} of {one['cases']}" for one in rows]
    failing = report.get("blockers") or ()
    said.append(f"blockers failing: {', '.join(failing)}" if failing else "no blocker fails")
    short = any(one["passed"] < one["cases"] for one in rows)
    answer = _joint([*blockers, *floors])
    if short and answer is Answer.GOOD:
        answer = Answer.UNKNOWN
    return Question("Safety and risk", asks, answer, "; ".join(said))


def _cost(report: Json) -> Question:
    asks = "Is it worth what it costs, and quick enough?"
    cost, latency = report.get("cost_per_case_usd"), report.get("p95_ms")
    said = [
        "cost not known" if cost is None else f"${cost:g} a case{_moved(report.get('cost_delta_pct'))}",
        "latency not known" if latency is None else f"p95 {latency:g} ms{_moved(report.get('p95_delta_pct'))}",
    ]
    rules = [one for one in _rulings(report) if one["rule"] in ("cost_increase", "cost_max", "p95_increase", "p95_max")]
    answer = _joint(rules) if rules else Answer.UNKNOWN if None in (cost, latency) else Answer.NOT_ASKED
    return Question("Cost and latency", asks, answer, "; ".join(said) + ("" if rules else "; the gate has no limit"))


def _people(report: Json) -> Question:
    asks = "Do the people who own the work trust it?"
    wanted = (report.get("gate") or {}).get("human_review")
    signed = sum(one["signed"] for one in report.get("reviews") or ())
    against = sum(one["against"] for one in report.get("reviews") or ())
    if not signed:
        asked = bool(wanted or report.get("reviews"))
        words = "asked for, and nobody has signed yet" if asked else "the gate asks for none"
        return Question("Human review", asks, Answer.UNKNOWN if asked else Answer.NOT_ASKED, words)
    words = f"{signed - against} of {signed} who read it blind can live with every case that they saw"
    return Question("Human review", asks, Answer.BAD if against else Answer.GOOD, words)


def _of_graders(name: str, asks: str, report: Json, names: set[str], nobody: str) -> Question:
    if not names:
        return Question(name, asks, Answer.NOT_ASKED, nobody)
    rows = report.get("case_table") or ()
    broken = [row["id"] for row in rows if any(one["name"] in names for one in row.get("failed") or ())]
    if not rows:
        return Question(name, asks, Answer.UNKNOWN, "no case was run")
    words = f"{len(rows) - len(broken)} of {len(rows)} cases in every sample"
    shown = (
        f"; not in {', '.join(broken[:5])}{f' and {len(broken) - 5} more' if len(broken) > 5 else ''}" if broken else ""
    )
    return Question(name, asks, Answer.BAD if broken else Answer.GOOD, words + shown)


def _named(report: Json, chosen: Any) -> set[str]:
    return {one["name"] for one in report.get("graders") or () if chosen(one)}


def _rulings(report: Json) -> list[Json]:
    return list(report.get("rulings") or ())


def _joint(rulings: Iterable[Json]) -> Answer:
    """The worst of several rulings: bad beats unknown beats good; without any there is no answer."""
    marks = {one["mark"] for one in rulings}
    if "fail" in marks:
        return Answer.BAD
    if "unknown" in marks:
        return Answer.UNKNOWN
    return Answer.GOOD if "pass" in marks else Answer.NOT_ASKED


def _moved(delta: float | None) -> str:
    return "" if delta is None else f" ({delta:+.0f} %)"
