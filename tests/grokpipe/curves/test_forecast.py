"""Predictive intervals by hand and by simulation."""

import numpy as np
import pytest

from grokpipe.curves.forecast import Forecaster, fit_forecaster
from grokpipe.curves.gap import Law, pool
from grokpipe.errors import InputError
from tests.helpers.curves import fit_power, noisy


def test_one_run_has_a_law_but_no_errors() -> None:
    x, remaining = noisy(4, runs=1)
    assert fit_power(x, remaining).coefficient > 0
    with pytest.raises(InputError, match="0 of 1 can be forecast"):
        fit_forecaster(pool(x, remaining))


def test_two_runs_calibrate() -> None:
    x, remaining = noisy(4, runs=2)
    runs = pool(x, remaining)
    assert len(fit_forecaster(runs).errors) == len(runs.x)


def test_errors_are_of_runs_that_the_law_had_not_seen() -> None:
    x, remaining = noisy(6, runs=3)
    found = []
    for out in range(3):
        others = [run for run in range(3) if run != out]
        law = fit_power([x[run] for run in others], [remaining[run] for run in others])
        found.append(remaining[out][:-1] - law.remaining(x[out][:-1]))
    forecaster = fit_forecaster(pool(x, remaining))
    assert forecaster.errors == pytest.approx(np.sort(np.concatenate(found)), abs=1)
    # each run's share is the same, however many evaluations it had
    longest = max(range(3), key=lambda run: len(x[run]))
    least = np.diff(forecaster.shares, prepend=0).min()
    assert least == pytest.approx(1 / 3 / (len(x[longest]) - 1))
    assert forecaster.shares[-1] == pytest.approx(1)


LINE = Law("power", threshold=0.5, direction=1, shape=1, coefficient=10_000, constant=-100)


def test_a_forecast_by_hand() -> None:
    # one run of two evaluations, wrong by −300 and 500; one of four, wrong by −200, 0, 0, 100
    errors = np.array([-300.0, -200, 0, 0, 100, 500])
    shares = np.array([1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4]).cumsum()
    found = Forecaster(LINE, errors, shares).forecast(2_000, 0.7, level=0.5)
    assert (found.step, found.lower, found.upper) == pytest.approx((3_900, 3_600, 4_000))
    found = Forecaster(LINE, errors, shares).forecast(2_000, 0.7)
    assert (found.step, found.lower, found.upper) == pytest.approx((3_900, 3_600, 4_400))


def test_a_forecast_is_never_past_and_lies_in_its_interval() -> None:
    forecaster = Forecaster(LINE, np.array([-3_000.0, -20, -10]), np.array([0.5, 0.75, 1]))
    step, x = np.array([1_000.0, 2_000, 3_000, 4_000]), np.array([0.8, 0.51, 0.4, np.nan])
    found = forecaster.forecast(step, x)
    assert found.step == pytest.approx([3_900, 2_000, 3_000, np.nan], nan_ok=True)
    assert found.lower == pytest.approx([1_000, 2_000, 3_000, np.nan], nan_ok=True)
    assert found.upper == pytest.approx([3_900, 2_000, 3_000, np.nan], nan_ok=True)


def test_coverage_over_exchangeable_runs() -> None:
    covered: dict[float, list[float]] = {0.5: [], 0.8: [], 0.95: []}
    for seed in range(12):
        x, remaining = noisy(seed, runs=40)
        forecaster = fit_forecaster(pool(x[:10], remaining[:10]))
        for value, left in zip(x[10:], remaining[10:]):
            step, truth = left[0] - left[:-1], left[0]
            for level, shares in covered.items():
                found = forecaster.forecast(step, value[:-1], level)
                shares.append(float(((found.lower <= truth) & (truth <= found.upper)).mean()))
    for level, shares in covered.items():
        assert np.mean(shares) == pytest.approx(level, abs=0.03)


def test_runs_that_are_wrong_throughout_limit_the_coverage() -> None:
    draws, covered, n = np.random.default_rng(0), [], 4
    gap = np.linspace(0, 1, 30)
    for _ in range(150):
        offsets = draws.normal(0, 500, n + 20)
        remaining = [np.append(5_000 + 10_000 * gap + offset, 0) for offset in offsets]
        x = np.append(gap, 0.0)
        forecaster = fit_forecaster(pool([x] * n, remaining[:n]))
        for left in remaining[n:]:
            found = forecaster.forecast(0, x[10], 0.95)
            covered.append(found.lower <= left[10] <= found.upper)
    assert (n - 1) / (n + 1) - 0.05 < np.mean(covered) < (n - 1) / (n + 1) + 0.15
