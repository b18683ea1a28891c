"""The formulas against SciPy, statsmodels and published tables."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats as scipy
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint

from cuelight_server.kernel.statistics import distributions as own
from cuelight_server.kernel.statistics.bootstrap import bca, weights
from cuelight_server.kernel.statistics.multiple import holm, tarone_holm
from cuelight_server.kernel.statistics.paired import detectable, needed, paired
from cuelight_server.kernel.statistics.proportions import (
    Interval,
    clopper_pearson_upper,
    fisher_worse,
    mcnemar,
    newcombe_paired,
    wilson,
)
from cuelight_server.kernel.statistics.sequential import look_confidence
from cuelight_server.kernel.statistics.stability import all_pass, flaky, icc, steadiness, within_variance

# Newcombe 1998, Statistics in Medicine 17, 857-872, table I: methods 3 (score) and 5 (exact), to four places.
PUBLISHED = {
    (81, 263): ((0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148): ((0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20): ((0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29): ((0.0061, 0.1718), (0.0009, 0.1776)),
}


def exact(passed, of, confidence=0.95):
    """Both one-sided exact bounds; the lower one is that of those that do not pass."""
    one_sided = (1 + confidence) / 2
    return Interval(1 - clopper_pearson_upper(of - passed, of, one_sided), clopper_pearson_upper(passed, of, one_sided))


@pytest.mark.parametrize(("counts", "limits"), PUBLISHED.items())
def test_intervals_of_a_share_are_those_of_the_published_table(counts, limits):
    for found, (lower, upper) in zip((wilson(*counts), exact(*counts)), limits, strict=True):
        assert (round(found.lower, 4), round(found.upper, 4)) == (lower, upper)


def test_the_paired_interval_is_that_of_the_published_example():
    """Airway reactivity before and after a transplantation: Fagerland, Lydersen and Laake 2014, Newcombe's interval."""
    found = newcombe_paired(1, 1, 7, 12)
    assert (round(found.lower, 3), round(found.upper, 3)) == (0.026, 0.507)


@pytest.mark.parametrize(("n", "share"), [(299, 0.01), (59, 0.05), (29, 0.10), (2995, 0.001)])
def test_no_failure_in_so_many_cases_shows_a_rate_below(n, share):
    assert clopper_pearson_upper(0, n) < share <= clopper_pearson_upper(0, n - 1)


@pytest.mark.parametrize("a", [0.5, 1, 3.7, 40, 5000])
def test_the_incomplete_beta_function_is_scipys(a):
    for b, x in itertools.product([0.5, 1, 2.5, 60, 3000], [0, 1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999, 1]):
        assert own.incomplete_beta(a, b, x) == pytest.approx(scipy.beta.cdf(x, a, b), abs=1e-10)


def test_quantiles_and_tails_are_scipys():
    for df in (1, 2, 5, 29, 1318):
        for p in (0.01, 0.05, 0.5, 0.8, 0.95, 0.975, 0.999):
            assert own.t_quantile(p, df) == pytest.approx(scipy.t.ppf(p, df), abs=1e-9)
        for t in (-3, -0.5, 0, 1.2, 4):
            assert own.t_tail(t, df) == pytest.approx(scipy.t.sf(t, df), abs=1e-12)
    for a, b in ((0.5, 3.5), (4, 2), (300.5, 1.5)):
        assert own.beta_quantile(0.05, a, b) == pytest.approx(scipy.beta.ppf(0.05, a, b), abs=1e-10)
    for n, p in ((10, 0.5), (400, 0.03)):
        for k in (0, 1, 5, n):
            assert own.binomial_tail(k, n, p) == pytest.approx(scipy.binom.sf(k - 1, n, p), abs=1e-12)
            assert own.binomial_point(k, n, p) == pytest.approx(scipy.binom.pmf(k, n, p), rel=1e-9)


