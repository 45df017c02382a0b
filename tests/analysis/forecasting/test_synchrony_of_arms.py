"""Lags and correlations of several runs, arm by arm: by hand, by brute force and by simulation."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.forecasting.synchrony import correlations, lags, summary
from analysis.runs.tables import Tables
from grokpipe.errors import InputError
from tests.helpers.made_curves import LOSS, RNC1, TEST, jump, made, shuffled


def grid() -> Tables:
    """Two arms of six seeds; in the second RNC1 falls late, and in one run not at all."""
    draws = np.random.default_rng(5)
    runs = []
    for decay, delay in ((0.1, 4), (0.3, 0)):
        for seed in range(6):
            at = int(draws.integers(4, 8))
            noise = draws.normal(0, 0.01, (3, 20))
            falls = 0.45 if (decay, seed) == (0.1, 0) else 0.05
            runs.append(
                {
                    TEST: jump(at, 0.1, 0.9) + noise[0],
                    RNC1: jump(at + delay, 0.5, falls) + noise[1],
                    LOSS: np.geomspace(1, 1e-3, 20) + noise[2],
                    "weight_decay": decay,
                    "seed": seed,
                }
            )
    return made(*runs)


def test_summary() -> None:
    tables = grid()
    found = summary(tables, TEST, RNC1, LOSS, ["weight_decay"], np.random.default_rng(0))
    assert found["weight_decay"].tolist() == [0.3, 0.1]
    assert found["n"].tolist() == [6, 6] and found["observed"].tolist() == [6, 5]
    assert found["lag"].tolist() == [0, 400]
    assert found["lag_lower"].tolist() == [-100, 300]
    assert found["lag_upper"].tolist() == [100, math.inf]
    # at the same evaluation they are together: no run of the first arm counts
    assert found["later"].tolist() == [0, 6] and found["earlier"].tolist() == [0, 0]
    assert math.isnan(found.at[0, "sign_p"]) and found.at[1, "sign_p"] == 2 / 2**6
    runs = correlations(tables, TEST, RNC1, LOSS)
    for row in found.to_dict("records"):
        arm = runs[runs["weight_decay"] == row["weight_decay"]]
        for name in ("levels", "increments", "partial_levels", "partial_increments"):
            assert row[name] == pytest.approx(arm[name].median())
            assert arm[name].min() <= row[f"{name}_lower"] <= row[name]
            assert row[name] <= row[f"{name}_upper"] <= arm[name].max()
            assert (row[f"{name}_method"], row[f"{name}_n"]) == ("percentile", 6)
    again = summary(shuffled(tables), TEST, RNC1, LOSS, ["weight_decay"], np.random.default_rng(0))
    pd.testing.assert_frame_equal(found, again)


def test_runs_that_are_together_are_left_out_of_the_sign_test() -> None:
    falls = (7, 7, 8, 9, 12, 3)  # test accuracy rises at 7
    runs = [{TEST: jump(7, 0.1, 0.9), RNC1: jump(at, 0.5, 0.1)} for at in falls]
    found = summary(made(*runs), TEST, RNC1, None, ["steps"], np.random.default_rng(0)).iloc[0]
    assert (found["later"], found["earlier"]) == (3, 1)
    assert found["sign_p"] == pytest.approx(2 * 5 / 16)  # 3 or 4 of 4, both sides


def test_summary_where_correlations_are_undefined() -> None:
    constant = np.full(20, 0.1)
    runs = [{TEST: jump(7, 0.1, 0.9), RNC1: constant, "weight_decay": decay} for decay in (1, 2)]
    found = summary(made(*runs), TEST, RNC1, None, ["weight_decay"], np.random.default_rng(0))
    assert found["levels"].isna().all() and (found["levels_n"] == 0).all()
    assert (found["levels_method"] == "none: undefined in every run").all()


def test_runs_that_share_a_seed_are_refused() -> None:
    message = r"^by steps: runs of a group share a seed; also by: weight_decay$"
    with pytest.raises(InputError, match=message):
        summary(grid(), TEST, RNC1, None, ["steps"], np.random.default_rng(0))


def test_no_evaluation_is_refused() -> None:
    tables = grid()
    empty = replace(tables, curves=tables.curves.iloc[:0])
    assert len(lags(empty, TEST, RNC1)) == 0 and len(correlations(empty, TEST, RNC1)) == 0
    with pytest.raises(InputError, match=r"^made: no run has an evaluation yet$"):
        summary(empty, TEST, RNC1, None, ["weight_decay"], np.random.default_rng(0))
