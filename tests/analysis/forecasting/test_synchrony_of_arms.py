"""Lags and correlations of several runs, arm by arm: by hand, by brute force and by simulation."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.forecasting.synchrony import correlations, lags, median_lag, summary
from analysis.runs.tables import Tables
from grokpipe.errors import InputError
from tests.helpers.made_curves import LOSS, RNC1, TEST, jump, made, shuffled


def of_lags(*found: tuple[float, bool, float, float]) -> pd.DataFrame:
    return pd.DataFrame(found, columns=["lag", "observed", "lower", "upper"])


def near(*values: float) -> list[tuple[float, bool, float, float]]:
    return [(value, True, value - 5, value + 5) for value in values]


def test_median_lag_by_hand() -> None:
    found = median_lag(of_lags(*near(30, -10, 20, 50, 40)))
    assert (found.estimate, found.lower, found.upper) == (30, -15, 55)
    assert found.method == "order statistics, 93.8 %"
    # of ten: the second from either end, 1 − 2 · 11/1024
    ten = median_lag(of_lags(*near(*range(0, 100, 10))))
    assert (ten.estimate, ten.lower, ten.upper) == (45, 5, 85)
    assert ten.method == "order statistics, 97.9 %"


def test_median_lag_with_half_changes_that_were_not_observed() -> None:
    never, before, unknown = (  # the second curve, the first, neither
        (90, False, 90, math.inf),
        (-90, False, -math.inf, -90),
        (math.nan, False, -math.inf, math.inf),
    )
    found = median_lag(of_lags(*near(30, 10, 20, 40), never))
    assert (found.estimate, found.lower, found.upper) == (30, 5, math.inf)
    found = median_lag(of_lags(*near(30, 10, 20, 40), before))
    assert (found.estimate, found.lower, found.upper) == (20, -math.inf, 45)
    # of three, an unknown one decides which of 10 and 20 is in the middle; of 15, 15 it does not
    assert math.isnan(median_lag(of_lags(*near(10, 20), unknown)).estimate)
    assert median_lag(of_lags(*near(15, 15), unknown)).estimate == 15
    # a bound among the others leaves the median open, beyond them it does not
    assert math.isnan(median_lag(of_lags(*near(10, 20, 30), (15, False, 15, math.inf))).estimate)
    assert math.isnan(median_lag(of_lags(*near(10), never, never)).estimate)


def test_median_lag_of_one_run_and_of_none() -> None:
    alone = median_lag(of_lags(*near(30)))
    assert (alone.estimate, alone.method) == (30, "none: one run")
    assert math.isnan(alone.lower) and math.isnan(alone.upper)
    with pytest.raises(ValueError, match="no runs"):
        median_lag(of_lags())


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_median_lag_covers_as_stated(n: int) -> None:
    draws = np.random.default_rng(n)
    covered, repeats = 0, 600
    for _ in range(repeats):
        lag = draws.normal(7, 100, n)
        found = median_lag(of_lags(*((x, True, x, x) for x in lag)))
        covered += found.lower <= 7 <= found.upper
    stated = float(found.method.split()[-2]) / 100
    assert abs(covered / repeats - stated) < 4 * math.sqrt(stated * (1 - stated) / repeats)


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