@pytest.mark.parametrize(("passed", "of"), [(0, 5), (5, 5), (3, 7), (90, 100)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_of_a_share_are_those_of_statsmodels(passed, of, confidence):
    for found, name in ((wilson(passed, of, confidence), "wilson"), (exact(passed, of, confidence), "beta")):
        lower, upper = proportion_confint(passed, of, 1 - confidence, name)
        assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-9)


@pytest.mark.parametrize(("broken", "fixed"), [(1, 0), (5, 2), (2, 5), (14, 0), (209, 152), (30, 30)])
def test_mcnemar_is_that_of_statsmodels(broken, fixed):
    two_sided = statsmodels_mcnemar([[0, broken], [fixed, 0]], exact=True).pvalue
    exact, middle = mcnemar(broken, fixed, exact=True), mcnemar(broken, fixed)
    other = mcnemar(fixed, broken, exact=True)
    assert min(1.0, 2 * min(exact, other)) == pytest.approx(two_sided, rel=1e-9)
    assert exact - middle == pytest.approx(scipy.binom.pmf(broken, broken + fixed, 0.5) / 2, rel=1e-6)
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(("passed", "before", "of"), [(0, 3, 3), (1, 5, 5), (2, 4, 5), (3, 3, 3), (0, 0, 4), (5, 1, 5)])
def test_fishers_test_is_scipys(passed, before, of):
    p, least = fisher_worse(passed, of, before, of)
    table = [[passed, of - passed], [before, of - before]]
    assert p == pytest.approx(scipy.fisher_exact(table, alternative="less").pvalue, rel=1e-9)
    total = passed + before
    assert least == pytest.approx(scipy.hypergeom.cdf(max(0, total - of), 2 * of, total, of), rel=1e-9)


def test_holm_is_that_of_statsmodels():
    ps = [0.01, 0.04, 0.03, 0.005, 0.9]
    assert holm(ps) == pytest.approx(list(multipletests(ps, method="holm")[1]))
    assert holm([]) == []


def test_tarone_finds_what_holm_over_all_cases_misses():
    stable, break_ = (1.0, 1.0), fisher_worse(0, 5, 5, 5)
    family = [stable] * 19 + [break_]
    assert tarone_holm(family, 0.025) == {19}
    assert holm([p for p, _ in family])[19] > 0.025
    assert tarone_holm([stable] * 3, 0.05) == frozenset()
    assert tarone_holm([], 0.05) == frozenset()


def test_the_error_of_a_paired_difference_is_that_of_the_t_test():
    rng = np.random.default_rng(3)
    values = rng.choice([-1, -0.5, 0, 0.5], 40)
    found, oracle = paired(list(values)), scipy.ttest_1samp(values, 0, alternative="less")
    assert found.error == pytest.approx(scipy.sem(values))
    assert found.p_below() == pytest.approx(oracle.pvalue)
    lower, upper = scipy.t.interval(0.9, 39, values.mean(), scipy.sem(values))
    assert (found.plain(0.95).lower, found.plain(0.95).upper) == pytest.approx((lower, upper))


def test_cases_of_one_cluster_count_as_what_they_are():
    """The error of twice the same data, clustered, is that of the data once; without clusters it is too small."""
    values = [0.0, -1.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0]
    once, twice = paired(values), paired(values * 2, [*range(8), *range(8)])
    assert twice.error == pytest.approx(once.error)
    assert paired(values * 2).error < 0.75 * once.error
    assert (twice.n, twice.clusters) == (16, 8)


def test_no_difference_in_a_few_cases_is_no_proof():
    assert paired([0.0] * 20).lower(0.95) < -0.1
    assert paired([0.0] * 300).lower(0.95) > -0.01
    assert newcombe_paired(20, 0, 0, 0, 0.9).lower < -0.1
    assert paired([0.0]).lower(0.95) == -math.inf


@pytest.mark.parametrize(
    ("changing", "margin", "cases"),
    [(0.1, 0.01, 6183), (0.1, 0.02, 1546), (0.1, 0.03, 687), (0.1, 0.05, 248), (0.1, 0.1, 62)],
)
def test_the_cases_needed_are_those_of_a_power_analysis(changing, margin, cases):
    assert needed(changing, margin) == cases
    oracle = NormalIndPower(ddof=0).solve_power(margin / math.sqrt(changing), None, 0.05, 0.8, 0, "larger")
    assert math.ceil(oracle - 1e-6) == cases
    assert detectable(math.sqrt(changing / cases)) == pytest.approx(margin, rel=0.01)


def test_the_steadiness_of_a_case_is_a_beta_distribution():
    found = steadiness(2, 3)
    assert found.interval.lower == pytest.approx(scipy.beta.ppf(0.05, 2.5, 1.5))
    assert found.interval.upper == pytest.approx(scipy.beta.ppf(0.95, 2.5, 1.5))
    draws = scipy.beta.rvs(2.5, 1.5, size=200_000, random_state=1)
    assert found.flip == pytest.approx((2 * draws * (1 - draws)).mean(), abs=0.002)
    assert [flaky(*counts) for counts in ((2, 3), (5, 10), (3, 3), (0, 10), (200, 200))] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_all_of_several_samples_pass_more_seldom_than_one():
    assert all_pass(9, 10, 3) == pytest.approx(84 / 120)
    assert all_pass(2, 2, 3) is None
    assert within_variance(9, 10) == pytest.approx(np.var([1] * 9 + [0], ddof=1))


def test_the_share_of_variance_between_cases():
    assert icc([(3, 3), (0, 3), (3, 3), (0, 3)]) == 1.0
    assert icc([(1, 2)] * 10) == 0.0
    assert icc([(3, 3)] * 5) is None  # nothing varies
    assert icc([(1, 1), (0, 1)]) is None
    rows = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]])
    between = 3 * rows.mean(1).var(ddof=1)
    within = rows.var(axis=1, ddof=1).mean()
    assert icc([(int(row.sum()), 3) for row in rows]) == pytest.approx((between - within) / (between + 2 * within))


