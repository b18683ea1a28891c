"""Ending a run early: only when the verdict cannot become a pass any more, at the error rate that was set."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cuelight_server.evaluation.model import ArmResult, Case, CaseResult, Finding, Json
from cuelight_server.evaluation.statistics import words
from cuelight_server.evaluation.statistics.comparing import ENOUGH_SAMPLES, compare
from cuelight_server.evaluation.statistics.pairs import pairs
from cuelight_server.evaluation.statistics.regressions import at_once
from cuelight_server.evaluation.statistics.settings import settings
from cuelight_server.evaluation.strictness import with_defaults
from cuelight_server.kernel.statistics.planning import LOOKS

_HAIR = 1e-9


def in_order(cases: Sequence[Case], seed: str) -> list[Case]:
    """The cases in an order that the seed decides and no author: what came first stands for what is to come."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{seed}\n{case.id}".encode()).digest())


def certain(
    gate: Json, suite: Sequence[Case], candidate: ArmResult, baseline: ArmResult | None, excuses: Mapping[str, str]
) -> str:
    """Why the run need not go on; empty where it must, and always where the gate does not say `stop_early`.

    `suite` are all cases, the arms hold those that are answered whole in both, in the order in which they were asked
    (`in_order`). A pass is never certain before the end: one case that is left may still break a rule.
    """
    if not settings(gate).stop_early:
        return ""
    whole = with_defaults(gate)
    ways = (*_hard(whole, suite, candidate, excuses), *_against(whole, suite, candidate, baseline))
    return next((f"{why} after {len(candidate.cases)} of {len(suite)} cases" for why in ways), "")


def _hard(gate: Json, suite: Sequence[Case], candidate: ArmResult, excuses: Mapping[str, str]) -> Iterator[str]:
    blocked = [one for one in candidate.cases if one.blockers and one.case.id not in excuses]
    if len(blocked) > gate["blocker_failures_max"]:
        yield f"a blocker has failed ({blocked[0].blockers[0]} in {blocked[0].case.id})"
    if _lost(candidate.cases, len(suite), gate.get("min_pass_rate", 0.0)):
        yield f"the pass rate cannot reach {gate['min_pass_rate']:.2f} any more"
    for kind, name in (("category", "min_pass_rate_by_category"), ("tag", "min_pass_rate_by_tag")):
        sizes = Counter(one for case in suite for one in _names(kind, case))
        for part, least in gate.get(name, {}).items():
            members = [one for one in candidate.cases if part in _names(kind, one.case)]
            if _lost(members, sizes[part], least):
                yield f"{kind} {part} cannot reach {least:.2f} any more"


def _against(gate: Json, suite: Sequence[Case], candidate: ArmResult, baseline: ArmResult | None) -> Iterator[str]:
    if baseline is None or baseline.digest == candidate.digest:
        return
    lost = at_once(candidate, baseline)
    if len(lost) > gate["newly_failing_max"]:
        yield f"{len(lost)} newly failing ({lost[0]})"
    how, found = settings(gate), pairs(candidate, baseline)
    look = len(candidate.cases) * LOOKS // len(suite) if suite else 0
    if 0 < look < LOOKS:
        shown = compare(found[: -(-len(suite) * look // LOOKS)], how, look)
        if shown.finding is Finding.HARM and (how.required or shown.samples >= ENOUGH_SAMPLES):
            yield f"{words.of_comparison(shown)}, at look {look} of {LOOKS}"


def _lost(cases: Sequence[CaseResult], all_of_them: int, least: float) -> bool:
    failed = sum(one.fails for one in cases)
    return failed > 0 and (all_of_them - failed) / all_of_them < least - _HAIR


def _names(kind: str, case: Case) -> tuple[str, ...]:
    return (case.category.value,) if kind == "category" else case.tags
