"""Lags and rank correlations of two curves, against brute force, scipy and by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import synchrony
from analysis.gather import Tables
from analysis.rows import CELL_COLUMNS
from analysis.synchrony import Lag, correlations, lags, median_lag, rank_correlations, summary
from analysis.timescales import events
from grokpipe.curves.events import Event
from grokpipe.errors import InputError

TEST, RNC1, LOSS, ENTROPY = "test_accuracy", "collapse/rnc1", "train_loss", "spectral/entropy_train"


def made(*runs: dict[str, object]) -> Tables:
    """Tables of runs: columns of curves, and single values for the configuration and the state."""
    curves, cells = [], []
    for number, run in enumerate(runs):
        run = {"key": f"{number:016d}", "seed": number, "weight_decay": 1.0, "state": "done"} | run
        measured = {name: value for name, value in run.items() if np.ndim(value)}
        measured = {"step": np.arange(len(next(iter(measured.values())))) * 100} | measured
        frame = pd.DataFrame(measured)
        curves.append(frame.assign(key=run["key"], seed=run["seed"]))
        cells.append(
            {name: "" for name in CELL_COLUMNS} | {"classes": 10}
            | {name: run[name] for name in ("key", "state", "seed", "weight_decay")}
            | {"steps": 10_000}
        )  # fmt: skip
    return Tables(pd.concat(curves, ignore_index=True), pd.DataFrame(cells), Path("made"))


def jump(at: int, before: float, after: float, n: int = 20) -> np.ndarray:
    """A curve that jumps at evaluation `at`."""
    return np.where(np.arange(n) >= at, after, before)


def shuffled(tables: Tables) -> Tables:
    return replace(
        tables,
        curves=tables.curves.sample(frac=1, random_state=1),
        cells=tables.cells.sample(frac=1, random_state=2),
    )


def event(lower: float, upper: float, last: float = 1000.0) -> Event:
    observed = math.isfinite(upper)
    return Event(upper if observed else last, observed, lower, upper, last)


# Lags


def test_lag_by_hand() -> None:
    early, late, never = event(100, 200), event(400, 500), event(1000, math.inf)
    assert Lag.between(early, late) == Lag(300, True, 200, 400)
    assert Lag.between(late, early) == Lag(-300, True, -400, -200)
    assert Lag.between(early, never) == Lag(800, False, 800, math.inf)
    assert Lag.between(never, early) == Lag(-800, False, -math.inf, -800)
    neither = Lag.between(never, never)
    assert math.isnan(neither.lag)
    assert (neither.observed, neither.lower, neither.upper) == (False, -math.inf, math.inf)


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


# Over runs


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


def test_the_least_change_of_accuracies_is_absolute() -> None:
    """A rise of test accuracy from 0.10 to 0.13 is a third more, and no generalisation."""
    assert synchrony.LEAST[TEST] == 0.2
    found = lags(made({TEST: jump(7, 0.10, 0.13), RNC1: jump(4, 0.5, 0.1)}), TEST, RNC1)
    assert not found.at[0, "observed"]
