"""The mean of the runs: Student's interval against scipy's, and what has none."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.means import DEFAULT, FEW, METHODS, mean, prediction


def draws() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 5, 19])
def test_few_runs_have_students_interval(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    found = mean(values, draws())
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.method == "t"
    assert (found.estimate, found.lower, found.upper) == pytest.approx(
        (values.mean(), expected.low, expected.high)
    )


def test_many_runs_have_a_bootstrap_of_which_the_order_is_no_part() -> None:
    values = np.random.default_rng(1).normal(3, 2, FEW)
    found = mean(values, draws())
    assert DEFAULT in found.method
    half = stats.sem(values) * stats.norm.isf(0.025)
    assert (found.lower, found.upper) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.25 * half
    )
    assert mean(values[::-1], draws()) == found


@pytest.mark.parametrize(
    ("values", "estimate", "why"),
    [
        ([4.0], 4.0, "one run"),
        ([4.0, 4.0], 4.0, "no spread"),
        ([1.0, math.nan, 2.0], math.nan, "a value is not finite"),
        ([1.0, math.inf], math.nan, "a value is not finite"),
    ],
)
def test_no_interval_says_why(values, estimate, why) -> None:
    found = mean(values, draws())
    assert found.estimate == pytest.approx(estimate, nan_ok=True)
    assert found.method == f"none: {why}" and not found.bounded


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="a mean of no runs"):
        mean([], draws())
    with pytest.raises(ValueError, match=f"method=jackknife: must be one of {METHODS[0]}"):
        mean([1.0, 2.0], draws(), "jackknife")


def test_a_prediction_holds_the_mean_of_a_replication_as_often_as_it_says() -> None:
    generator = np.random.default_rng(4)
    samples, replications = generator.normal(3, 2, (4_000, 5)), generator.normal(3, 2, (4_000, 8))
    held = 0
    for sample, replication in zip(samples, replications):
        found = prediction(sample, 8)
        held += found.lower <= replication.mean() <= found.upper
    assert abs(held / 4_000 - 0.95) < 0.011  # three standard errors
    assert found.method == "t, prediction for 8 runs"


def test_a_prediction_for_very_many_runs_is_students_interval() -> None:
    values = np.array([3.0, 5.0, 4.0, 9.0])
    found, expected = prediction(values, 10**12), mean(values, draws(), "t")
    assert (found.lower, found.upper) == pytest.approx((expected.lower, expected.upper))


def test_what_has_no_prediction() -> None:
    assert prediction([3.0], 5).method == "none: one run"
    assert prediction([3.0, 3.0], 5).method == "none: no spread"
    assert math.isnan(prediction([3.0, math.inf], 5).estimate)
    with pytest.raises(ValueError, match="0 runs, predicted from 2"):
        prediction([1.0, 2.0], 0)
