"""Laws of the remaining time: intervals against literal resampling, least squares against numpy,
and what is left out is said."""

import numpy as np
import pandas as pd
import pytest

from analysis.forecasting import gap_laws
from analysis.forecasting.predictors import (
    ABSOLUTE_ENTROPY,
    ABSOLUTE_NORM,
    ENTROPY_GAP,
    PREDICTORS,
    Arm,
    Predictor,
    arms,
    logarithm,
    rate,
    reciprocal,
)
from analysis.runs.tables import Tables
from analysis.stats import bootstrap
from analysis.stats.intervals import Interval
from grokpipe.curves.gap import fit, pool
from grokpipe.errors import InputError
from tests.helpers.gap_runs import made_up

CONSTANT = Predictor("constant", "constant")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)


def one_arm(**settings: object) -> Arm:
    (arm,) = arms(*made_up(**settings), "t_grok")  # type: ignore[arg-type]
    return arm


def ends(found: Interval) -> list[float]:
    return [found.estimate, found.lower, found.upper]


def test_intervals_are_of_laws_fitted_to_literally_resampled_runs() -> None:
    arm = one_arm(runs=5)
    pooled = arm.pool(ENTROPY_GAP, np.random.default_rng(0))
    found = gap_laws.law_intervals(pooled, "power", np.random.default_rng(3), "BCa")
    x = [curve["spectral/entropy_train"].to_numpy() for curve in arm.curves]
    remaining = [curve["step"].iloc[-1] - curve["step"].to_numpy() for curve in arm.curves]

    def refitted(indices: np.ndarray) -> np.ndarray:
        numbers = []
        # in one order, so that samples that are the estimate's to the bit are counted as ties
        for drawn in np.sort(indices.reshape(-1, indices.shape[-1])):
            runs = pool([x[run] for run in drawn], [remaining[run] for run in drawn])
            law = fit(runs)
            left = ((runs.remaining - law.remaining(runs.x)) ** 2).sum()
            total = ((runs.remaining - runs.remaining.mean()) ** 2).sum()
            numbers.append([1 - left / total, law.coefficient, law.shape, law.constant])
        return np.array(numbers).reshape(*indices.shape[:-1], 4)

    seed = int(np.random.default_rng(3).integers(2**63))
    for column, interval in enumerate(found.values()):
        literal = bootstrap.interval(
            lambda indices, column=column: refitted(indices)[..., column],
            [5], np.random.default_rng(seed),
        )  # fmt: skip
        assert ends(interval) == pytest.approx(ends(literal), rel=5e-3, abs=2)
    assert found["r_squared"].method == "BCa, 200 resamples of runs"
    # fewer than 20 runs: each is left out once, literally
    left_out = np.array([[run for run in range(5) if run != out] for out in range(5)])
    values = refitted(left_out)[:, 2]
    error = np.sqrt(4 / 5 * ((values - values.mean()) ** 2).sum())
    parameters = gap_laws.fit_law(arm, ENTROPY_GAP, "power", np.random.default_rng(3)).parameters
    few = parameters["gamma"]
    half = 2.7764 * error  # Student's t with 4 degrees of freedom
    assert ends(few) == pytest.approx(
        [found["gamma"].estimate, found["gamma"].estimate - half, found["gamma"].estimate + half],
        rel=5e-3,
    )
    assert few.method == "jackknife of runs"
    assert parameters["C1"] == found["C1"]  # a coefficient's spread is too uneven for it


def test_the_exponent_is_recovered_and_its_curvature_told() -> None:
    convex = gap_laws.fit_law(one_arm(gamma=1.6), ENTROPY_GAP, "power", np.random.default_rng(0))
    assert convex.parameters["gamma"].estimate == pytest.approx(1.6, abs=0.25)
    assert convex.curvature == "convex"
    concave = gap_laws.fit_law(one_arm(gamma=0.5), ENTROPY_GAP, "power", np.random.default_rng(0))
    assert concave.curvature == "concave"


