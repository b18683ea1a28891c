"""Newly failing, unstable, or noise: what the samples of two versions make of each case, and the gate of that."""

import pytest

from cuelight_server.evaluation import tables
from cuelight_server.evaluation.gate import decide
from cuelight_server.evaluation.model import Case, Category, Grade, SampleResult, Severity
from cuelight_server.evaluation.report import Subject, build
from cuelight_server.evaluation.scoring import gather, judge, sum_up
from cuelight_server.evaluation.statistics import settings, sort_out
from cuelight_server.evaluation.statistics.figures import figures
from cuelight_server.evaluation.statistics.reporting import look, stability, statistics
from cuelight_server.evaluation.statistics.settings import resolved
from cuelight_server.evaluation.stopping import certain, in_order
from cuelight_server.evaluation.strictness import stricter
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel.terms import Tier
from cuelight_server.kernel.verdict import Verdict

GATE = {"min_pass_rate": 0.5, "repeat": {"samples": 3, "majors_min": 2}}
HOW = settings({})


def sample(id, number, sound, severity=Severity.MAJOR, *, counts=(), cost=0.01, latency=100.0):
    return SampleResult(
        case=id,
        sample=number,
        text="",
        grades=(Grade("right", severity, passed=sound),),
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


def arm(label, *outcomes, severity=Severity.MAJOR, gate=GATE, **about):
    """Each case as a word of + and -: its samples."""
    made = []
    for at, word in enumerate(outcomes):
        case = Case(id=f"C{at}", category=Category.NORMAL, title="", input={"n": at}, tags=("one",), **about)
        samples = tuple(sample(case.id, n, sign == "+", severity) for n, sign in enumerate(word, 1))
        made.append(judge(case, samples, gate.get("repeat", {})))
    return sum_up(label, f"sha256:{label}", tuple(made), gate.get("metrics", ()))


def verdict(candidate, baseline, gate=GATE):
    found = look(candidate, baseline, gate)
    return decide(gate, gather(candidate, baseline, {}, found=found))


def test_with_one_sample_a_case_that_fails_now_is_newly_failing():
    found = sort_out(arm("v2", "-", "+"), arm("v1", "+", "+"), HOW)
    assert (found.newly_failing, found.unstable) == (("C0",), ())


def test_a_case_that_fails_in_some_of_three_samples_is_unstable_and_nothing_else():
    candidate, baseline = arm("v2", "+--", "++-", "+++"), arm("v1", "+++", "+++", "++-")
    found = sort_out(candidate, baseline, HOW)
    assert (found.newly_failing, found.unstable, found.fixed) == ((), ("C0", "C1"), ())
    states = [row["state"] for row in tables.case_table(candidate, baseline, {}, found.unstable)]
    assert states == ["unstable", "unstable", "passing"]
    assert verdict(candidate, baseline).verdict is Verdict.PASS


def test_a_case_that_breaks_in_every_sample_is_newly_failing():
    found = sort_out(arm("v2", "---", *["+++"] * 9), arm("v1", *["+++"] * 10), HOW)
    assert (found.newly_failing, found.doubtful) == (("C0",), ())


def test_a_whole_break_among_many_that_flicker_is_inconclusive_and_says_what_settles_it():
    """Cases that pass in three of six samples, both arms together, break wholly once in twenty by chance alone."""
    candidate = arm("v2", "---", *["+--", "++-"] * 10, *["+++"] * 20)
    baseline = arm("v1", "+++", *["++-", "+--"] * 10, *["+++"] * 20)
    found = sort_out(candidate, baseline, HOW)
    assert (found.newly_failing, found.doubtful) == (("C0",), ("C0",))
    decision = verdict(candidate, baseline)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "1 case newly failing in every sample" in decision.why[0]
    assert "more samples of each case settle it" in decision.why[0]


def test_strict_asks_for_more_than_one_break_in_three_samples():
    arms = arm("v2", "---", *["+++"] * 9), arm("v1", *["+++"] * 10)
    assert sort_out(*arms, settings({"comparison": {"strict": True}})).doubtful == ("C0",)


def test_a_failed_blocker_counts_at_once_however_often_it_holds():
    baseline = arm("v1", "+++", severity=Severity.BLOCKER)
    candidate = arm("v2", "++-", severity=Severity.BLOCKER)
    found = sort_out(candidate, baseline, HOW)
    assert (found.newly_failing, found.unstable) == (("C0",), ())


def test_a_case_that_may_fail_in_no_sample_counts_at_once():
    gate = {**GATE, "repeat": {"samples": 3, "majors_min": 2, "every_sample_if": {"path": "$input.n", "equals": 0}}}
    found = sort_out(arm("v2", "++-", "++-", gate=gate), arm("v1", "+++", "+++", gate=gate), HOW)
    assert (found.newly_failing, found.unstable) == (("C0",), ("C1",))


def test_a_case_that_still_passes_but_far_less_often_is_named():
    gate = {"min_pass_rate": 0.5, "repeat": {"samples": 10, "majors_min": 4}}
    candidate, baseline = arm("v2", "+++++-----", gate=gate), arm("v1", "+" * 10, gate=gate)
    assert sort_out(candidate, baseline, HOW).faded == ("C0",)


def test_many_small_losses_are_harm_though_no_case_is_newly_failing():
    candidate, baseline = arm("v2", *["+--"] * 12, *["+++"] * 12), arm("v1", *["+++"] * 24)
    assert sort_out(candidate, baseline, HOW).newly_failing == ()
    decision = verdict(candidate, baseline, {**GATE, "min_pass_rate": 0.1})
    assert decision.verdict is Verdict.FAIL
    assert decision.why == ("shown to be worse than production: 33 points lower (-45.2 to -21.4) over 24 cases",)


@pytest.mark.parametrize(("changed", "harm"), [(5, False), (6, True)])
def test_a_few_cases_that_all_lose_a_little_cannot_show_harm_whatever_their_spread(changed, harm):
    found = look(arm("v2", *["++++-"] * changed), arm("v1", *["+++++"] * changed), GATE).comparison
    assert (found.finding == "harm") is harm


def test_a_comparison_that_is_required_and_open_is_inconclusive_with_what_would_settle_it():
    arms = arm("v2", *"+" * 30), arm("v1", *"+" * 30)
    required = {"min_pass_rate": 0.5, "comparison": {"rule": "required", "margin": 0.05}}
    decision = verdict(*arms, required)
    assert decision.verdict is Verdict.INCONCLUSIVE
    said = "not shown to be within 5 points of production: no difference (-8.3 to +8.3)"
    told = "this suite can see a drop of 8 points or more; 48 more cases would settle it"
    assert decision.why == (f"{said}; {told}",)
    allowed = {**required, "comparison": {**required["comparison"], "allow_underpowered": True}}
    assert verdict(*arms, allowed).verdict is Verdict.PASS
    reported = verdict(*arms, {"min_pass_rate": 0.5})
    assert (reported.verdict, reported.notes) == (Verdict.PASS, decision.why)


def test_so_many_more_cases_do_settle_it():
    arms = arm("v2", *"+" * 78), arm("v1", *"+" * 78)
    assert verdict(*arms, {"min_pass_rate": 0.5, "comparison": {"rule": "required"}}).verdict is Verdict.PASS


def test_required_harm_fails_with_one_sample_too_and_a_drop_within_the_margin_does_not():
    gate = {"min_pass_rate": 0.5, "newly_failing_max": 100, "comparison": {"rule": "required", "margin": 0.05}}
    worse = verdict(arm("v2", *"-" * 10, *"+" * 30), arm("v1", *"+" * 40), gate)
    assert worse.verdict is Verdict.FAIL
    small = verdict(arm("v2", *"-" * 6, *"+" * 394), arm("v1", *"+" * 400), gate)
    assert small.verdict is Verdict.PASS
    told = next(one.words for one in small.rulings if one.rule == "comparison")
    assert told.endswith("a drop is shown, but it lies within the margin")


@pytest.mark.parametrize(
    ("tier", "changed", "cases", "own", "rule", "margin"),
    [
        (Tier.HIGH, True, 248, {}, "required", 0.05),
        (Tier.HIGH, True, 247, {}, "reported", 0.05),
        (Tier.HIGH, False, 1000, {}, "reported", 0.05),
        (Tier.ELEVATED, True, 1000, {}, "reported", 0.05),
        (Tier.REGULATED, True, 300, {"rule": "reported", "margin": 0.4, "allow_underpowered": True}, "required", 0.05),
        (Tier.REGULATED, True, 687, {"margin": 0.03}, "required", 0.03),
        (Tier.LOW, False, 5, {"rule": "required", "margin": 0.2}, "required", 0.2),
    ],
)
def test_what_a_tier_asks_of_the_comparison_and_no_gate_loosens(tier, changed, cases, own, rule, margin):
    said = resolved({"comparison": own}, tier, cases, settings_changed=changed)["comparison"]
    assert (said["rule"], said["margin"]) == (rule, margin)
    if rule == "required" and tier >= Tier.HIGH:
        assert (said["allow_underpowered"], said["confidence"]) == (False, 0.95)


def test_of_two_comparisons_the_stricter_counts():
    loose = {"rule": "reported", "margin": 0.2, "confidence": 0.9, "allow_underpowered": True, "stop_early": True}
    tight = {"rule": "required", "margin": 0.05, "confidence": 0.95, "strict": True}
    wanted = {**tight, "allow_underpowered": False, "stop_early": False}
    for gates in ((loose, tight), (tight, loose)):
        one, other = ({"min_pass_rate": 0.5, "comparison": gate} for gate in gates)
        assert stricter(one, other)["comparison"] == wanted
    assert stricter({"min_pass_rate": 0.5}, {"min_pass_rate": 0.5, "comparison": tight})["comparison"] == tight


METRIC = {"id": "kept", "share": {"path": "x", "equals": 1}, "min": 0.5, "margin": 0.1}


def counted(label, *shares, gate):
    """Cases with one output, of which the metric counts those that are 1."""
    cases = [
        judge(
            Case(id=f"C{at}", category=Category.NORMAL, title="", input={}),
            (sample(f"C{at}", 1, sound=True, counts=((True, bool(one)),)),),
            {},
        )
        for at, one in enumerate(shares)
    ]
    return sum_up(label, f"sha256:{label}", tuple(cases), gate["metrics"])


@pytest.mark.parametrize(
    ("now", "direction", "verdict_", "words"),
    [
        ([1] * 100, "min", Verdict.PASS, ""),
        ([1] * 75 + [0] * 25, "min", Verdict.FAIL, "metric kept is shown to be worse than production"),
        ([1] * 75 + [0] * 25, "max", Verdict.PASS, ""),
        ([1] * 20, "min", Verdict.INCONCLUSIVE, "metric kept is not shown to be within 0.100 of production"),
    ],
)
def test_a_metric_with_a_margin_must_be_shown_to_be_no_worse(now, direction, verdict_, words):
    limits = {"min": 0.5} if direction == "min" else {"max": 1.0}
    metric = {name: value for name, value in METRIC.items() if name != "min"} | limits
    gate = {"min_pass_rate": 0.5, "metrics": [metric]}
    decision = verdict(counted("v2", *now, gate=gate), counted("v1", *[1] * 100, gate=gate), gate)
    assert decision.verdict is verdict_
    assert any(one.startswith(words) for one in decision.why) is bool(words)


def test_no_failed_blocker_is_said_with_what_so_few_cases_may_hide():
    made = statistics_of(arm("v1", *"+" * 29), None, {"min_pass_rate": 0.5})
    assert made["blocked"] == {"cases": 0, "of": 29, "upper": 0.0981}


def test_improvements_are_claimed_only_where_they_hold_with_all_of_them_looked_at():
    gate = {"min_pass_rate": 0.1, "metrics": [METRIC]}
    few = statistics_of(arm("v2", *"+" * 20, gate={}), arm("v1", *"-" * 4, *"+" * 16, gate={}), {"min_pass_rate": 0.1})
    assert few["better"] == [{"what": "pass share", "p": 0.03125, "shown": True}]
    both = counted("v2", *[1] * 20, gate=gate), counted("v1", *[0] * 10, *[1] * 10, gate=gate)
    shown = {row["what"]: row["shown"] for row in statistics_of(*both, gate)["better"]}
    assert shown == {"pass share": False, "metric kept": True}


def statistics_of(candidate, baseline, gate):
    return statistics(candidate, baseline, gate, look(candidate, baseline, gate), "seed")


def test_two_examples_are_not_enough_and_small_sets_say_how_little_they_show():
    said = statistics_of(arm("v1", "+", "+"), None, {"min_pass_rate": 0.5})["words"]
    assert said[0] == "not enough: 2 examples cannot show that a version is good"
    assert said[1] == "2 of 2 cases pass: on cases like these the share may be anything from 34 % to 100 %"
    assert said[2] == "no baseline: there is nothing in production to compare with"


def test_a_part_that_fell_is_named_only_after_correcting_for_looking_at_all_parts():
    rows = statistics_of(arm("v2", *"-" * 6, *"+" * 4), arm("v1", *"+" * 10), {"min_pass_rate": 0.5})["parts"]
    assert [(row["kind"], row["name"], row["fell"], row["passed"]) for row in rows] == [
        ("category", "normal", True, 4),
        ("tag", "one", True, 4),
    ]
    assert rows[0]["lower"] == pytest.approx(0.1682, abs=0.0001)


def test_the_stability_of_a_case_says_how_often_it_passes_and_flips():
    candidate, baseline = arm("v2", "++-", "+++"), arm("v1", "+++", "+++")
    made = stability(candidate, baseline, sort_out(candidate, baseline, HOW))
    assert made["words"] == ["unstable, neither failed nor passed: C0"]
    assert made["all_pass"] == 0.5
    (row,) = made["cases"]
    assert (row["id"], row["passes"], row["of"], row["flaky"]) == ("C0", 2, 3, True)
    assert (row["production_passes"], row["production_of"]) == (3, 3)
    assert 0.2 < row["lower"] < row["upper"] < 0.95
    assert row["flip"] == pytest.approx(0.375)


def test_cost_and_latency_have_intervals_and_nothing_unknown_has():
    cheap = arm("v2", *["+"] * 40)
    slow = sum_up(
        "v1",
        "sha256:v1",
        tuple(
            judge(one.case, (sample(one.case.id, 1, sound=True, cost=0.02, latency=100.0 + at),), {})
            for at, one in enumerate(cheap.cases)
        ),
        (),
    )
    rows = {row["figure"]: row for row in figures(cheap, slow, 0.95, "seed")}
    assert list(rows) == ["cost_usd", "latency_ms", "p50", "p95"]
    assert rows["cost_usd"]["ratio"]["value"] == pytest.approx(0.5)
    assert rows["p95"]["baseline"]["value"] == 137.0
    assert rows["p95"]["baseline"]["lower"] < 137.0 <= rows["p95"]["baseline"]["upper"]
    assert rows["p95"]["ratio"]["upper"] < 1
    assert figures(cheap, slow, 0.95, "seed") == figures(cheap, slow, 0.95, "seed")
    unknown = sum_up("v0", "sha256:v0", (judge(cheap.cases[0].case, (sample("C0", 1, True, latency=None),), {}),), ())
    assert [row["candidate"] for row in figures(unknown, None, 0.95, "x")[1:]] == [None, None, None]


STOP = {"min_pass_rate": 0.9, "comparison": {"stop_early": True}}


def suite_of(count):
    return [one.case for one in arm("v1", *"+" * count).cases]


@pytest.mark.parametrize(
    ("candidate", "baseline", "why"),
    [
        (
            arm("v2", "+", "-", severity=Severity.BLOCKER),
            None,
            "a blocker has failed (right in C1) after 2 of 20 cases",
        ),
        (arm("v2", *"---"), None, "the pass rate cannot reach 0.90 any more after 3 of 20 cases"),
        (arm("v2", *"--"), None, ""),
        (arm("v2", "-"), arm("v1", "+"), "1 newly failing (C0) after 1 of 20 cases"),
        (arm("v2", "---"), arm("v1", "+++"), ""),
    ],
)
def test_a_run_ends_early_only_where_nothing_can_save_it(candidate, baseline, why):
    assert certain(STOP, suite_of(20), candidate, baseline, {}) == why
    assert certain({"min_pass_rate": 0.9}, suite_of(20), candidate, baseline, {}) == ""


def test_harm_at_a_look_ends_the_run():
    gate = {
        **STOP,
        "min_pass_rate": 0.0,
        "newly_failing_max": 100,
        "comparison": {"stop_early": True, "rule": "required"},
    }
    candidate, baseline = arm("v2", *"-" * 30, *"+" * 10), arm("v1", *"+" * 40)
    assert certain(gate, suite_of(100), candidate, baseline, {}).endswith("at look 2 of 5 after 40 of 100 cases")
    same = arm("v3", *"+" * 40)
    assert certain(gate, suite_of(100), same, baseline, {}) == ""


def test_the_order_of_an_early_stop_is_the_seeds_and_not_the_authors():
    cases = suite_of(30)
    assert in_order(cases, "a") == in_order(list(reversed(cases)), "a") != cases
    assert in_order(cases, "a") != in_order(cases, "b")


def test_a_run_that_was_stopped_never_passes():
    suite = read_suite("main", "sha256:s", {"cases": []})
    about = {"prompt": "p", "label": "v2", "digest": "d", "baseline": None, "suite": "main", "suite_digest": "s"}
    subject = Subject(
        **about, provider="x", recorded=False, local=False, at="", tool_version="", gate={"min_pass_rate": 0.5}
    )
    fine = build(subject, suite, arm("v2", *"+" * 10), None, stopped="a blocker has failed")
    assert (fine["verdict"], fine["why"]) == ("inconclusive", ["a blocker has failed"])
    bad = build(subject, suite, arm("v2", *"-" * 10), None, stopped="the pass rate cannot reach 0.50 any more")
    assert (bad["verdict"], bad["notes"][0]) == ("fail", "stopped early: the pass rate cannot reach 0.50 any more")


def test_a_case_says_in_the_suite_which_others_it_belongs_with():
    bare = {"id": "A", "category": "normal", "title": "A", "input": {}}
    made = read_suite("main", "d", {"cases": [{**bare, "cluster": "letter 7"}, {**bare, "id": "B"}]})
    assert [one.cluster for one in made.cases] == ["letter 7", ""]


def test_cases_of_one_cluster_are_one_piece_of_evidence():
    def clustered(label, word):
        cases = [
            judge(
                Case(id=f"C{at}", category=Category.NORMAL, title="", input={}, cluster=f"document {at // 10}"),
                (sample(f"C{at}", 1, sign == "+"),),
                {},
            )
            for at, sign in enumerate(word)
        ]
        return sum_up(label, f"sha256:{label}", tuple(cases), ())

    found = look(clustered("v2", "-" * 10 + "+" * 40), clustered("v1", "+" * 50), {"min_pass_rate": 0.1}).comparison
    assert (found.cases, found.clusters, found.method, found.finding) == (50, 5, "t", "open")
