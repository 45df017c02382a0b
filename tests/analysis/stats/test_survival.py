"""Kaplan–Meier, medians, restricted means and their differences against scipy, lifelines, exact
fractions and whole enumerations, by hand, and where nothing was observed."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times
from scipy import stats

from analysis.stats import survival
from analysis.stats.restricted import restricted_mean, restricted_mean_difference, restricted_means
from analysis.stats.survival import (
    Median,
    Times,
    kaplan_meier,
    median,
    median_difference,
    medians,
    order_range,
)
from tests.helpers.times import SEEDS, A, B, arm, by_fractions, random


@SEEDS
def test_survival_is_scipys(seed: int) -> None:
    times, observed = random(seed)
    data = stats.CensoredData(uncensored=times[observed], right=times[~observed])
    expected = stats.ecdf(data).sf
    ordered, found = kaplan_meier(times, observed)
    last = np.append(np.diff(ordered) > 0, True)
    np.testing.assert_array_equal(ordered[last], expected.quantiles)
    np.testing.assert_allclose(found[last], expected.probabilities, atol=1e-14)


def middle(steps: list[tuple[float, Fraction]], beyond: float = math.inf) -> float:
    """The median of S by exact fractions; an event that was not seen is at `beyond`."""
    half = min((time for time, left in steps if left <= Fraction(1, 2)), default=beyond)
    below = min((time for time, left in steps if left < Fraction(1, 2)), default=beyond)
    return (half + below) / 2


@SEEDS
def test_medians_of_exact_fractions(seed: int) -> None:
    times, observed = random(seed)
    assert medians(times, observed) == middle(by_fractions(times, observed))


@pytest.mark.parametrize("n", range(1, 13))
def test_medians_of_whole_samples_are_numpys(n: int) -> None:
    """Runs that never have the event are at infinity."""
    times = np.random.default_rng(n).integers(1, 20, n).astype(float)
    for never in range(n + 1):
        observed = np.argsort(np.argsort(times, kind="stable")) < n - never
        with np.errstate(invalid="ignore"):
            expected = np.median(np.where(observed, times, math.inf))
        assert medians(np.where(observed, times, 30), observed) == expected


def test_half_of_the_runs_bound_the_mean_of_the_two_in_the_middle() -> None:
    """Of four runs two had the event by 200, the others not by 1,000."""
    found = median([100, 200, 1000, 1000], [True, True, False, False])
    assert (found.median, found.followed) == (math.inf, 600)


def test_one_half_is_reached_despite_rounding() -> None:
    off = 0
    for n in range(2, 60, 2):
        times = np.arange(1.0, n + 1)
        assert medians(times, np.full(n, True)) == (n + 1) / 2
        off += kaplan_meier(times, np.full(n, True))[1][n // 2 - 1] > 0.5
    assert off > 0


def test_rows_are_samples_of_their_own() -> None:
    draws = np.random.default_rng(0)
    times, observed = draws.integers(1, 20, (3, 4, 9)).astype(float), draws.random((3, 4, 9)) < 0.5
    for function in (medians, lambda t, o: restricted_means(t, o, 12)):
        found = function(times, observed)
        assert found.shape == (3, 4)
        for row in np.ndindex(3, 4):
            np.testing.assert_equal(found[row], function(times[row], observed[row]))


@SEEDS
def test_log_log_agrees_with_lifelines(seed: int) -> None:
    times, observed = random(seed)
    fitted = KaplanMeierFitter().fit(times, observed)
    interval = median_survival_times(fitted.confidence_interval_).to_numpy()[0]
    found = median(times, observed, "log-log")
    begins = fitted.median_survival_time_  # theirs is the first time at which S is at most 1/2
    flat = math.isclose(fitted.predict(begins), 0.5) if math.isfinite(begins) else False
    assert found.median > begins if flat else found.median == begins, f"seed {seed}"
    if len(times) < 5:
        assert math.isnan(found.lower) and found.method == "none: fewer than five runs"
        return
    # where nobody is left the band is undefined: lifelines takes it as 0 there, R and we do not
    emptied = fitted.survival_function_.iloc[-1, 0] == 0
    upper = math.inf if emptied and interval[1] == times[observed].max() else interval[1]
    assert found.upper == upper, f"seed {seed}"
    fifth = np.sort(times)[-5]  # fewer runs at risk do not bound it
    assert found.lower == min(interval[0], found.median, fifth), f"seed {seed}"


def test_medians_by_hand() -> None:
    found = median([10, 20, 30, 40, 50], [True] * 5)
    assert (found.median, found.n, found.reached) == (30, 5, 5)
    # 20 is censored: after 10 four are left, after 30 two of three, S = 4/5 · 2/3 > 1/2
    assert median([10, 20, 30, 40, 50], [True, False, True, True, True]).median == 40
    # an event comes before a censoring at the same time: S = 1/2 at 10, and not 0
    assert kaplan_meier([10, 10], [False, True])[1].tolist() == [0.5, 0.5]


def test_dropping_the_censored_would_give_another_median() -> None:
    times, observed = [10, 20, 100, 100, 100], [True, True, False, False, False]
    assert median(times, observed).median == math.inf
    assert median(times[:2], observed[:2]).median == 15


@pytest.mark.parametrize("n", range(1, 13))
def test_the_stated_coverage_of_order_statistics_is_exact(n: int) -> None:
    """Over all ways in which n runs can lie on either side of the median, equally likely."""
    found = median(np.arange(1.0, n + 1), [True] * n, "order statistics")
    covered = [
        found.lower <= below < found.upper  # the median is between the times `below` and the next
        for below in (sum(sides) for sides in product([0, 1], repeat=n))
    ]
    assert found.method == f"order statistics, {100 * np.mean(covered):.1f} %"


def test_order_statistics_by_hand() -> None:
    times = np.arange(1.0, 31)
    ends = {n: median(times[:n], [True] * n, "order statistics") for n in (4, 5, 6, 10, 30)}
    assert {n: (found.lower, found.upper) for n, found in ends.items()} == {
        4: (1, math.inf), 5: (1, 5), 6: (1, 6), 10: (2, 9), 30: (10, 21),
    }  # fmt: skip
    assert ends[5].method == "order statistics, 93.8 %"
    assert ends[30].method == "order statistics, 95.7 %"


def test_censored_runs_are_bounded_by_what_was_followed() -> None:
    times, budget = [3.0, 8, 100, 100, 100], [True, True, False, False, False]
    found = median(times, budget, "order statistics")
    assert (found.lower, found.median, found.upper) == (3, math.inf, math.inf)
    times, one = [100.0] * 29 + [7], [False] * 29 + [True]
    for method in ("order statistics", "log-log"):
        assert median(times, one, method).lower == 100
    early = median([3.0, 5, 8, 9, 12], [True, False, True, True, True], "order statistics")
    assert early.method == "log-log (censored before the last event)"
    assert early == Median(**vars(median([3, 5, 8, 9, 12], [1, 0, 1, 1, 1], "log-log"))
                           | {"method": early.method})  # fmt: skip


def test_never_observed_is_beyond_what_five_runs_were_followed_to() -> None:
    found = median([100, 90, 80, 70, 60, 50], [False] * 6)
    assert found == Median(6, 0, math.inf, 60, math.inf, 60, "log-log")
    # four runs without it say little: a median before their end leaves them so 1 time in 16
    found = median([100, 90, 80, 70], [False] * 4)
    assert math.isnan(found.lower) and math.isnan(found.upper)
    assert (found.followed, found.method) == (70, "none: fewer than five runs")
    # the earlier of two medians' bounds: one of the runs may have had the event after 80
    found = median([100, 80], [False, False], "order statistics")
    assert found == Median(2, 0, math.inf, 80, math.inf, 80, "order statistics, 75.0 %")


@pytest.mark.parametrize("n", [5, 6, 8, 12])
@pytest.mark.parametrize("short", ["none", "most", "half"])
def test_a_median_is_held_where_runs_were_not_followed_to_it(n: int, short: str) -> None:
    """Runs followed to 0.75 of the median only: the last one alone bounds nothing."""
    draws, held = np.random.default_rng(n), 0
    until = np.full(n, math.inf)
    until[: {"none": 0, "most": n - 1, "half": n // 2}[short]] = 0.75
    for _ in range(300):
        times = draws.lognormal(size=n)
        found = median(np.minimum(times, until), times <= until)
        held += found.lower <= 1 <= found.upper
    assert held >= 0.95 * 300 - 4 * math.sqrt(300 * 0.95 * 0.05)


@pytest.mark.parametrize("n", range(1, 5))
def test_a_median_of_fewer_than_five_runs_has_no_interval(n: int) -> None:
    found = median(np.arange(1.0, n + 1), [True] * n)
    assert found.median == (n + 1) / 2
    assert math.isnan(found.lower) and math.isnan(found.upper)
    assert found.method == "none: fewer than five runs"


def test_all_runs_of_five_and_more_that_had_the_event_bound_it_as_ever() -> None:
    ends = {n: median(np.arange(1.0, n + 1), [True] * n) for n in (5, 6, 10, 30)}
    assert {n: (found.lower, found.upper) for n, found in ends.items()} == {
        5: (1, math.inf), 6: (1, math.inf), 10: (1, 8), 30: (10, 21),
    }  # fmt: skip


def test_the_range_of_five_and_six_runs_is_all_of_them_at_its_exact_level() -> None:
    for n, level in ((5, 1 - 2 / 2**5), (6, 1 - 2 / 2**6)):
        found = order_range(np.arange(n, 0.0, -1), [True] * n)
        assert (found.lower, found.upper, found.level) == (1, n, pytest.approx(level))
        assert median(np.arange(n, 0.0, -1), [True] * n).upper == math.inf
    ten = order_range(np.arange(1.0, 11), [True] * 10)  # 1 − 2 (1 + 10)/2¹⁰
    assert (ten.lower, ten.upper, ten.level) == (2, 9, pytest.approx(1 - 22 / 1024))


def test_what_has_no_range() -> None:
    for times, observed in (
        ([7.0], [True]),
        ([1.0, 2, 3, 4, 9], [True] * 4 + [False]),  # the last is not known
        ([1.0, 2, 3, 4, 9], [True, False, True, True, True]),
    ):
        assert math.isnan(order_range(times, observed).level)
    # of many runs the last do not matter
    assert order_range(np.arange(1.0, 11), [True] * 9 + [False]).upper == 9


@pytest.mark.parametrize("method", survival.MEDIAN_METHODS)
def test_order_does_not_matter(method: str) -> None:
    times, observed = np.array([5.0, 9, 9, 12, 30]), np.array([1, 0, 1, 1, 0], dtype=bool)
    order = [3, 0, 4, 1, 2]
    found, other = (
        median(times[i], observed[i], method, np.random.default_rng(2)) for i in (slice(5), order)
    )
    assert found == other


def test_one_run() -> None:
    assert median([7], [True]).median == 7
    assert math.isnan(median([7], [True], "BCa", np.random.default_rng(0)).lower)
    assert restricted_mean([7], [True], 10).method == "none: all runs alike"


def test_what_is_not_an_arm_is_refused() -> None:
    for function in (kaplan_meier, median, medians):
        with pytest.raises(ValueError, match="no runs"):
            function([], [])
    with pytest.raises(ValueError, match="finite"):
        median([1, math.nan], [True, True])
    with pytest.raises(ValueError, match="shapes"):
        median([1, 2], [True])
    with pytest.raises(ValueError, match="method=exact"):
        median([1, 2], [True, True], "exact")
    with pytest.raises(ValueError, match="generator"):
        median([1, 2], [True, True], "BCa")
    with pytest.raises(ValueError, match="horizon=0"):
        restricted_mean([1, 2], [True, True], 0)
    with pytest.raises(ValueError, match="pairs of 2 and 3"):
        restricted_mean_difference(arm([1, 2]), arm([1, 2, 3]), 5, paired=True)


def bounds(of: Times, horizon: float | None) -> tuple[np.ndarray, np.ndarray]:
    """What the median, or the restricted mean, of every resample can be at least and at most."""
    found = []
    for resample in product(range(len(of)), repeat=len(of)):
        times = of.times[list(resample)]
        steps, longest = by_fractions(times, of.observed[list(resample)]), float(times.max())
        if horizon is None:
            found.append((middle(steps, longest), middle(steps)))
        else:
            edges = [0.0, *(min(time, horizon) for time, _ in steps)]
            heights = [1.0, *(float(left) for _, left in steps)]
            area = sum(h * (b - a) for h, a, b in zip(heights, edges, edges[1:]))
            found.append((area, area + heights[-1] * (horizon - edges[-1])))
    return np.array(found)[:, 0], np.array(found)[:, 1]


def percentiles(least: np.ndarray, most: np.ndarray) -> tuple[float, float]:
    """The values with 2.5 % of all resamples up to, and from, them."""
    at = math.ceil(0.025 * least.size)
    return np.sort(least, axis=None)[at - 1], np.sort(most, axis=None)[-at]


@pytest.mark.parametrize("horizon", [None, 50.0])
def test_percentile_intervals_over_all_resamples(horizon: float | None) -> None:
    draws = np.random.default_rng(3)
    if horizon is None:
        found = median(A.times, A.observed, "percentile", draws)
    else:
        found = restricted_mean(A.times, A.observed, horizon, draws, "percentile")
    assert found.method == "percentile"
    expected = percentiles(*bounds(A, horizon))
    assert (found.lower, found.upper) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("horizon", [None, 38.0])
def test_intervals_of_differences_over_all_resamples(horizon: float | None, paired: bool) -> None:
    first = Times(A.times[:4], A.observed[:4])
    draws = np.random.default_rng(5)
    if horizon is None:
        found = median_difference(first, B, draws, paired)
        assert found.estimate == (23 + 47) / 2 - (14 + 27) / 2
    else:
        found = restricted_mean_difference(first, B, horizon, draws, paired, "percentile")
    a, b = bounds(first, horizon), bounds(B, horizon)
    together = np.subtract if paired else np.subtract.outer
    expected = percentiles(together(a[0], b[1]), together(a[1], b[0]))
    assert (found.lower, found.upper) == pytest.approx(expected, abs=0.5)


def test_differences_of_what_was_not_reached() -> None:
    never, soon = arm([1000.0] * 6, False), arm([100.0, 120, 150, 160, 170, 190])
    found = median_difference(never, soon, np.random.default_rng(0))
    assert found.estimate == math.inf
    # it is known to be more than 1000 less a median of at most 190
    assert 1000 - 190 <= found.lower <= 1000 - 150 and found.upper == math.inf
    other = median_difference(soon, never, np.random.default_rng(0))
    assert (other.estimate, other.lower) == (-math.inf, -math.inf)
    assert other.upper == pytest.approx(-found.lower, abs=20)
    both = median_difference(never, never, np.random.default_rng(0))
    assert math.isnan(both.estimate) and (both.lower, both.upper) == (-math.inf, math.inf)


def test_bootstraps_name_their_method_and_repeat() -> None:
    draws = np.random.default_rng(1)
    a, b = arm(draws.lognormal(3, 1, 15)), arm(draws.lognormal(4, 1, 12))
    found = [
        restricted_mean_difference(a, b, 50, np.random.default_rng(0), method="BCa")
        for _ in range(2)
    ]
    assert found[0] == found[1] and found[0].method == "BCa"
    cut = [np.minimum(one.times, 50) for one in (a, b)]
    expected = stats.bootstrap(
        cut, lambda x, y, axis: x.mean(axis) - y.mean(axis), rng=np.random.default_rng(0)
    ).confidence_interval
    assert (found[0].lower, found[0].upper) == pytest.approx((expected.low, expected.high), abs=0.1)
    open_end = restricted_mean(A.times, A.observed, 50, np.random.default_rng(0), "BCa")
    assert open_end.method == "percentile (BCa undefined)"