def test_the_bootstrap_interval_is_close_to_scipys():
    values = np.random.default_rng(5).exponential(1.0, 60)
    means = [float(np.average(values, weights=list(row))) for row in weights("a seed", 60, 4000)]
    left = [float(np.delete(values, at).mean()) for at in range(60)]
    oracle = scipy.bootstrap(
        (values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    found = bca(float(values.mean()), means, left)
    assert (found.lower, found.upper) == pytest.approx((oracle.low, oracle.high), abs=0.03)


def test_the_same_seed_draws_the_same_for_ever():
    assert next(weights("sha256:1", 12)).hex() == "020101010102010002000000"
    drawn = np.frombuffer(b"".join(weights("x", 1000, 200)), dtype=np.uint8)
    assert drawn.mean() == pytest.approx(1.0, abs=0.01)
    assert drawn.var() == pytest.approx(1.0, abs=0.02)


def test_each_look_asks_for_more_than_the_end():
    asked = [look_confidence(look, 5) for look in range(1, 6)]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == pytest.approx(scipy.norm.cdf(1.751), abs=1e-6)
    assert look_confidence(1, 5, alpha=0.01) is None  # no table, no look


def test_looking_five_times_keeps_the_error_rate():
    """Simulated with Brownian motion: the share of paths that cross any of the five bounds."""
    steps = np.random.default_rng(11).normal(size=(200_000, 5)).cumsum(axis=1) / np.sqrt(np.arange(1, 6))
    for alpha in (0.05, 0.025):
        bounds = [scipy.norm.ppf(look_confidence(look, 5, alpha)) for look in range(1, 6)]
        assert (steps > bounds).any(axis=1).mean() == pytest.approx(alpha, abs=0.0015)