def test_the_logarithm_is_a_line_where_the_data_are_convex() -> None:
    found = gap_laws.fit_law(one_arm(), ENTROPY_GAP, "logarithmic", np.random.default_rng(0))
    assert found.curvature == "line"
    assert ends(found.parameters["x_limit"])[:2] == [-np.inf, -np.inf]
    assert found.parameters["k"].estimate == 0
    concave = one_arm(gamma=0.5)
    found = gap_laws.fit_law(concave, ENTROPY_GAP, "logarithmic", np.random.default_rng(0))
    assert found.curvature == "concave"
    assert found.parameters["x_limit"].estimate < concave.curves[0]["spectral/entropy_train"].min()
    assert found.parameters["k"].estimate > 0


def test_out_of_sample_each_run_is_predicted_by_the_others() -> None:
    arm = one_arm()
    squares = totals = 0.0
    x = [curve["spectral/entropy_train"].to_numpy() for curve in arm.curves]
    remaining = [curve["step"].iloc[-1] - curve["step"].to_numpy() for curve in arm.curves]
    for out in range(4):
        others = [run for run in range(4) if run != out]
        runs = pool([x[run] for run in others], [remaining[run] for run in others])
        truth = remaining[out][:-1]
        squares += ((truth - fit(runs).remaining(x[out][:-1])) ** 2).sum()
        totals += ((truth - runs.remaining.mean()) ** 2).sum()
    found = gap_laws.fit_law(arm, ENTROPY_GAP, "power", np.random.default_rng(0))
    assert found.r_squared_out.estimate == pytest.approx(1 - squares / totals, abs=1e-4)
    assert found.r_squared_out.estimate < found.r_squared.estimate


def test_combinations_are_least_squares() -> None:
    arm = one_arm()
    both = (ABSOLUTE_ENTROPY, ABSOLUTE_NORM)
    for curve in arm.curves:
        curve.loc[curve.index[3], "weight_norm"] = np.nan
    found = gap_laws.fit_combination(arm, "both", both, np.random.default_rng(0))
    assert found.undefined == 4
    designs, targets = [], []
    for curve in arm.curves:
        used = curve.iloc[:-1].dropna(subset="weight_norm")
        x = used[["spectral/entropy_train", "weight_norm"]].to_numpy()
        designs.append(np.concatenate([np.ones((len(x), 1)), x, x**2], -1))
        targets.append(curve["step"].iloc[-1] - used["step"].to_numpy())

    def solve(runs: list[int]) -> np.ndarray:
        design, target = (
            np.concatenate([all_[run] for run in runs]) for all_ in (designs, targets)
        )
        return np.linalg.lstsq(design, target)[0]

    left = out = total = total_out = 0.0
    mean = np.concatenate(targets).mean()
    for run, (design, target) in enumerate(zip(designs, targets)):
        others = [other for other in range(4) if other != run]
        left += ((target - design @ solve([0, 1, 2, 3])) ** 2).sum()
        out += ((target - design @ solve(others)) ** 2).sum()
        total += ((target - mean) ** 2).sum()
        total_out += ((target - np.concatenate([targets[o] for o in others]).mean()) ** 2).sum()
    assert found.r_squared.estimate == pytest.approx(1 - left / total)
    assert found.r_squared_out.estimate == pytest.approx(1 - out / total_out)
    assert found.r_squared.lower <= found.r_squared.estimate <= found.r_squared.upper


def test_the_table_of_two_arms() -> None:
    tables, events = made_up(decays=(0.5, 1.0))
    table, notes = gap_laws.laws(tables, events, "t_grok", np.random.default_rng(0))
    assert notes == []
    assert table["weight_decay"].unique().tolist() == [1.0, 0.5]
    of_one = table[table["weight_decay"] == 1.0].set_index(["predictor", "law"])
    assert of_one.loc[("entropy gap", "power"), "r_squared"] > 0.8
    assert of_one.loc[("random", "power"), "r_squared"] < 0.2
    assert of_one.loc[("random", "power"), "r_squared_out"] < 0.05
    assert (of_one["runs"] == 4).all()
    assert of_one.loc[("rate of entropy", "power"), "undefined"] == 4 * 5
    assert table.loc[table["law"] != "power", "gamma"].isna().all()
    readable = gap_laws.readable(table)
    oracles = {name for name in readable["predictor"] if "oracle" in name}
    assert oracles == {"test loss gap (log) (oracle)"}
    assert len(readable) == len(table) and list(readable)[:3] == [
        "weight_decay",
        "predictor",
        "law",
    ]


