"""R² out of sample against loops over runs."""

import math

import numpy as np
import pytest

from analysis.forecasting import out_of_sample

RUN = np.repeat([0, 1, 2, 3], 5)
DRAWS = np.random.default_rng(3)
REMAINING = 100.0 * np.tile(np.arange(5, 0, -1), 4) + 50.0 * RUN
GOOD, POOR = (REMAINING + DRAWS.normal(0, noise, len(RUN)) for noise in (5, 60))


def by_hand(predicted: np.ndarray) -> float:
    """1 − Σ squares of errors / Σ squares about the mean of the other runs."""
    errors = ((REMAINING - predicted) ** 2).sum()
    around = sum(
        ((REMAINING[run == RUN] - REMAINING[run != RUN].mean()) ** 2).sum() for run in range(4)
    )
    return float(1 - errors / around)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("predicted", [GOOD, POOR])
def test_r_squared_is_against_the_mean_of_the_other_runs(predicted: np.ndarray) -> None:
    found = out_of_sample.r_squared(predicted, REMAINING, RUN, generator())
    assert found.estimate == pytest.approx(by_hand(predicted))
    assert found.lower <= found.estimate <= found.upper <= 1


def test_the_gain_is_the_difference_of_both() -> None:
    found = out_of_sample.gain(GOOD, POOR, REMAINING, RUN, generator())
    assert found.estimate == pytest.approx(by_hand(GOOD) - by_hand(POOR))
    assert found.estimate > 0


def test_one_run_has_no_others() -> None:
    alone = np.zeros(5, dtype=int)
    found = out_of_sample.r_squared(GOOD[:5], REMAINING[:5], alone, generator())
    assert math.isnan(found.estimate) and "fewer than two runs" in found.method
