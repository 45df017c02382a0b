"""Lags and rank correlations of two curves, against brute force, scipy and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.forecasting.synchrony import correlations, lags, rank_correlations
from analysis.times.timescales import events
from grokpipe.errors import InputError
from tests.helpers.made_curves import ENTROPY, LOSS, RNC1, TEST, jump, made, shuffled

# Lags


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_the_lag_between_the_evaluations(seed: int) -> None:
    draws = np.random.default_rng(seed)
    step = np.unique(draws.integers(0, 5000, 25))
    at = draws.uniform(step[0], step[-8], 2)  # the curves jump there, between evaluations
    rising = np.where(step >= at[0], 0.9, 0.1)
    falling = np.where(step >= at[1], 0.01, 0.5)
    rising[draws.random(len(step)) < 0.2] = math.nan
    rising[[0, -1]] = 0.1, 0.9
    found = lags(made({"step": step, TEST: rising, RNC1: falling}), TEST, RNC1).iloc[0]
    assert found["observed"], f"seed {seed}"
    assert found["lower"] < at[1] - at[0] < found["upper"], f"seed {seed}"
    known = step[~np.isnan(rising)]
    first, second = known[known >= at[0]][0], step[step >= at[1]][0]
    assert found["lag"] == second - first, f"seed {seed}"


def test_lags_have_a_row_per_run_with_its_configuration() -> None:
    tables = made(
        {TEST: jump(7, 0.1, 0.9), RNC1: jump(4, 0.5, 0.1), "weight_decay": 0.3},
        {TEST: jump(7, 0.1, 0.9), RNC1: jump(4, 0.5, 0.1), "state": "interrupted"},
        {TEST: jump(7, 0.1, 0.9), RNC1: jump(4, 0.5, 0.45)},
    )
    found = lags(tables, TEST, RNC1)
    assert list(found["weight_decay"]) == [0.3, 1.0, 1.0]
    assert found.loc[0, ["lag", "observed", "lower", "upper"]].tolist() == [-300, True, -400, -200]
    # not finished: neither final value is known, so nothing is known of the lag
    assert math.isnan(found.at[1, "lag"]) and found.at[1, "lower"] == -math.inf
    # a fall of a tenth is no change: it has not fallen by step 1,900
    assert found.loc[2, ["lag", "observed", "lower"]].tolist() == [1200, False, 1200]
    assert found.at[2, "upper"] == math.inf
    pd.testing.assert_frame_equal(found, lags(shuffled(tables), TEST, RNC1))


@pytest.mark.parametrize("seed", range(10))
def test_half_changes_are_those_of_the_events(seed: int) -> None:
    draws = np.random.default_rng(seed)
    noise = draws.normal(0, 0.03, (3, 20))
    tables = made(
        {
            "train_accuracy": np.ones(20),
            TEST: jump(draws.integers(2, 12), 0.1, draws.uniform(0.25, 0.9)) + noise[0],
            RNC1: jump(draws.integers(2, 12), 0.6, draws.uniform(0.05, 0.55)) + noise[1],
            ENTROPY: jump(draws.integers(2, 12), 0.8, draws.uniform(0.6, 0.8)) + noise[2] / 3,
        }
    )
    halves = events(tables).set_index("event")
    names = {TEST: "tau2_half", RNC1: "tau_rnc1_half", ENTROPY: "t_entropy_half"}
    for second in (RNC1, ENTROPY):
        found = lags(tables, TEST, second).iloc[0]
        a, b = halves.loc[names[TEST]], halves.loc[names[second]]
        assert found["observed"] == (a["observed"] and b["observed"]), f"seed {seed}"
        assert found["lower"] == b["lower"] - a["upper"], f"seed {seed}"
        assert found["upper"] == b["upper"] - a["lower"], f"seed {seed}"


@pytest.mark.parametrize("values", [np.zeros(20), np.full(20, 0.1), np.full(20, math.nan)])
def test_a_curve_that_does_not_change_has_no_half(values: np.ndarray) -> None:
    found = lags(made({TEST: jump(7, 0.1, 0.9), LOSS: values}), TEST, LOSS).iloc[0]
    assert not found["observed"] and found["upper"] == math.inf


def test_the_least_change_of_accuracies_is_absolute() -> None:
    """A rise of test accuracy from 0.10 to 0.13 is a third more, and no generalisation."""
    found = lags(made({TEST: jump(7, 0.10, 0.13), RNC1: jump(4, 0.5, 0.1)}), TEST, RNC1)
    assert not found.at[0, "observed"]


# Correlations


def residuals(values: np.ndarray, given: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(len(given)), given])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


@pytest.mark.parametrize("seed", range(20))
def test_partial_correlation_is_that_of_residuals_of_ranks(seed: int) -> None:
    draws = np.random.default_rng(seed)
    values = draws.normal(size=(draws.integers(5, 60), 3))
    values[:, 1] += values[:, 0] * draws.normal() + values[:, 2]
    values = values.round(1)  # with ties
    simple, partial = rank_correlations(pd.DataFrame(values))
    ranks = stats.rankdata(values, axis=0)
    left = [residuals(ranks[:, column], ranks[:, 2]) for column in (0, 1)]
    assert simple == pytest.approx(stats.spearmanr(values[:, 0], values[:, 1])[0]), f"seed {seed}"
    assert partial == pytest.approx(np.corrcoef(*left)[0, 1]), f"seed {seed}"


def test_a_common_cause_is_held_fixed() -> None:
    draws = np.random.default_rng(0)
    cause = draws.normal(size=2000)
    values = pd.DataFrame({n: cause + draws.normal(size=2000) for n in "ab"}).assign(c=cause)
    simple, partial = rank_correlations(values)
    assert simple > 0.4 and abs(partial) < 0.05


def test_correlations_by_brute_force() -> None:
    draws = np.random.default_rng(3)
    curves = {name: draws.normal(size=20).cumsum() for name in (TEST, RNC1, LOSS)}
    curves[RNC1][[2, 9]] = math.nan, math.inf
    curves[LOSS][5] = math.nan
    tables = made(curves)
    found = correlations(tables, TEST, RNC1, LOSS, until=1500).iloc[0]
    kept = [at for at in range(16) if at not in (2, 5, 9)]
    levels = {name: curve[kept] for name, curve in curves.items()}
    increments = {name: np.diff(curve) for name, curve in levels.items()}
    assert (found["evaluations"], found["dropped"]) == (13, 3)
    for name, values in (("levels", levels), ("increments", increments)):
        assert found[name] == pytest.approx(stats.spearmanr(values[TEST], values[RNC1])[0])
        ranks = {column: stats.rankdata(of_column) for column, of_column in values.items()}
        left = [residuals(ranks[column], ranks[LOSS]) for column in (TEST, RNC1)]
        assert found[f"partial_{name}"] == pytest.approx(np.corrcoef(*left)[0, 1])
    pd.testing.assert_frame_equal(
        correlations(tables, TEST, RNC1, LOSS), correlations(shuffled(tables), TEST, RNC1, LOSS)
    )
    assert "partial_levels" not in correlations(tables, TEST, RNC1)


def test_a_curve_may_be_correlated_with_the_clock() -> None:
    draws = np.random.default_rng(4)
    curves = {name: draws.normal(size=20).cumsum() for name in (TEST, LOSS)}
    found = correlations(made(curves), "step", TEST, LOSS).iloc[0]
    ranks = {name: stats.rankdata(curve) for name, curve in curves.items()}
    assert found["levels"] == pytest.approx(stats.spearmanr(np.arange(20), curves[TEST])[0])
    left = [residuals(of_curve, ranks[LOSS]) for of_curve in (np.arange(20.0), ranks[TEST])]
    assert found["partial_levels"] == pytest.approx(np.corrcoef(*left)[0, 1])
    assert math.isnan(found["increments"])  # those of the clock are equal
    with pytest.raises(InputError, match="no column step"):
        lags(made(curves), "step", TEST)


def test_undefined_correlations_are_nan() -> None:
    falling = np.array([9.0, 7, 6, 2, 1, 0.5])
    ramp = np.arange(6) / 10  # equal increments, but for round-off
    found = correlations(made({TEST: ramp, RNC1: falling, LOSS: 10 - falling}), TEST, RNC1, LOSS)
    assert found["levels"].tolist() == [-1]
    assert math.isnan(found.at[0, "increments"])
    assert math.isnan(found.at[0, "partial_levels"])  # the loss determines both
    short = correlations(made({TEST: falling[:4], RNC1: falling[:4] ** 2}), TEST, RNC1)
    assert short["levels"].tolist() == [1]
    assert math.isnan(short.at[0, "increments"])  # three are too few
    constant = correlations(made({TEST: falling, RNC1: np.full(6, 0.1)}), TEST, RNC1)
    assert constant[["levels", "increments"]].isna().all(axis=None)
    nothing = correlations(made({TEST: falling, RNC1: np.full(6, math.nan)}), TEST, RNC1)
    assert nothing.loc[0, ["evaluations", "dropped"]].tolist() == [0, 6]
    assert nothing[["levels", "increments"]].isna().all(axis=None)


def test_increments_far_below_the_first_value_count() -> None:
    """κ begins at 1e7 and moves by less than 1 where it matters; a loss may be tiny throughout."""
    draws = np.random.default_rng(0)
    small = draws.normal(25, 0.1, 30)
    curves = {RNC1: np.append(1e7, small), TEST: np.append(0.0, -small), LOSS: np.append(0, small)}
    curves[LOSS] *= 1e-14
    assert correlations(made(curves), RNC1, TEST).at[0, "increments"] < -0.8
    assert correlations(made(curves), TEST, LOSS).at[0, "increments"] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((TEST, "rnc1"), f"made: no column rnc1; valid: {TEST}, {RNC1}"),
        ((TEST, "seed"), f"made: no column seed; valid: {TEST}, {RNC1}"),
        ((TEST, TEST), f"{TEST}, {TEST}: must be different columns"),
    ],
)
def test_other_columns_are_refused(columns: tuple[str, str], message: str) -> None:
    tables = made({TEST: jump(7, 0.1, 0.9), RNC1: jump(4, 0.5, 0.1)})
    for of in (lags, correlations):
        with pytest.raises(InputError, match=f"^{message}$"):
            of(tables, *columns)