def test_a_search_that_ended_at_its_bound_says_so() -> None:
    columns = [f"{name}{end}" for name in ("r_squared", "r_squared_out", "gamma")
               for end in ("", "_lower", "_upper")]  # fmt: skip
    table = pd.DataFrame([[0.5, 0.4, 0.6] * 2 + [gamma, 0.05, 10.0] for gamma in (0.05, 2, 10)])
    table.columns = columns
    table.insert(0, "predictor", "x")
    table.insert(1, "law", "power")
    table = table.assign(curvature="", runs=1, points=1, undefined=0)
    said = [text.split(" [")[0] for text in gap_laws.readable(table)["γ [95 %]"]]
    assert said == ["≤ 0.05", "2.00", "≥ 10.00"]


def test_the_same_for_the_same_generator_and_in_any_order() -> None:
    tables, events = made_up()
    table, _ = gap_laws.laws(tables, events, "t_grok", np.random.default_rng(5))
    again, _ = gap_laws.laws(
        Tables(tables.curves.sample(frac=1, random_state=1), tables.cells, tables.folder),
        events.sample(frac=1, random_state=2), "t_grok", np.random.default_rng(5),
    )  # fmt: skip
    pd.testing.assert_frame_equal(table, again)


def test_what_was_not_measured_or_never_happened_is_said() -> None:
    tables, events = made_up(never=1)
    tables.curves.drop(columns="flatness/kappa", inplace=True)
    tables.curves["collapse/cdnv"] = np.nan
    table, notes = gap_laws.laws(tables, events, "t_grok", np.random.default_rng(0))
    assert (table["runs"] == 3).all()
    assert not {"κ gap (log)", "CDNV gap (log)"} & set(table["predictor"])
    assert len(notes) == 3
    assert "all runs: t_grok was not observed in 1 of 4 runs" in notes[0]
    assert "CDNV gap (log) left out: the predictor has no value" in notes[1]
    assert "κ gap (log) left out: flatness/kappa: the runs did not measure it" in notes[2]


def test_no_event_is_refused() -> None:
    tables, events = made_up(never=4)
    with pytest.raises(InputError, match="event=t_grok: no run had it"):
        gap_laws.laws(tables, events, "t_grok", np.random.default_rng(0))
    with pytest.raises(InputError, match="event=t_gork: must be a step of the runs: t_grok"):
        gap_laws.laws(tables, events, "t_gork", np.random.default_rng(0))


def test_a_single_run_has_no_intervals() -> None:
    found = gap_laws.fit_law(one_arm(runs=1), ENTROPY_GAP, "power", np.random.default_rng(0))
    assert found.r_squared.estimate > 0.8
    assert found.r_squared.method == "none: one run"
    assert np.isnan(found.r_squared_out.estimate)
    assert found.curvature == "undecided"
    arm = one_arm(runs=1)
    both = gap_laws.fit_combination(arm, "x", (ABSOLUTE_ENTROPY,), np.random.default_rng(0))
    assert both.r_squared.method == "none: one run" and np.isnan(both.r_squared_out.estimate)


def test_a_constant_predictor_explains_nothing() -> None:
    found = gap_laws.fit_law(one_arm(), CONSTANT, "power", np.random.default_rng(0))
    assert found.r_squared.estimate == pytest.approx(0)
    assert found.r_squared_out.estimate == pytest.approx(0)
    assert np.isnan(found.parameters["gamma"].estimate)
    assert found.curvature == "undecided"
    both = gap_laws.fit_combination(one_arm(), "x", (CONSTANT,), np.random.default_rng(0))
    assert both.r_squared.estimate == pytest.approx(0)


def test_predictors_by_hand() -> None:
    steps = np.array([0.0, 10, 20, 30, 40, 60, 80])
    values = np.array([1.0, 1, 1, 1, 1, 4, 9])
    assert rate(steps, values) == pytest.approx([np.nan] * 5 + [3 / 60, 8 / 70], nan_ok=True)
    assert len(rate(steps[:3], values[:3])) == 3
    assert reciprocal(steps[:2], np.array([4.0, 0])) == pytest.approx([0.25, np.nan], nan_ok=True)
    logarithms = logarithm(steps[:3], np.array([1.0, 0, -1]))
    assert logarithms == pytest.approx([0, np.nan, np.nan], nan_ok=True)
    assert len({predictor.name for predictor in PREDICTORS}) == len(PREDICTORS)
