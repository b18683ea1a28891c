"""Which cases pass, what is excused, what is fixed or lost, and the numbers that stand beside it."""

import math
from dataclasses import replace

import pytest

from cuelight_server.evaluation.costs import Used, cost_usd, mean, nearest_rank_p95
from cuelight_server.evaluation.model import Case, CaseResult, Category, Grade, SampleResult, Severity, Suite
from cuelight_server.evaluation.scoring import excused, fixed, gather, judge, newly_failing, sum_up
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel.errors import Invalid

REPEAT = {"samples": 3, "majors_min": 2}
FINE = Grade("ok", Severity.BLOCKER, passed=True)
BLOCKER = Grade("never_lies", Severity.BLOCKER, passed=False, message="it lies")
MAJOR = Grade("short", Severity.MAJOR, passed=False, message="too long")
MINOR = Grade("kind", Severity.MINOR, passed=False, message="curt")


def case(id="A", *, label=None, category=Category.NORMAL, tags=()):
    return Case(id=id, category=category, title=id, input={}, label=label, tags=tags)


def sample(*grades, number=1, cost=0.01, latency=100.0, counts=(), id="A"):
    return SampleResult(
        case=id,
        sample=number,
        text="",
        grades=(FINE, *grades),
        counts=counts,
        tool_calls=(),
        input_tokens=1,
        output_tokens=1,
        latency_ms=latency,
        cost_usd=cost,
        model="m-1",
        finish_reason="",
        provenance="",
    )


def result(id, *, passed, blockers=(), cost=0.01, latency=100.0, **about):
    made = sample(cost=cost, latency=latency, id=id)
    return CaseResult(case=case(id, **about), samples=(made,), passed=passed, unstable=False, blockers=blockers)


def arm(label, *results, metrics=()):
    return sum_up(label, f"sha256:{label}", tuple(results), metrics)


@pytest.mark.parametrize(
    ("samples", "passes", "unstable"),
    [
        pytest.param([[], [], []], True, False, id="all fine"),
        pytest.param([[], [], [BLOCKER]], False, True, id="a blocker in one sample"),
        pytest.param([[], [], [MAJOR]], True, True, id="a major in one of three"),
        pytest.param([[], [MAJOR], [MAJOR]], False, True, id="a major in two of three"),
        pytest.param([[MAJOR]], False, False, id="a major in the only sample"),
        pytest.param([[], [MAJOR]], False, True, id="a major in one of two"),
        pytest.param([[MINOR], [MINOR], [MINOR]], True, False, id="minors never block"),
        pytest.param([], False, False, id="no sample at all"),
    ],
)
def test_a_case_passes_by_its_samples(samples, passes, unstable):
    judged = judge(case(), tuple(sample(*grades, number=n) for n, grades in enumerate(samples, 1)), REPEAT)
    assert (judged.passed, judged.unstable) == (passes, unstable)


@pytest.mark.parametrize(("label", "passes"), [({"red_flag": True}, False), ({"red_flag": False}, True), (None, True)])
def test_where_the_gate_says_so_every_sample_must_be_right(label, passes):
    repeat = {**REPEAT, "every_sample_if": {"path": "$label.red_flag", "equals": True}}
    samples = tuple(sample(*grades, number=n) for n, grades in enumerate([[], [], [MAJOR]], 1))
    assert judge(case(label=label), samples, repeat).passed is passes


def test_a_blocker_that_could_not_read_the_output_is_named_only_where_nothing_explains_it():
    unread = Grade("refs_exist", Severity.BLOCKER, passed=False, message="nothing to look at", unread=True)
    cause = Grade("json_only", Severity.BLOCKER, passed=False, message="no JSON")
    assert judge(case(), (sample(unread, cause),), REPEAT).blockers == ("json_only",)
    alone = judge(case(), (sample(unread),), REPEAT)
    assert (alone.blockers, alone.passed) == (("refs_exist",), False)


def suite_of(**expected):
    return Suite(name="s", digest="d", cases=(), graders=(), schema=None, expected_failures=expected)


def test_an_expected_failure_is_excused_without_a_baseline_and_as_the_baseline_only():
    suite = suite_of(v1={"A": "known"}, v2={"A": "hoped for"})
    one, two = arm("v1", result("A", passed=False)), arm("v2", result("A", passed=False))
    assert excused(suite, one, None) == {"A": "known"}
    assert excused(suite, one, one) == {"A": "known"}
    assert excused(suite, two, one) == {}
    assert excused(suite, two, None) == {"A": "hoped for"}


