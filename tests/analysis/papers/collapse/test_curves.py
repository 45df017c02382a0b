"""Lags, peaks and ranks of one made-up run, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.papers.collapse.estimates import curves, lags
from tests.helpers.collapse_runs import BUDGET, Network


def test_lags_are_logarithms_of_ratios_of_half_changes() -> None:
    """Fits at 1,000, generalises at 4,000, collapses at 5,000."""
    curve = Network(0, 0.1).curve()
    assert curves.log_lag_of_rnc1(curve) == pytest.approx(math.log(5 / 4))
    assert curves.log_delay(curve) == pytest.approx(math.log(4))
    assert curves.nearer_to_test(curve) == pytest.approx(math.log(5 / 4) - math.log(5))


def test_what_was_not_seen_has_no_lag() -> None:
    never = Network(0, 0.1, groks=math.inf)
    at_once = Network(0, 0.1, groks=0, curves={"test_accuracy": np.full(201, 0.9)})
    short = Network(0, 0.1).curve()
    short = short[short["step"] < BUDGET - 1_000]  # it diverged: no final value
    for curve in (never.curve(), at_once.curve(), short, short.drop(columns="collapse/rnc1")):
        assert math.isnan(curves.log_lag_of_rnc1(curve))
        assert math.isnan(curves.nearer_to_test(curve))
    assert math.isnan(lags.half(Network(0, 0.1, fits=0).curve(), "train_accuracy"))


def test_a_sparse_column_is_read_where_it_is_known() -> None:
    run = Network(0, 0.1)
    sparse = np.where(run.steps % 700 == 0, run.jump(7_000, 3.0, 1.0), math.nan)
    curve = run.curve().assign(sparse=sparse)
    assert lags.half(curve, "sparse") == 7_000
    # at 5,000, which the next of the evaluations that know both shows
    lag = lags.log_lag(curve, "sparse", "collapse/rnc1")
    assert lag == pytest.approx(math.log(5_600 / 7_000))


def test_the_last_step_that_was_not_fitted() -> None:
    run = Network(0, 0.1)
    assert curves.last_unfitted(run.curve()) == 900
    fallen = np.where(run.steps == 8_000, 0.99, run.jump(1_000, 0.1, 1.0))
    assert curves.last_unfitted(run.curve().assign(train_accuracy=fallen)) == 8_000
    assert curves.last_unfitted(run.curve().assign(train_accuracy=1.0)) == 0


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.3, 0.8, 0.8, 0.1, 0.1], True),
        ([0.3, 0.8, 0.8, 0.5, 0.5], False),  # ends above half of the peak
        ([0.8, 0.3, 0.2, 0.1, 0.1], False),  # never rises
        ([0.9, 0.3, 0.8, 0.1, 0.1], True),  # a peak below the first value
        ([0.9, 0.3, 0.35, 0.1, 0.1], False),  # a rise of less than a tenth of the range
        ([0.5, 0.5, 0.5, 0.5, 0.5], False),
    ],
)
def test_a_peak_of_rnc1(values: list[float], shown: bool) -> None:
    curve = pd.DataFrame({"step": range(25), "collapse/rnc1": np.repeat(values, 5)})
    assert curves.rnc1_peaks_then_falls(curve) is shown
    assert curves.rnc1_peaks_then_falls(curve.drop(columns="collapse/rnc1")) is None
    assert curves.rnc1_peaks_then_falls(curve * math.nan) is None


def test_the_rank_counts_measures_that_are_nearer() -> None:
    """NC1 changes with test accuracy, the norm soon after; the rest with RNC1 or never. Another
    form of RNC1, accuracies and what snapshots alone know do not compete."""
    run = Network(0, 0.1)
    near = run.jump(4_000, 0.5, 0.02)
    curve = run.curve().assign(**{
        "collapse/nc1": near, "weight_norm": run.jump(4_400, 9, 3), "collapse/rnc1_sup": near,
        "information/x": np.where(run.steps % 700 == 0, near, math.nan), "lr": near,
        "flatness/kappa": 1.0,
    })  # fmt: skip
    assert curves.rank_by_lag(curve) == 3
    assert math.isnan(curves.rank_by_lag(curve.assign(**{"collapse/rnc1": 0.5})))
