"""Cases that nobody can judge: the verdict is never a pass, and a certain failure stays one."""

from dataclasses import replace

import pytest

from cuelight_server.evaluation.gate import decide
from cuelight_server.evaluation.model import Facts
from cuelight_server.kernel.verdict import Verdict

GATE = {"min_pass_rate": 0.9, "min_pass_rate_by_category": {"edge": 1.0}, "newly_failing_max": 0}
GOOD = Facts(
    cases=20,
    passed=19,
    blocked_cases=0,
    blockers=(),
    categories={"edge": (4, 4), "normal": (15, 16)},
    tags={},
    has_baseline=True,
    newly_failing=0,
    cost_usd=0.005,
    baseline_cost_usd=0.005,
    p95_ms=1000.0,
    baseline_p95_ms=1000.0,
)
OPEN = {"A": "kind_words: no judge is set", "B": "kind_words: no judge is set"}


@pytest.mark.parametrize(
    ("facts", "verdict", "why"),
    [
        ({"undecided": OPEN}, Verdict.INCONCLUSIVE, "2 cases are undecided (A, B): kind_words: no judge is set"),
        ({"undecided": OPEN, "passed": 17}, Verdict.INCONCLUSIVE, "pass rate 0.85 with 2 cases undecided"),
        ({"undecided": OPEN, "passed": 15}, Verdict.FAIL, "pass rate 0.75"),
        ({"undecided": OPEN, "blocked_cases": 1, "blockers": ("x",)}, Verdict.FAIL, "1 blocker grader failing"),
        (
            {"undecided": OPEN, "undecided_in": {"edge": 1}, "categories": {"edge": (3, 4), "normal": (15, 16)}},
            Verdict.INCONCLUSIVE,
            "category edge at 0.75 with 1 case undecided",
        ),
        (
            {"perhaps_newly_failing": 1},
            Verdict.INCONCLUSIVE,
            "0 newly failing, and nobody can say of 1 more whether production passes",
        ),
    ],
)
def test_cases_that_nobody_can_judge_are_never_a_pass(facts, verdict, why):
    decision = decide(GATE, replace(GOOD, **facts))
    assert decision.verdict is verdict
    assert why in decision.why