def test_a_draft_that_is_the_baseline_again_is_excused_like_it():
    one = arm("v1", result("A", passed=False))
    draft = sum_up("draft", one.digest, one.cases, ())
    assert excused(suite_of(v1={"A": "known"}), draft, one) == {"A": "known"}


def test_an_excused_blocker_does_not_block_and_still_counts_in_the_pass_rate():
    one = arm("v1", result("A", passed=False, blockers=("x",)), result("B", passed=True))
    facts = gather(one, None, {"A": "known"})
    assert (facts.blocked_cases, facts.blockers, facts.passed, facts.cases) == (0, (), 1, 2)
    counted = gather(one, None, {})
    assert (counted.blocked_cases, counted.blockers) == (1, ("x",))


def test_fixed_and_newly_failing_are_seen_against_the_same_cases_of_the_baseline():
    before = arm("v1", result("A", passed=True), result("B", passed=False), result("C", passed=True))
    after = arm("v2", result("A", passed=False), result("B", passed=True), result("D", passed=False))
    assert fixed(after, before) == ["B"]
    assert newly_failing(after, before) == ["A"]


def test_a_metric_is_a_share_of_samples_and_unknown_where_nothing_counts():
    metrics = ({"id": "a"}, {"id": "b"})
    samples = (
        sample(counts=((True, True), (False, False))),
        sample(counts=((True, False), (False, False)), number=2),
        sample(counts=((False, False), (False, False)), number=3),
    )
    made = arm("v1", judge(case(), samples, REPEAT), metrics=metrics)
    assert [(one.id, one.of, one.value) for one in made.metrics] == [("a", 2, 0.5), ("b", 0, None)]


def test_the_cost_of_a_case_is_the_mean_of_its_samples():
    many = judge(case("A"), (sample(cost=0.01), sample(cost=0.03, number=2)), REPEAT)
    assert arm("v1", many, result("B", passed=True, cost=0.04)).cost_usd == pytest.approx(0.03)


def test_one_unknown_cost_or_latency_makes_the_whole_unknown():
    made = arm("v1", result("A", passed=True, cost=None), result("B", passed=True, latency=None))
    assert (made.cost_usd, made.p95_ms) == (None, None)
    assert arm("v1", result("A", passed=True, cost=math.nan)).cost_usd is None


def test_nothing_has_no_mean_no_percentile_and_no_pass_rate():
    assert mean([]) is None
    assert nearest_rank_p95([]) is None
    assert (arm("v1").pass_rate, arm("v1").cost_usd, arm("v1").p95_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "p95"),
    [([7], 7), (list(range(1, 21)), 19), (list(range(1, 22)), 20), (list(range(1, 101)), 95), ([3, 1, 2], 3)],
)
def test_p95_is_the_nearest_rank(values, p95):
    assert nearest_rank_p95(values) == p95


PRICES = {"models": [{"model": "m-1", "input_per_1k": 1, "output_per_1k": 10}]}
ANY = {"models": [*PRICES["models"], {"model": "*", "input_per_1k": 2, "output_per_1k": 2}]}


@pytest.mark.parametrize(
    ("prices", "model", "tokens", "usd"),
    [
        (PRICES, "m-1", (1000, 100), 2.0),
        (PRICES, "m-2", (1000, 100), None),
        (ANY, "m-2", (1000, 500), 3.0),
        (ANY, "", (1000, 500), 3.0),
        (PRICES, "m-1", (None, 100), None),
        (PRICES, "m-1", (100, None), None),
        (None, "m-1", (1, 1), None),
        (PRICES, "m-1", (0, 0), 0.0),
    ],
)
def test_a_cost_needs_a_price_and_both_counts(prices, model, tokens, usd):
    assert cost_usd(prices, model, Used(input=tokens[0], output=tokens[1])) == usd


def test_a_case_has_the_suites_defaults_and_derived_variables():
    document = {
        "suite": "s",
        "defaults": {"rules": "R", "learner": {"band": "x"}},
        "derived": {"hint": "learner.band", "gone": "no.such"},
        "cases": [
            {"id": "A", "category": "edge", "title": "t", "input": {"learner": {"band": "8-10"}}},
            {"id": "B", "category": "edge", "title": "t", "input": {"hint": "own"}},
        ],
    }
    suite = read_suite("s", "d", document)
    assert suite.cases[0].input == {"rules": "R", "learner": {"band": "8-10"}, "hint": "8-10"}
    assert suite.cases[1].input == {"rules": "R", "learner": {"band": "x"}, "hint": "own"}


