"""Restricted means and their differences against lifelines, scipy, textbook sums and R."""

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy import stats

from analysis.stats import restricted
from analysis.stats.restricted import restricted_mean, restricted_mean_difference, restricted_means
from analysis.stats.survival import Times
from tests.helpers.times import SEEDS, A, arm, random


@SEEDS
def test_restricted_means_are_lifelines(seed: int) -> None:
    times, observed = random(seed)
    fitted = KaplanMeierFitter().fit(times, observed)
    for horizon in (0.5, 4, 11.5, times.max()):
        expected = restricted_mean_survival_time(fitted, t=horizon)
        assert restricted_means(times, observed, horizon) == pytest.approx(expected, rel=1e-9)


def test_a_restricted_mean_beyond_the_follow_up_is_unknown() -> None:
    times, observed = [2.0, 4, 6], [True, True, False]
    assert restricted_means(times, observed, 6) == pytest.approx((2 + 4 + 6) / 3)
    assert math.isnan(restricted_means(times, observed, 6.5))
    assert math.isnan(restricted_means(times, observed, math.inf))
    assert restricted_means(times, [True] * 3, math.inf) == pytest.approx(4)
    # the first run is known to the horizon, so that all is, though another was lost
    assert restricted_means([7.0, 4, 3], [False, False, True], 6) == pytest.approx(5)
    found = restricted_mean(times, observed, 7)
    assert found.method == "none: not followed up to 7" and math.isnan(found.estimate)


def test_the_normal_interval_is_that_of_r_and_stata() -> None:
    """survfit(Surv(time, dead) ~ 1), rmean = 100, and stci, rmean."""
    found = restricted_mean(
        [10, 15, 23, 30, 35, 52, 100], [True] * 6 + [False], 100, None, "normal"
    )
    assert found.estimate == pytest.approx(37.85714, abs=1e-5)
    assert (found.lower, found.upper) == pytest.approx((16.80932, 58.90497), abs=1e-5)


@SEEDS
def test_the_variance_is_the_textbooks(seed: int) -> None:
    """Klein & Moeschberger (2003), eq. 4.5.2, term by term; the areas are lifelines'."""
    times, observed = random(seed)
    horizon = float(times.max()) - 1
    fitted, variance = KaplanMeierFitter().fit(times, observed), 0.0
    whole = restricted_mean_survival_time(fitted, t=horizon)
    for time in set(times[observed & (times < horizon)]):
        n, d = (times >= time).sum(), (observed & (times == time)).sum()
        if n > d:
            area = whole - restricted_mean_survival_time(fitted, t=time)
            variance += area**2 * d / (n * (n - d))
    found = restricted._influences(Times(times, observed), horizon)
    assert (found**2).sum() == pytest.approx(variance, rel=1e-8)
    assert found.sum() == pytest.approx(0, abs=1e-9)


def test_without_censoring_they_are_students_intervals() -> None:
    draws = np.random.default_rng(9)
    a, b = draws.integers(1, 40, 9).astype(float), draws.integers(5, 60, 9).astype(float)
    horizon = 35.0
    cut_a, cut_b = np.minimum(a, horizon), np.minimum(b, horizon)
    # beyond the horizon it does not matter how a run went on
    first, second = arm(a, a < 38), arm(b, b < 38)
    expected = {
        "one": stats.ttest_1samp(cut_a, 0).confidence_interval(),
        "two": stats.ttest_ind(cut_a, cut_b, equal_var=False).confidence_interval(),
        "paired": stats.ttest_rel(cut_a, cut_b).confidence_interval(),
        "narrow": stats.ttest_rel(cut_a, cut_b).confidence_interval(0.9),
    }
    found = {
        "one": restricted_mean(first.times, first.observed, horizon),
        "two": restricted_mean_difference(first, second, horizon),
        "paired": restricted_mean_difference(first, second, horizon, paired=True),
        "narrow": restricted_mean_difference(first, second, horizon, paired=True, confidence=0.9),
    }
    for name, interval in found.items():
        assert (interval.lower, interval.upper) == pytest.approx(tuple(expected[name])), name
        assert interval.method == "t"
    one, two = (
        restricted_mean(cut, np.full(9, True), horizon, method="normal") for cut in (cut_a, cut_b)
    )
    both = restricted_mean_difference(first, second, horizon, method="normal")
    width = math.hypot(one.estimate - one.lower, two.estimate - two.lower)
    assert both.estimate - both.lower == pytest.approx(width)


def test_an_interval_stays_within_what_is_possible() -> None:
    found = restricted_mean([1.0, 9, 9, 9], [True] * 4, 8)
    student = stats.ttest_1samp([1, 8, 8, 8], 0).confidence_interval()
    assert student.high > 8
    assert (found.lower, found.upper) == (pytest.approx(student.low), 8)
    assert restricted_mean([1.0, 1, 1, 9], [True] * 4, 8).lower == 0


def test_a_horizon_before_every_event_carries_nothing() -> None:
    never, late = arm([10, 10, 10], False), arm([12, 13, 14])
    for runs, until in ((never, 10), (late, 10), (late, 12)):
        found = restricted_mean(runs.times, runs.observed, until)
        assert math.isnan(found.estimate) and found.method == f"none: no event before {until}"
    assert math.isnan(restricted_mean_difference(never, late, 10).estimate)
    assert restricted_mean(late.times, late.observed, 13).estimate == pytest.approx(38 / 3)


def test_runs_that_are_alike_have_no_interval() -> None:
    never, same = arm([10, 10, 10], False), arm([4, 4, 4])
    assert restricted_mean(same.times, same.observed, 10).method == "none: all runs alike"
    assert restricted_mean_difference(never, same, 10).method == "none: all runs alike"
    assert restricted_mean_difference(never, same, 10).estimate == 6
    shifted = restricted_mean_difference(
        arm([4.1, 5.3, 9.7]), arm([5.2, 6.4, 10.8]), 99, paired=True
    )
    assert shifted.method == "none: all runs alike"
    single = restricted_mean_difference(arm([4]), A, 30)
    assert single.method == "none: fewer than two runs known up to 30"
