"""The gate: what fails, what is not known, what passes, and that nothing worse ever passes where better did not."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.evaluation.gate import decide, increase_pct
from cuelight_server.evaluation.model import Facts, Mark, MetricFact
from cuelight_server.evaluation.strictness import majors_needed, stricter
from cuelight_server.kernel.verdict import Verdict

GATE = {
    "min_cases": 10,
    "blocker_failures_max": 0,
    "min_pass_rate": 0.9,
    "min_pass_rate_by_category": {"edge": 1.0},
    "min_pass_rate_by_tag": {"night": 0.5},
    "newly_failing_max": 0,
    "cost": {"mean_increase_max_pct": 10, "mean_max_usd": 0.01},
    "latency": {"p95_increase_max_pct": 15, "p95_max_ms": 2000},
    "metrics": [{"id": "precision", "share": {}, "min": 0.9, "max": 0.99, "max_shift": 0.1}],
}
GOOD = Facts(
    cases=20,
    passed=19,
    blocked_cases=0,
    blockers=(),
    categories={"edge": (4, 4), "normal": (15, 16)},
    tags={"night": (1, 2)},
    has_baseline=True,
    newly_failing=0,
    cost_usd=0.005,
    baseline_cost_usd=0.005,
    p95_ms=1000.0,
    baseline_p95_ms=1000.0,
    metrics=(MetricFact(id="precision", value=0.95, baseline=0.95),),
)


def metric(**facts):
    return (replace(GOOD.metrics[0], **facts),)


def test_what_keeps_every_rule_passes_without_a_reason():
    decision = decide(GATE, GOOD)
    assert (decision.verdict, decision.why, decision.notes) == (Verdict.PASS, (), ())
    assert len(decision.rulings) == 12


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({"blocked_cases": 1, "blockers": ("schema",)}, "1 blocker grader failing"),
        ({"blocked_cases": 3, "blockers": ("schema", "json_only")}, "2 blocker graders failing"),
        ({"passed": 17}, "pass rate 0.85"),
        ({"newly_failing": 2}, "2 newly failing"),
        ({"cost_usd": 0.0055001}, "cost +10%"),
        ({"p95_ms": 1186.0}, "p95 +19%"),
        ({"cost_usd": 0.02, "baseline_cost_usd": 0.02}, "cost $0.02000 a case, at most $0.01000 a case"),
        ({"p95_ms": 2001.0, "baseline_p95_ms": 2001.0}, "p95 2001 ms, at most 2000 ms"),
        ({"categories": {"edge": (3, 4)}}, "category edge at 0.75, at least 1.00"),
        ({"tags": {"night": (0, 2)}}, "tag night at 0.00, at least 0.50"),
        ({"metrics": metric(value=0.89, baseline=0.89)}, "metric precision at 0.890, at least 0.900"),
        ({"metrics": metric(value=1.0, baseline=1.0)}, "metric precision at 1.000, at most 0.990"),
        ({"metrics": metric(value=0.95, baseline=0.8)}, "metric precision moved by +0.150, at most 0.100"),
        ({"baseline_cost_usd": 0.0}, "cost up from 0"),
    ],
)
def test_a_broken_rule_fails_and_says_which(worse, why):
    decision = decide(GATE, replace(GOOD, **worse))
    assert (decision.verdict, decision.why) == (Verdict.FAIL, (why,))


UNKNOWN = [
    ({"cases": 9, "passed": 9}, "9 cases, at least 10 are needed"),
    ({"newly_failing": None}, "regressions are not known"),
    ({"cost_usd": None}, "the candidate's cost is not known"),
    ({"cost_usd": math.nan}, "the candidate's cost is not known"),
    ({"baseline_cost_usd": None}, "the baseline's cost is not known"),
    ({"p95_ms": None}, "the candidate's p95 is not known"),
    ({"p95_ms": math.inf}, "the candidate's p95 is not known"),
    ({"baseline_p95_ms": math.nan}, "the baseline's p95 is not known"),
    ({"categories": {}}, "no case of category edge, which has a floor"),
    ({"tags": {}}, "no case of tag night, which has a floor"),
    ({"metrics": metric(value=None)}, "metric precision has nothing to count"),
    ({"metrics": metric(value=math.nan)}, "metric precision has nothing to count"),
    ({"metrics": metric(baseline=None)}, "metric precision has nothing to count in the baseline"),
    ({"unfinished": "stopped at the limit of 5 s"}, "stopped at the limit of 5 s"),
]


@pytest.mark.parametrize(("missing", "why"), UNKNOWN)
def test_what_is_not_known_is_inconclusive_and_says_what(missing, why):
    decision = decide(GATE, replace(GOOD, **missing))
    assert (decision.verdict, decision.why) == (Verdict.INCONCLUSIVE, (why,))


def test_promise_4_too_little_evidence_missing_data_nan_unknown_price_empty_suite_or_a_stopped_run_is_never_a_pass():
    empty = replace(GOOD, cases=0, passed=0, categories={}, tags={}, metrics=())
    assert decide({"min_pass_rate": 0}, empty).verdict is Verdict.INCONCLUSIVE
    assert "the suite has no cases" in decide({"min_pass_rate": 0}, empty).why
    for missing, _ in UNKNOWN:
        assert decide(GATE, replace(GOOD, **missing)).verdict is Verdict.INCONCLUSIVE
    stopped = replace(GOOD, passed=0, blocked_cases=20, blockers=("x",), unfinished="stopped")
    assert decide(GATE, stopped).verdict is Verdict.INCONCLUSIVE


def test_a_broken_rule_beats_what_is_not_known_and_both_are_said():
    decision = decide(GATE, replace(GOOD, passed=10, cost_usd=None))
    assert decision.verdict is Verdict.FAIL
    assert decision.why == ("pass rate 0.50", "the candidate's cost is not known")


def test_reasons_stand_in_the_order_of_their_weight():
    bad = replace(GOOD, blocked_cases=1, blockers=("a",), passed=1, newly_failing=3, cost_usd=0.006, p95_ms=1200.0)
    assert decide(GATE, replace(bad, categories={"edge": (0, 1)})).why == (
        "1 blocker grader failing",
        "pass rate 0.05",
        "3 newly failing",
        "cost +20%",
        "p95 +20%",
        "category edge at 0.00, at least 1.00",
    )


def test_without_a_baseline_relative_rules_do_not_apply_and_a_note_says_so():
    alone = replace(
        GOOD,
        has_baseline=False,
        newly_failing=None,
        baseline_cost_usd=None,
        baseline_p95_ms=None,
        metrics=metric(baseline=None),
    )
    decision = decide(GATE, alone)
    assert (decision.verdict, decision.why) == (Verdict.PASS, ())
    assert decision.notes[0] == "no baseline"
    assert [one.rule for one in decision.rulings if one.mark is Mark.NOT_APPLICABLE] == [
        "newly_failing",
        "cost_increase",
        "p95_increase",
        "metric precision",
    ]
    assert decide(GATE, replace(alone, p95_ms=3000.0)).verdict is Verdict.FAIL


def test_a_gate_that_does_not_say_allows_no_blocker_and_no_regression():
    bare = {"min_pass_rate": 0.5}
    plain = replace(GOOD, metrics=())
    assert decide(bare, plain).verdict is Verdict.PASS
    assert decide(bare, replace(plain, newly_failing=1)).why == ("1 newly failing",)
    assert decide(bare, replace(plain, blocked_cases=1, blockers=("x",))).why == ("1 blocker grader failing",)


def test_a_metric_in_words_is_a_note():
    gate = {
        "min_pass_rate": 0.5,
        "metrics": [{"id": "tone", "declared_only": "People like it."}, {"id": "n", "share": {}}],
    }
    facts = replace(
        GOOD, metrics=(MetricFact(id="tone", value=None, baseline=None), MetricFact(id="n", value=None, baseline=None))
    )
    decision = decide(gate, facts)
    assert (decision.verdict, decision.notes) == (Verdict.PASS, ("metric tone is declared in words only",))


def test_a_limit_is_met_within_a_hair():
    assert decide(GATE, replace(GOOD, cases=10, passed=9)).verdict is Verdict.PASS
    assert decide({"min_pass_rate": 0.7}, replace(GOOD, cases=10, passed=7, metrics=())).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("value", "against", "pct"),
    [
        (1.1, 1.0, 10),
        (0.5, 1.0, -50),
        (0, 0, 0),
        (1, 0, math.inf),
        (None, 1, None),
        (1, None, None),
        (math.nan, 1, None),
    ],
)
def test_an_increase_is_per_cent_of_the_baseline(value, against, pct):
    assert increase_pct(value, against) == (pct if pct is None else pytest.approx(pct))


# Monotonicity: for any gate and any facts, making one thing worse never turns anything into a pass.

share = st.floats(0, 1)
amount = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1000))


@st.composite
def gates(draw):
    gate = {"min_pass_rate": draw(share)}
    optional = {
        "min_cases": st.integers(1, 30),
        "blocker_failures_max": st.integers(0, 3),
        "newly_failing_max": st.integers(0, 3),
        "min_pass_rate_by_category": st.dictionaries(st.sampled_from(["edge", "normal"]), share),
        "min_pass_rate_by_tag": st.dictionaries(st.sampled_from(["night", "day"]), share),
        "cost": st.fixed_dictionaries(
            {}, optional={"mean_increase_max_pct": st.floats(0, 99), "mean_max_usd": st.floats(0, 9)}
        ),
        "latency": st.fixed_dictionaries(
            {}, optional={"p95_increase_max_pct": st.floats(0, 99), "p95_max_ms": st.floats(0, 999)}
        ),
        "repeat": st.fixed_dictionaries({"samples": st.integers(1, 9)}, optional={"majors_min": st.integers(1, 9)}),
        "metrics": st.lists(
            st.fixed_dictionaries(
                {"id": st.sampled_from(["a", "b"]), "share": st.just({"path": "x", "equals": 1})},
                optional={"min": share, "max": share, "max_shift": share},
            ),
            max_size=1,
        ),
        "comparison": st.fixed_dictionaries(
            {},
            optional={
                "rule": st.sampled_from(["required", "reported"]),
                "margin": share,
                "confidence": st.floats(0.8, 0.999),
                "strict": st.booleans(),
                "allow_underpowered": st.booleans(),
                "stop_early": st.booleans(),
            },
        ),
        "human_review": st.fixed_dictionaries(
            {
                "roles": st.lists(st.sampled_from(["risk_owner", "domain_expert"]), min_size=1, unique=True),
                "min_cases": st.integers(1, 9),
            }
        ),
    }
    return gate | draw(st.fixed_dictionaries({}, optional=optional))


@st.composite
def facts(draw, metrics=0):
    cases = draw(st.integers(0, 30))
    has_baseline = draw(st.booleans())
    counts = st.integers(0, 10).flatmap(lambda most: st.tuples(st.integers(0, most), st.just(most)))
    blockers = draw(st.lists(st.sampled_from(["a", "b"]), unique=True))
    return Facts(
        cases=cases,
        passed=draw(st.integers(0, cases)),
        blocked_cases=draw(st.integers(1, 5)) if blockers else 0,
        blockers=tuple(blockers),
        categories=draw(st.dictionaries(st.sampled_from(["edge", "normal"]), counts)),
        tags=draw(st.dictionaries(st.sampled_from(["night", "day"]), counts)),
        has_baseline=has_baseline,
        newly_failing=draw(st.one_of(st.none(), st.integers(0, 5))) if has_baseline else None,
        cost_usd=draw(amount),
        baseline_cost_usd=draw(amount) if has_baseline else None,
        p95_ms=draw(amount),
        baseline_p95_ms=draw(amount) if has_baseline else None,
        metrics=tuple(
            MetricFact(id="m", value=draw(amount), baseline=draw(amount) if has_baseline else None)
            for _ in range(metrics)
        ),
        unfinished=draw(st.sampled_from(["", "stopped"])),
    )


def fewer(counts):
    return {name: (max(0, passed - 1), cases) for name, (passed, cases) in counts.items()}


WORSE = {
    "a case less passes": lambda f: replace(f, passed=max(0, f.passed - 1)),
    "a blocker more": lambda f: replace(f, blocked_cases=f.blocked_cases + 1, blockers=(*f.blockers, "new")),
    "a regression more": lambda f: replace(f, newly_failing=None if f.newly_failing is None else f.newly_failing + 1),
    "dearer": lambda f: replace(f, cost_usd=None if f.cost_usd is None else f.cost_usd + abs(f.cost_usd) + 1),
    "slower": lambda f: replace(f, p95_ms=None if f.p95_ms is None else f.p95_ms + abs(f.p95_ms) + 1),
    "categories": lambda f: replace(f, categories=fewer(f.categories)),
    "tags": lambda f: replace(f, tags=fewer(f.tags)),
    "no cost": lambda f: replace(f, cost_usd=None),
    "no latency": lambda f: replace(f, p95_ms=math.nan),
    "no baseline cost": lambda f: replace(f, baseline_cost_usd=None),
    "no metric": lambda f: replace(f, metrics=tuple(replace(one, value=None) for one in f.metrics)),
    "nothing at all": lambda f: replace(f, cases=0, passed=0),
    "stopped": lambda f: replace(f, unfinished="stopped"),
}


@given(st.data())
def test_making_anything_worse_never_turns_a_no_into_a_pass(data):
    gate = data.draw(gates())
    before = data.draw(facts(metrics=len(gate.get("metrics", []))))
    worse = WORSE[data.draw(st.sampled_from(sorted(WORSE)))](before)
    if decide(gate, before).verdict is not Verdict.PASS:
        assert decide(gate, worse).verdict is not Verdict.PASS


@given(st.data())
def test_nothing_unknown_ever_passes(data):
    gate = data.draw(gates())
    found = data.draw(facts(metrics=len(gate.get("metrics", []))))
    decision = decide(gate, found)
    if (
        found.cases == 0
        or found.unfinished
        or (gate.get("cost", {}).get("mean_max_usd") is not None and found.cost_usd is None)
    ):
        assert decision.verdict is not Verdict.PASS
    assert (decision.why == ()) == (decision.verdict is Verdict.PASS)


@given(st.data())
def test_the_joint_gate_is_never_looser_than_either(data):
    left, right = data.draw(gates()), data.draw(gates())
    joint = stricter(left, right)
    value = data.draw(amount)
    found = data.draw(facts())

    def judged(gate):
        own = tuple(MetricFact(id="m", value=value, baseline=value) for _ in gate.get("metrics", []))
        return decide(gate, replace(found, metrics=own)).verdict

    if judged(joint) is Verdict.PASS:
        assert judged(left) is judged(right) is Verdict.PASS


@given(gates(), gates())
def test_the_joint_gate_is_the_same_whoever_is_asked_first_and_joining_again_changes_nothing(left, right):
    joint = stricter(left, right)
    assert stricter(joint, joint) == joint
    assert stricter(joint, right) == joint
    assert stricter(left, joint) == joint
    swapped = stricter(right, left)
    plain = [name for name in joint if name not in {"metrics", "human_review"}]
    assert {name: joint[name] for name in plain} == {name: swapped[name] for name in plain}


def test_field_by_field_the_stricter_limit_counts():
    candidate = {
        "min_pass_rate": 0.8,
        "newly_failing_max": 5,
        "cost": {"mean_increase_max_pct": 50},
        "repeat": {"samples": 3, "majors_min": 2, "every_sample_if": {"path": "$label.red", "equals": True}},
        "metrics": [{"id": "p", "share": {"path": "a", "equals": 1}, "min": 0.5}],
    }
    production = {
        "min_pass_rate": 0.9,
        "min_cases": 4,
        "min_pass_rate_by_category": {"edge": 1.0},
        "newly_failing_max": 1,
        "cost": {"mean_increase_max_pct": 10, "mean_max_usd": 1},
        "repeat": {"samples": 5, "majors_min": 5, "every_sample_if": {"path": "$label.age", "at_most": 1}},
        "metrics": [{"id": "p", "share": {"path": "a", "equals": 1}, "min": 0.9, "max_shift": 0.1}],
    }
    assert stricter(candidate, production) == {
        "blocker_failures_max": 0,
        "newly_failing_max": 1,
        "min_cases": 4,
        "min_pass_rate": 0.9,
        "min_pass_rate_by_category": {"edge": 1.0},
        "cost": {"mean_increase_max_pct": 10, "mean_max_usd": 1},
        "repeat": {
            "samples": 5,
            "majors_min": 5,
            "every_sample_if": {"any": [{"path": "$label.red", "equals": True}, {"path": "$label.age", "at_most": 1}]},
        },
        "metrics": [{"id": "p", "share": {"path": "a", "equals": 1}, "min": 0.9, "max_shift": 0.1}],
    }


def test_a_candidate_that_drops_a_limit_keeps_productions():
    production = {"min_pass_rate": 0.9, "latency": {"p95_max_ms": 5}, "metrics": [{"id": "p", "share": {}, "min": 1}]}
    joint = stricter(
        {"min_pass_rate": 0.1, "metrics": [{"id": "p", "share": {"path": "x", "is_null": True}, "min": 0}]}, production
    )
    assert joint["latency"] == {"p95_max_ms": 5}
    assert {"id": "p", "share": {}, "min": 1} in joint["metrics"]
    assert len(joint["metrics"]) == 2


@pytest.mark.parametrize(
    ("repeat", "samples", "needed"),
    [
        ({"samples": 3, "majors_min": 2}, 3, 2),
        ({"samples": 3, "majors_min": 2}, 2, 2),
        ({"samples": 3, "majors_min": 2}, 1, 1),
        ({"samples": 5, "majors_min": 3}, 2, 2),
        ({"samples": 4, "majors_min": 1}, 1, 1),
        ({"samples": 3}, 3, 3),
        ({"samples": 2, "majors_min": 9}, 2, 2),
        ({}, 4, 4),
        ({"samples": 3, "majors_min": 2}, 6, 4),
    ],
)
def test_majors_needed_are_scaled_to_the_samples_that_there_are(repeat, samples, needed):
    assert majors_needed(repeat, samples) == needed
