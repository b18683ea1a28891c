"""One answer of a model becomes one result: graded, priced, and written down so that a stopped run can go on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cuelight.contract.condition import holds
from cuelight_server.evaluation import standing
from cuelight_server.evaluation.costs import Used, cost_usd
from cuelight_server.evaluation.graders import Grader, Sample, grade, prepare, read
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.outside import NOTHING_OUTSIDE, Outside
from cuelight_server.evaluation.model import Case, Grade, Json, SampleResult, Severity, Standing, Suite
from cuelight_server.evaluation.outputs import seal_of
from cuelight_server.evaluation.tables import EXCERPT
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.judges import PAIRWISE
from cuelight_server.providers.port import Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that turns answers into results, compiled once for a suite: graders by case, metrics and prices."""

    graders: Mapping[str, tuple[Grader, ...]]
    metrics: tuple[Json, ...]
    prices: Json | None


def bench(suite: Suite, metrics: tuple[Json, ...], prices: Json | None, outside: Outside = NOTHING_OUTSIDE) -> Bench:
    """Compile every grader. Invalid names the case whose grader cannot be used."""
    shared = tuple(prepare(rule, suite.schema, outside) for rule in suite.graders if not compares(rule))
    graders = {case.id: (*shared, *_own(case, suite, outside)) for case in suite.cases}
    return Bench(graders=graders, metrics=metrics, prices=prices)


def compares(rule: Json) -> bool:
    """Whether a grader compares both versions and so waits until both have answered."""
    return rule["type"].removeprefix("not-") in PAIRWISE


def result(
    bench: Bench,
    case: Case,
    sample: int,
    answer: Completion,
    tools: tuple[Json, ...] = (),
    known: Mapping[str, Outcome] = {},
) -> SampleResult:
    """Grade and price one answer; `tools` are those that the version declares.

    `known` are words of judges on this answer that were kept. Invalid, with the case named, where a grader cannot come
    to an end.
    """
    used = used_by(answer)
    usd = cost_usd(bench.prices, answer.model, used)
    seen = read(
        answer.text,
        input=case.input,
        label=case.label,
        tool_calls=answer.tool_calls,
        output_tokens=answer.output_tokens,
        latency_ms=answer.latency_ms,
        cost_usd=usd,
        finish_reason=answer.finish_reason,
        tools=tools,
    )
    try:
        grades = grade(bench.graders[case.id], seen, known)
    except Invalid as bad:
        raise Invalid(f"case {case.id}: {bad.message}", bad.hint, case=case.id) from bad
    return SampleResult(
        case=case.id,
        sample=sample,
        text=answer.text,
        grades=grades,
        counts=tuple(_counts(metric, seen) for metric in bench.metrics),
        tool_calls=answer.tool_calls,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        latency_ms=answer.latency_ms,
        cost_usd=usd,
        uncached_usd=cost_usd(bench.prices, answer.model, used.uncached()),
        cached_input_tokens=answer.cached_input_tokens,
        cache_write_tokens=answer.cache_write_tokens,
        reasoning_tokens=answer.reasoning_tokens,
        model=answer.model,
        finish_reason=answer.finish_reason,
        provenance=answer.provenance,
        threshold=case.threshold,
    )


def used_by(answer: Completion) -> Used:
    """The tokens of an answer."""
    return Used(
        input=answer.input_tokens,
        output=answer.output_tokens,
        cached=answer.cached_input_tokens,
        written=answer.cache_write_tokens,
        reasoning=answer.reasoning_tokens,
    )


def no_output(bench: Bench, case: Case, sample: int, error: str) -> SampleResult:
    """The result of an output that could not be had: undecided, and nothing of it is known."""
    word = Grade("output", Severity.BLOCKER, passed=False, not_run=error)
    return SampleResult(
        case=case.id,
        sample=sample,
        text="",
        grades=(word,),
        counts=tuple((False, False) for _ in bench.metrics),
        tool_calls=(),
        input_tokens=None,
        output_tokens=None,
        latency_ms=None,
        cost_usd=None,
        model="",
        finish_reason="",
        provenance="",
        error=error,
    )


def slim(one: SampleResult) -> SampleResult:
    """The result without most of its text, so that a long run fits in memory: a seal of the output stands in."""
    shown = "" if all(grade.passed for grade in one.grades) else one.text[: EXCERPT + 1]
    return replace(one, seal=seal_of(one), text=shown, tool_calls=(), provenance="")