def test_a_suite_with_a_doubled_case_id_is_refused():
    one = {"id": "A", "category": "edge", "title": "t", "input": {}}
    with pytest.raises(Invalid, match="A stands twice"):
        read_suite("s", "d", {"cases": [one, one]})


def test_floors_and_tags_are_counted_by_case():
    made = arm(
        "v1",
        result("A", passed=True, category=Category.EDGE, tags=("night", "dutch")),
        result("B", passed=False, category=Category.EDGE, tags=("night",)),
        result("C", passed=True),
    )
    facts = gather(made, None, {})
    assert list(facts.categories.items()) == [("normal", (1, 1)), ("edge", (1, 2))]
    assert facts.tags == {"dutch": (1, 1), "night": (1, 2)}


NOT_RUN = Grade("kind_words", Severity.MAJOR, passed=False, not_run="no judge is set")
CUT_OFF = Grade("never_lies", Severity.BLOCKER, passed=False, not_run="the webhook did not answer")


@pytest.mark.parametrize(
    ("samples", "passes", "undecided"),
    [
        pytest.param([[NOT_RUN]], False, "kind_words: no judge is set", id="its only major has not run"),
        pytest.param([[CUT_OFF]], False, "never_lies: the webhook did not answer", id="a blocker has not run"),
        pytest.param([[NOT_RUN, BLOCKER]], False, "", id="a failed blocker decides all the same"),
        pytest.param([[NOT_RUN, MAJOR]], False, "", id="so does another failed major"),
        pytest.param([[], [], [NOT_RUN]], True, "", id="two of three are enough whatever the third is"),
        pytest.param([[MAJOR], [MAJOR], [NOT_RUN]], False, "", id="the third can no longer save it"),
        pytest.param([[], [MAJOR], [NOT_RUN]], False, "kind_words: no judge is set", id="the third decides"),
        pytest.param([[replace(NOT_RUN, severity=Severity.MINOR)]], True, "", id="a minor decides nothing"),
    ],
)
def test_a_grader_that_has_not_run_is_neither_a_pass_nor_a_failure(samples, passes, undecided):
    judged = judge(case(), tuple(sample(*grades, number=n) for n, grades in enumerate(samples, 1)), REPEAT)
    assert (judged.passed, judged.undecided, judged.fails) == (passes, undecided, not passes and not undecided)


@pytest.mark.parametrize(
    ("grades", "threshold", "passes", "undecided"),
    [
        pytest.param([replace(MAJOR, weight=1.0)], 0.5, True, False, id="one of two with equal weights"),
        pytest.param([replace(MAJOR, weight=2.0)], 0.5, False, False, id="the heavier one failed"),
        pytest.param([replace(MAJOR, score=0.4)], 0.7, True, False, id="half a score counts half"),
        pytest.param([replace(MAJOR, weight=0.0)], 1.0, True, False, id="a weight of 0 counts for nothing"),
        pytest.param([NOT_RUN], 0.5, True, False, id="enough without the one that has not run"),
        pytest.param([NOT_RUN], 0.9, False, True, id="the one that has not run would decide"),
        pytest.param([NOT_RUN, replace(MAJOR, weight=9.0)], 0.9, False, False, id="it could not save it"),
        pytest.param([replace(BLOCKER, weight=0.0)], 0.1, False, False, id="a blocker blocks whatever the score"),
    ],
)
def test_a_case_with_a_threshold_passes_by_the_weighted_mean_of_its_scores(grades, threshold, passes, undecided):
    one = replace(sample(*grades), threshold=threshold)
    judged = judge(replace(case(), threshold=threshold), (one,), {"samples": 1})
    assert (judged.passed, bool(judged.undecided)) == (passes, undecided)


def test_a_case_that_nobody_can_judge_is_not_newly_failing_and_not_fixed():
    open_ = CaseResult(case=case("A"), samples=(), passed=False, unstable=False, blockers=(), undecided="no judge")
    passing, failing = result("A", passed=True), result("A", passed=False)
    assert newly_failing(arm("v2", open_), arm("v1", passing)) == []
    assert fixed(arm("v2", passing), arm("v1", open_)) == []
    facts = gather(arm("v2", failing), arm("v1", open_), {})
    assert (facts.newly_failing, facts.perhaps_newly_failing) == (0, 1)
    assert gather(arm("v2", open_), None, {}).undecided == {"A": "no judge"}
