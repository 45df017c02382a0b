"""What is read from snapshots of one run: information, theorems, margins; made up, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.papers.collapse.estimates import information, margins, theorems
from tests.helpers.collapse_runs import Network

Y, X = information.OF_LABEL, information.OF_INPUT


def known(values: dict[str, list[float]]) -> pd.DataFrame:
    """A curve that knows the columns at every other evaluation."""
    rows = {name: np.column_stack([one, np.full(len(one), math.nan)]).reshape(-1)
            for name, one in values.items()}  # fmt: skip
    n = len(next(iter(rows.values())))
    return pd.DataFrame({"step": np.arange(n) * 10, **rows})


def test_lags_of_redundant_information_are_from_rnc1() -> None:
    run = Network(0, 0.1)  # collapses at 5,000
    sparse = np.where(run.steps % 500 == 0, run.jump(10_000, 30.0, 2.0), math.nan)
    curve = run.curve().assign(**{information.NHSIC: sparse, information.COMPRESSION: -sparse})
    assert information.log_lag_of_nhsic(curve) == pytest.approx(math.log(2))
    assert information.log_lag_of_compression(curve) == pytest.approx(math.log(2))
    assert math.isnan(information.log_lag_of_nhsic(run.curve()))


@pytest.mark.parametrize(
    ("label", "inputs", "shown"),
    [
        ([1.0, 2.0, 2.1, 2.0], [1.0, 1.1, 3.0, 2.0], True),
        ([1.0, 1.1, 2.1, 2.0], [1.0, 3.0, 3.0, 2.0], False),  # the inputs first
        ([1.0, 2.0, 2.1, 2.0], [3.0, 2.0, 1.0, 0.5], False),  # the inputs never rise
        ([2.0, 1.0, 0.5, 2.4], [4.0, 1.0, 2.0, 4.4], True),  # both at once, after a loss
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.1, 3.0, 2.0], False),
        ([1.0, math.nan, math.nan, math.nan], [1.0, 1.1, 3.0, 2.0], None),
    ],
)
def test_which_information_rises_first(
    label: list[float], inputs: list[float], shown: bool | None
) -> None:
    curve = known({Y: label, X: inputs})
    assert information.label_information_rises_first(curve) is shown
    assert information.label_information_rises_first(curve.drop(columns=X)) is None


def test_a_bound_holds_wherever_it_is_known() -> None:
    curve = known({theorems.BOUND: [0.9, 0.5, 0.3], theorems.TRAINING_BOUND: [0.9, 0.4, 0.2]})
    curve["test_accuracy"] = [0.1, 0.0, 0.6, 0.0, 0.7, 0.0]  # an error of 1 where nothing is known
    assert theorems.bound_holds(curve) is True
    assert theorems.training_bound_holds(curve) is False
    assert theorems.bound_holds(curve.assign(test_accuracy=0.0)) is False
    assert theorems.bound_holds(curve * math.nan) is None
    assert theorems.training_bound_holds(curve.drop(columns=theorems.TRAINING_BOUND)) is None


def mixture(estimate: float = 0.5, trace: float = 2.0) -> pd.DataFrame:
    """Estimate, bound by covariances (0.5) and by their traces, at two snapshots and three noises;
    only the last snapshot of the largest noise differs."""
    values = {}
    for sigma in theorems.SIGMAS:
        last = sigma == "1"
        values[f"information/conditional_{sigma}"] = [0.4, estimate if last else 0.4]
        values[f"information/gaussian_bound_{sigma}"] = [0.8, 0.5]
        values[f"information/trace_bound_{sigma}"] = [2.0, trace if last else 2.0]
    return known(values)


def test_conditional_information_stays_below_both_bounds_for_each_noise() -> None:
    below = theorems.conditional_information_below_bounds
    assert below(mixture()) is True
    assert below(mixture(estimate=0.549)) is True  # the error of the estimate is allowed
    assert below(mixture(estimate=0.56)) is False
    assert below(mixture(trace=0.4)) is False
    assert below(mixture() * math.nan) is None
    assert below(mixture().drop(columns="information/conditional_0.1")) is None


def test_slack_is_a_geometric_mean_of_ratios() -> None:
    assert theorems.slack(mixture()) == pytest.approx(math.sqrt(0.8 / 0.4 * 0.5 / 0.4))
    assert math.isnan(theorems.slack(mixture() * 0))
    assert math.isnan(theorems.slack(known({"x": [1.0]})))


def distances(quantile: float = 0.2, late: float = 0.1, steps: float = 1.0) -> pd.DataFrame:
    """Snapshots at 8,000, 15,000, 40,000 and 100,000 (times `steps`): classes 2 apart, with a
    standard deviation of 0.3 and 0.4, later `late` times that; the least distance of training
    samples of class 9 from the boundary is `quantile`."""
    columns: dict[str, list[float]] = {}
    for first, second in margins.PAIRS:
        for label, side in ((first, 1), (second, -1)):
            place = f"margins/{first}_{second}"
            deviation = 0.3 if side > 0 else 0.4
            columns[f"{place}/test/{label}/mean"] = [side * 1.0] * 4
            columns[f"{place}/test/{label}/sd"] = [9.0, deviation, 9.0, deviation * late]
            nearest = quantile if label == 9 else 0.2
            columns[f"{place}/train/{label}/{'q1' if side > 0 else 'q99'}"] = [
                -9.0 * side, side * nearest, 9.0 * side, 9.0 * side,
            ]  # fmt: skip
    return pd.DataFrame({"step": np.array([8e3, 15e3, 40e3, 1e5]) * steps, **columns})


def test_the_training_set_is_separated_if_each_class_is_on_its_side() -> None:
    assert margins.separated_early(distances()) is True
    assert margins.separated_early(distances(quantile=-0.01)) is False
    assert margins.separated_early(distances(steps=0.1)) is None  # no snapshot near 16,000
    assert margins.separated_early(distances().drop(columns="margins/8_9/train/9/q99")) is None


def test_contraction_is_of_the_spread_relative_to_the_distance_of_the_means() -> None:
    spread = math.sqrt((0.3**2 + 0.4**2) / 2) / 2
    np.testing.assert_allclose(margins.spread(distances(), 16_000), [spread] * 3)
    assert margins.log_contraction(distances()) == pytest.approx(math.log(0.1))
    for unknown in (distances(steps=0.1), distances(late=0.0), distances() * math.nan):
        assert math.isnan(margins.log_contraction(unknown))
