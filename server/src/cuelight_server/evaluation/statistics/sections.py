"""Parts of a suite and metrics of a gate: each with its interval, and corrected where many are looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from cuelight_server.evaluation.model import ArmResult, CaseResult, Finding, Json, MetricChange
from cuelight_server.evaluation.scoring import counted
from cuelight_server.evaluation.statistics.pairs import Pair
from cuelight_server.evaluation.statistics.settings import Settings
from cuelight_server.kernel.statistics.multiple import holm
from cuelight_server.kernel.statistics.paired import Paired, paired
from cuelight_server.kernel.statistics.proportions import mcnemar, wilson

Row = dict[str, Any]


def parts(kind: str, candidate: ArmResult, found: Sequence[Pair], how: Settings) -> list[Row]:
    """Each category or tag: how many pass, the interval of that, and whether it fell (Holm over all of the kind).

    Exploratory: what a part must reach is said by a floor, and nothing here decides.
    """
    names = {one.case.id: _names(kind, one) for one in candidate.cases}
    now = counted((name, one.passed) for one in candidate.cases for name in names[one.case.id])
    ps = [_worse([one for one in found if name in names[one.case]], how) for name in now]
    rows = []
    for (name, (passed, cases)), p in zip(now.items(), holm(ps), strict=True):
        within = wilson(passed, cases)
        row: Row = {"kind": kind, "name": name, "cases": cases, "passed": passed}
        row |= {"lower": round(within.lower, 4), "upper": round(within.upper, 4)}
        rows.append(row | {"p_fell": round(p, 6), "fell": bool(found) and p <= how.alpha})
    return rows


def changes(candidate: ArmResult, baseline: ArmResult, gate: Json, how: Settings) -> dict[str, MetricChange]:
    """Id -> change of each metric with a direction: a `min` wants it high, a `max` low."""
    made = {}
    for place, metric in enumerate(gate.get("metrics", ())):
        if ("min" in metric) != ("max" in metric):
            moved = _moved(place, candidate, baseline, 1 if "min" in metric else -1)
            made[metric["id"]] = _change(metric, moved, how)
    return made


def improvements(p_better: float, metrics: Mapping[str, MetricChange], how: Settings) -> list[Row]:
    """What may be called better: the pass share and each metric, corrected for looking at all of them (Holm)."""
    ps = {"pass share": p_better, **{f"metric {name}": one.p_better for name, one in metrics.items()}}
    return [
        {"what": what, "p": round(p, 6), "shown": p <= how.alpha}
        for what, p in zip(ps, holm(list(ps.values())), strict=True)
    ]


def p_better(found: Sequence[Pair], how: Settings) -> float:
    """The one-sided p of more samples passing here than in production."""
    return _worse([Pair(one.case, one.cluster, one.before, one.passed, one.of) for one in found], how)


def _worse(found: Sequence[Pair], how: Settings) -> float:
    mean = paired([one.difference for one in found], [one.cluster or at for at, one in enumerate(found)])
    if all(one.of == 1 for one in found) and mean.clusters == mean.n:
        signs = [one.difference for one in found]
        return mcnemar(sum(one < 0 for one in signs), sum(one > 0 for one in signs), exact=how.strict)
    return 1.0 if mean.upper(how.confidence) >= 0 else mean.p_below()


def _names(kind: str, one: CaseResult) -> tuple[str, ...]:
    return (one.case.category.value,) if kind == "category" else one.case.tags


def _moved(place: int, candidate: ArmResult, baseline: ArmResult, sign: int) -> Paired:
    before = {one.case.id: _counted(one, place) for one in baseline.cases}
    values, clusters = [], []
    for at, one in enumerate(candidate.cases):
        now, was = _counted(one, place), before.get(one.case.id)
        if now is not None and was is not None:
            values.append(sign * (now - was))
            clusters.append(one.case.cluster or at)
    return paired(values, clusters)


def _counted(one: CaseResult, place: int) -> float | None:
    """The share of the outputs looked at that count; None where none is looked at."""
    looked = [counts for seen, counts in (sample.counts[place] for sample in one.samples) if seen]
    return sum(looked) / len(looked) if looked else None


def _change(metric: Json, moved: Paired, how: Settings) -> MetricChange:
    within = moved.interval(how.confidence)
    finding = None
    if "margin" in metric:
        finding = Finding.OPEN
        if moved.clusters >= 2 and within.lower > -metric["margin"]:
            finding = Finding.NOT_WORSE
        elif within.upper < 0:
            finding = Finding.HARM
    return MetricChange(
        id=metric["id"],
        cases=moved.n,
        better=moved.mean,
        lower=max(-1.0, within.lower),
        upper=min(1.0, within.upper),
        p_better=1.0 if within.lower <= 0 else _p_above(moved),
        finding=finding,
    )


def _p_above(moved: Paired) -> float:
    return Paired(-moved.mean, moved.error, moved.n, moved.clusters).p_below()
