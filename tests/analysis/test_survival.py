"""Kaplan–Meier medians against lifelines, by hand, and where nothing was observed."""

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times

from analysis.survival import Median, median


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_lifelines(seed: int) -> None:
    draws = np.random.default_rng(seed)
    times = draws.integers(1, 30, size=draws.integers(3, 40)).astype(float)
    observed = draws.random(len(times)) < 0.7
    observed[0] = True
    fitted = KaplanMeierFitter().fit(times, observed)
    interval = median_survival_times(fitted.confidence_interval_).to_numpy()[0]
    found = median(times, observed)
    assert found.median == fitted.median_survival_time_, f"seed {seed}"
    # where nobody is left the band is undefined: lifelines takes it as 0 there, R and we do not
    emptied = fitted.survival_function_.iloc[-1, 0] == 0
    upper = math.inf if emptied and interval[1] == times[observed].max() else interval[1]
    assert found.upper == upper, f"seed {seed}"
    assert found.lower == min(interval[0], found.median), f"seed {seed}"


def test_by_hand() -> None:
    found = median([10, 20, 30, 40, 50], [True] * 5)
    assert (found.median, found.n, found.reached) == (30, 5, 5)
    # 20 is censored: after 10 four are left, after 30 two of three, S = 4/5 · 2/3 > 1/2
    assert median([10, 20, 30, 40, 50], [True, False, True, True, True]).median == 40


def test_dropping_the_censored_would_give_another_median() -> None:
    times, observed = [10, 20, 100, 100, 100], [True, True, False, False, False]
    assert median(times, observed).median == math.inf
    assert median(times[:2], observed[:2]).median == 10


def test_never_observed_is_beyond_the_longest_run() -> None:
    assert median([100, 80], [False, False]) == Median(2, 0, math.inf, 100, math.inf, 100)


def test_order_does_not_matter() -> None:
    times, observed = np.array([5.0, 9, 9, 12, 30]), np.array([1, 0, 1, 1, 0], dtype=bool)
    order = [3, 0, 4, 1, 2]
    assert median(times, observed) == median(times[order], observed[order])


def test_one_run() -> None:
    assert median([7], [True]).median == 7


def test_no_run_is_refused() -> None:
    with pytest.raises(ValueError, match="no runs"):
        median([], [])
