"""Suites of simulated cases: an unchanged version is blocked no more often than the set rate, a real loss is found."""

import math

import numpy as np
import pytest

from cuelight_server.evaluation.model import Finding
from cuelight_server.evaluation.statistics import Pair, compare
from cuelight_server.evaluation.statistics.breaks import broken
from cuelight_server.evaluation.statistics.settings import Settings

RUNS = 200
HOW = Settings()
SLACK = 2.5 * math.sqrt(0.05 * 0.95 / RUNS)  # of a rate counted in so many runs


def runs(n, samples, production, candidate, seed=7, times=RUNS):
    """For each run the pairs of n cases, each sample passing by its own chance."""
    rng = np.random.default_rng(seed)
    before, now = (np.broadcast_to(np.asarray(one), n) for one in (production, candidate))
    for _ in range(times):
        rows = zip(rng.binomial(samples, now), rng.binomial(samples, before), strict=True)
        yield [Pair(str(at), "", int(passed), int(was), samples) for at, (passed, was) in enumerate(rows)]


def blocked(found, how=HOW):
    """By the comparison or by a single case, as the gate does."""
    return compare(found, how).finding is Finding.HARM or bool(broken(found, how.alpha / 2))


def rate(blocks):
    blocks = list(blocks)
    return sum(blocks) / len(blocks)


@pytest.mark.parametrize("n", [30, 100, 300])
@pytest.mark.parametrize("samples", [1, 3, 5])
def test_an_unchanged_version_is_blocked_no_more_often_than_the_set_rate(n, samples):
    times = RUNS if n < 300 else RUNS // 2
    assert rate(blocked(found) for found in runs(n, samples, 0.9, 0.9, times=times)) <= HOW.alpha + SLACK


@pytest.mark.parametrize("samples", [3, 5])
def test_neither_is_one_whose_cases_are_of_every_kind(samples):
    """Twelve steady cases, four that pass 95 in 100, four that pass half to four fifths of the time."""
    kinds = [*[1.0] * 12, *[0.95] * 4, 0.5, 0.6, 0.7, 0.8]
    assert rate(blocked(found) for found in runs(20, samples, kinds, kinds)) <= HOW.alpha + SLACK


@pytest.mark.parametrize(
    ("n", "samples", "least"),
    [(30, 1, 0.15), (30, 5, 0.55), (100, 1, 0.55), (100, 3, 0.85), (300, 1, 0.92), (300, 3, 0.99)],
)
def test_ten_points_lost_are_found_with_the_stated_power(n, samples, least):
    assert rate(blocked(found) for found in runs(n, samples, 0.9, 0.8, times=100)) >= least


@pytest.mark.parametrize("samples", [3, 5])
def test_one_steady_case_that_breaks_is_found(samples):
    after = [0.0, *[1.0] * 19]
    assert rate("0" in broken(found, 0.025) for found in runs(20, samples, 1.0, after, times=20)) == 1.0


@pytest.mark.parametrize("samples", [1, 3])
def test_what_lies_at_the_margin_seldom_passes(samples):
    """True loss of exactly ten points with a margin of ten: shown to be within it in at most 5 % of the runs."""
    how = Settings(margin=0.1)
    passed = (compare(found, how).finding is Finding.NOT_WORSE for found in runs(100, samples, 0.9, 0.8))
    assert rate(passed) <= 0.05 + SLACK


def test_an_unchanged_version_passes_where_the_suite_is_large_enough():
    assert rate(compare(found, HOW).finding is Finding.NOT_WORSE for found in runs(300, 5, 0.9, 0.9, times=50)) > 0.9


@pytest.mark.parametrize(("truth", "seen"), [(0.9, (0.0, 0.02)), (0.6, (0.9, 1.0))])
def test_five_looks_keep_the_rate_and_find_a_loss_early(truth, seen):
    """Harm at any of five looks, as a run that may stop early asks for it."""
    how = Settings(stop_early=True)

    def first(found):
        cuts = ((look, found[: len(found) * look // 5]) for look in range(1, 6))
        return next((look for look, some in cuts if compare(some, how, look).finding is Finding.HARM), 0)

    looks = [first(found) for found in runs(200, 1, 0.9, truth, times=200)]
    assert sum(look > 0 for look in looks) / len(looks) <= (0.05 + SLACK if truth == 0.9 else 1)
    early = sum(0 < look < 4 for look in looks) / len(looks)
    assert seen[0] <= early <= seen[1] + SLACK