def passed(one: SampleResult) -> bool:
    """Whether the output is sound; one that nobody can judge is not."""
    return standing.whole(one) is Standing.SOUND


def to_json(one: SampleResult) -> dict[str, Any]:
    """The result as it is kept: the answer, what it cost, and every grader that had a word on it."""
    tokens = ("cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
    return {
        **({"error": one.error} if one.error else {}),
        **{name: getattr(one, name) for name in tokens if getattr(one, name) is not None},
        "output": one.text,
        "tool_calls": list(one.tool_calls),
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "latency_ms": one.latency_ms,
        "cost_usd": one.cost_usd,
        "model": one.model,
        "finish_reason": one.finish_reason,
        "provenance": one.provenance,
        "passed": [grade.name for grade in one.grades if grade.passed],
        "failed": [
            {"name": grade.name, "severity": grade.severity.value, "message": grade.message}
            for grade in one.grades
            if not (grade.passed or grade.not_run)
        ],
        "not_run": [
            {"name": grade.name, "severity": grade.severity.value, "message": grade.not_run}
            for grade in one.grades
            if grade.not_run
        ],
        "scores": {grade.name: grade.score for grade in one.grades if grade.score is not None},
        **_judged(one),
    }


def answer_of(document: Json) -> Completion:
    """The answer in a kept result, to be graded again: a run that goes on asks no model twice."""
    return Completion(
        text=document["output"],
        tool_calls=tuple(document["tool_calls"]),
        input_tokens=document["input_tokens"],
        output_tokens=document["output_tokens"],
        cached_input_tokens=document.get("cached_input_tokens"),
        cache_write_tokens=document.get("cache_write_tokens"),
        reasoning_tokens=document.get("reasoning_tokens"),
        latency_ms=document["latency_ms"],
        model=document["model"],
        finish_reason=document["finish_reason"],
        provenance=document["provenance"],
    )


def with_grades(document: Json, more: Sequence[Grade]) -> dict[str, Any]:
    """A kept result with further grades of the same output, in the shape of `to_json`."""
    return {
        **document,
        "passed": [*document["passed"], *(one.name for one in more if one.passed)],
        "failed": [*document["failed"], *(_told(one, one.message) for one in more if not (one.passed or one.not_run))],
        "not_run": [*document["not_run"], *(_told(one, one.not_run) for one in more if one.not_run)],
        "scores": {**document["scores"], **{one.name: one.score for one in more if one.score is not None}},
        "judged": [*document.get("judged", ()), *({**one.said, "name": one.name} for one in more if one.said)],
    }


def _told(one: Grade, words: str) -> dict[str, Any]:
    return {"name": one.name, "severity": one.severity.value, "message": words}


def words_of(document: Json) -> dict[str, Outcome]:
    """What judges said in a kept result, by grader: a run that goes on asks no judge twice.

    Of two graders with one name nobody can tell whose word it was: both are asked again.
    """
    failed = {one["name"]: one["message"] for one in document["failed"]}
    names = Counter([*document["passed"], *(one["name"] for one in (*document["failed"], *document["not_run"]))])
    return {
        one["name"]: Outcome(
            one["name"] in document["passed"],
            failed.get(one["name"], ""),
            document["scores"].get(one["name"]),
            said=one,
        )
        for one in document.get("judged", ())
        if names[one["name"]] == 1 and (one["name"] in failed or one["name"] in document["passed"])
    }


def _judged(one: SampleResult) -> dict[str, Any]:
    """What judges said, where one was asked."""
    said = [{**grade.said, "name": grade.name} for grade in one.grades if grade.said is not None]
    return {"judged": said} if said else {}


def _own(case: Case, suite: Suite, outside: Outside) -> tuple[Grader, ...]:
    try:
        return tuple(prepare(rule, suite.schema, outside) for rule in case.graders if not compares(rule))
    except Invalid as bad:
        raise Invalid(f"case {case.id}: {bad.message}", bad.hint, case=case.id) from bad


def _counts(metric: Json, seen: Sample) -> tuple[bool, bool]:
    if "declared_only" in metric:
        return False, False
    looked = "of" not in metric or holds(metric["of"], seen.document)
    return looked, looked and holds(metric["share"], seen.document)
