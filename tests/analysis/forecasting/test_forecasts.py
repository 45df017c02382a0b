"""Forecasts of each run by the others: nothing leaks from the run that is forecast; errors, lead
times and coverage by hand; the figure draws."""

from collections.abc import Callable
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.figures import forecast as figure
from analysis.figures.style import prepare
from analysis.forecasting import forecasts
from analysis.forecasting.forecasts import (
    FORECASTS,
    LEVELS,
    coverage,
    errors,
    leave_one_out,
    per_run,
)
from analysis.runs.tables import Tables
from grokpipe.curves.forecast import fit_forecaster
from grokpipe.curves.gap import pool
from grokpipe.errors import InputError
from tests.helpers.gap_runs import made_up

ENTROPY = "spectral/entropy_train"


def forecast(tables: Tables, events: pd.DataFrame) -> pd.DataFrame:
    return leave_one_out(tables, events, "t_grok")[0]


def of(long: pd.DataFrame, seed: int, until: float = np.inf) -> pd.DataFrame:
    """What is forecast for a run, without what is known only at its end."""
    shown = long[(long["seed"] == seed) & (long["step"] <= until)]
    return shown.drop(columns=["truth", "x_at_event"]).reset_index(drop=True)


def test_a_run_is_forecast_by_the_law_of_the_others() -> None:
    tables, events = made_up()
    curves = [curve for _, curve in tables.curves.groupby("key")]
    ends = events["step"].to_numpy()
    others = pool(
        [curves[run][ENTROPY] for run in (0, 1, 3)],
        [ends[run] - curves[run]["step"] for run in (0, 1, 3)],
    )
    before = curves[2][curves[2]["step"] < ends[2]]
    expected = fit_forecaster(others).forecast(before["step"], before[ENTROPY], 0.8)
    found = forecast(tables, events).query("seed == 2")
    assert found["step"].to_numpy() == pytest.approx(before["step"].to_numpy())
    assert found["law"].to_numpy() == pytest.approx(expected.step)
    assert found["lower@0.8"].to_numpy() == pytest.approx(expected.lower)
    assert found["upper@0.8"].to_numpy() == pytest.approx(expected.upper)
    assert (found["truth"] == ends[2]).all()


def test_the_trivial_forecasts_by_hand() -> None:
    tables, events = made_up()
    found = forecast(tables, events)
    assert (found["now"] == found["step"]).all()
    ends = events["step"].to_numpy()
    for seed in range(4):
        mean = (ends.sum() - ends[seed]) / 3
        assert found.loc[found["seed"] == seed, "mean of the others"].to_numpy() == pytest.approx(
            mean
        )


def later_values(curves: pd.DataFrame, t: float) -> None:
    late = (curves["key"] == "1-2") & (curves["step"] > t)
    curves.loc[late, ENTROPY] = 5.0


def test_nothing_that_comes_later_in_the_run_changes_its_forecast() -> None:
    tables, events = made_up()
    before = forecast(tables, events)
    changed = tables.curves.reset_index(drop=True)
    later_values(changed, 1_000)
    after = forecast(replace(tables, curves=changed), events)
    pd.testing.assert_frame_equal(of(before, 2, until=1_000), of(after, 2, until=1_000))
    assert not of(before, 1).equals(of(after, 1))  # others do learn from it


def test_when_the_run_has_its_event_changes_no_forecast_before() -> None:
    tables, events = made_up()
    before = forecast(tables, events)
    events.loc[events["seed"] == 2, "step"] -= 700
    end = float(events.loc[events["seed"] == 2, "step"].iloc[0])
    after = forecast(tables, events)
    pd.testing.assert_frame_equal(of(before, 2, until=end - 1), of(after, 2))
    assert not of(before, 1).equals(of(after, 1))


def test_arms_do_not_learn_from_each_other() -> None:
    tables, events = made_up(decays=(0.5, 1.0))
    both = forecast(tables, events)
    alone = forecast(tables.only(["1-0", "1-1", "1-2", "1-3"]), events[events["weight_decay"] == 1])
    one = both[both["weight_decay"] == 1.0].drop(columns="weight_decay").reset_index(drop=True)
    pd.testing.assert_frame_equal(one, alone)
    assert list(both.columns[:3]) == ["weight_decay", "key", "seed"]


def test_order_does_not_matter() -> None:
    tables, events = made_up(decays=(0.5, 1.0))
    mixed = replace(tables, curves=tables.curves.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(
        forecast(tables, events), forecast(mixed, events.sample(frac=1, random_state=2))
    )


def lose(tables: Tables, events: pd.DataFrame) -> None:
    events.loc[events["weight_decay"] == 0.5, "observed"] = [True, True, False, False]


def blank(tables: Tables, events: pd.DataFrame) -> None:
    tables.curves.loc[tables.curves["key"].str.startswith("0.5"), ENTROPY] = np.nan


@pytest.mark.parametrize(
    "spoil, said",
    [
        (
            lose,
            [
                "weight_decay=0.5: t_grok was not observed in 2 of 4 runs",
                "2 runs had t_grok: no forecast",
            ],
        ),
        (blank, ["weight_decay=0.5: no forecast: the predictor has no value before the event"]),
    ],
)
def test_an_arm_without_forecasts_is_named(
    spoil: Callable[[Tables, pd.DataFrame], None], said: list[str]
) -> None:
    tables, events = made_up(decays=(0.5, 1.0))
    tables = replace(tables, curves=tables.curves.reset_index(drop=True))
    spoil(tables, events)
    long, notes = leave_one_out(tables, events, "t_grok")
    assert long["weight_decay"].unique().tolist() == [1.0]
    for note, part in zip(notes, said, strict=True):
        assert part in note


def test_runs_without_the_event_are_counted() -> None:
    long, notes = leave_one_out(*made_up(runs=5, never=1), "t_grok")
    assert long["seed"].unique().tolist() == [0, 1, 2, 3]
    assert len(notes) == 1 and "all runs: t_grok was not observed in 1 of 5 runs" in notes[0]


def test_too_few_runs_are_refused() -> None:
    with pytest.raises(InputError, match="all runs: 2 runs had t_grok: no forecast; needs ≥ 3"):
        leave_one_out(*made_up(runs=2), "t_grok")
    with pytest.raises(InputError, match="all runs: t_grok was not observed in 4 of 4 runs"):
        leave_one_out(*made_up(never=4), "t_grok")
    with pytest.raises(InputError, match="nothing: the runs did not measure it"):
        leave_one_out(*made_up(), "t_grok", predictor="nothing")


def test_evaluations_without_the_predictor_are_counted() -> None:
    tables, events = made_up()
    curves = tables.curves.reset_index(drop=True)
    curves.loc[[3, 4], ENTROPY] = np.nan
    long, notes = leave_one_out(replace(tables, curves=curves), events, "t_grok")
    assert notes == [f"note: all runs: 2 evaluations without {ENTROPY} left out"]
    assert not long["law"].isna().any()


def by_hand() -> pd.DataFrame:
    """Two runs; the event of the first comes at 1,000, of the second at 500."""
    shown = pd.DataFrame(
        [
            ["a", 0, 0, 1_000, 1_500, 0, 700, 700],
            ["a", 0, 250, 1_000, 1_100, 250, 700, 700],
            ["a", 0, 500, 1_000, 1_300, 500, 700, 700],
            ["a", 0, 900, 1_000, 1_150, 900, 700, 900],
            ["b", 1, 0, 500, 500, 0, 500, 500],
            ["b", 1, 400, 500, 750, 400, 500, 500],
        ],
        columns=["key", "seed", "step", "truth", *FORECASTS],
    )
    for level in LEVELS:
        shown[f"lower@{level:g}"] = shown["law"] - 1_000 * level
        shown[f"upper@{level:g}"] = shown["law"] + 200 * level
    return shown


def test_the_clock_alone_knows_who_is_still_waiting() -> None:
    """The mean residual life by a loop over steps and runs; none waits any more at 900."""
    times, steps = np.array([300.0, 500.0, 900.0]), np.array([0.0, 300.0, 499.0, 500.0, 900.0])
    expected = []
    for step in steps:
        later = [time for time in times if time > step]
        expected.append(sum(later) / len(later) if later else step)
    assert forecasts.still_waiting(steps, times).tolist() == expected
    assert expected == [1_700 / 3, 700, 700, 900, 900]


def test_errors_by_hand() -> None:
    found = per_run(by_hand()).set_index(["key", "forecast", "quantity"])["value"]
    assert found["a", "law", "error at 25%"] == pytest.approx(0.1)
    assert found["a", "law", "error at 50%"] == pytest.approx(0.3)
    assert found["a", "law", "error at 75%"] == pytest.approx(0.3)
    assert found["a", "law", "error at 90%"] == pytest.approx(0.15)
    assert found["a", "law", "error at the last evaluation"] == pytest.approx(0.15)
    assert found["a", "law", "mean error"] == pytest.approx((0.5 + 0.1 + 0.3 + 0.15) / 4)
    assert found["a", "now", "error at 75%"] == pytest.approx(0.5)
    assert found["b", "mean of the others", "mean error"] == 0


def test_lead_times_by_hand() -> None:
    found = per_run(by_hand()).set_index(["key", "forecast", "quantity"])["value"]
    # within 20 % at 250 too, but not from then on
    assert found["a", "law", "lead time"] == 1_000 - 900
    assert found["b", "law", "lead time"] == 0  # not even at the last evaluation
    assert found["b", "mean of the others", "lead time"] == 500  # from the start
    assert found["a", "mean of the others", "lead time"] == 0
    wider = per_run(by_hand(), tolerance=0.3).set_index(["key", "forecast", "quantity"])["value"]
    assert wider["a", "law", "lead time"] == 1_000 - 250
    table = errors(by_hand()).set_index(["forecast", "quantity"])
    row = table.loc[("law", "lead time")]
    assert row[["runs", "median", "least", "greatest", "mean", "none"]].tolist() == [
        2, 50, 0, 100, 50, 1,
    ]  # fmt: skip
    assert table.loc[("mean of the others", "mean error"), "none"] == 0


def test_a_run_first_evaluated_late_has_no_early_error() -> None:
    shown = by_hand().drop(index=[0])
    found = errors(shown).set_index(["forecast", "quantity"])
    assert found.loc[("law", "error at 25%"), "runs"] == 2
    found = errors(shown.drop(index=[1])).set_index(["forecast", "quantity"])
    assert found.loc[("law", "error at 25%"), "runs"] == 1


def test_calibration_by_hand() -> None:
    # law − 1,000 level ≤ truth ≤ law + 200 level: a at 0.5: 1,500 and 1,100, 1,300, 1,150 all hold
    found = coverage(by_hand()).set_index("level")
    assert found.loc[0.5, "share"] == pytest.approx(1)
    narrow = by_hand().assign(**{"lower@0.5": 0.0, "upper@0.5": 700.0})
    found = coverage(narrow).set_index("level")
    assert found.loc[0.5, ["runs", "share", "least", "greatest", "width"]].tolist() == [
        2, 0.5, 0, 1, 700,
    ]  # fmt: skip
    assert found.loc[0.95, "width"] == pytest.approx(1_200 * 0.95)


def test_tables_for_people() -> None:
    long = by_hand()
    shown = forecasts.readable_errors(errors(long))
    (lead,) = shown[shown["quantity"] == "lead time"].to_dict("records")
    assert lead["law: median [range]"] == "50 [0, 100], none in 1"
    (last,) = shown[shown["quantity"] == "error at the last evaluation"].to_dict("records")
    assert last["now: median [range]"] == "15.0 % [10.0, 20.0]"
    shown = forecasts.readable_coverage(coverage(long))
    assert shown.iloc[0].tolist() == ["50%", "100.0 % [100, 100]", "600", 2]


def test_tables_of_several_arms_keep_them_apart() -> None:
    long = forecast(*made_up(decays=(0.5, 1.0)))
    table = errors(long)
    assert table["weight_decay"].unique().tolist() == [1.0, 0.5]
    assert (table["runs"] == 4).all()
    assert coverage(long)[["weight_decay", "level"]].to_numpy().tolist() == [
        [decay, level] for decay in (1.0, 0.5) for level in LEVELS
    ]
    assert list(forecasts.readable_errors(table))[:2] == ["weight_decay", "quantity"]


def test_the_figure_of_an_arm() -> None:
    prepare()
    long = forecast(*made_up(decays=(0.5, 1.0)))
    drawn = figure.draw(long, {"weight_decay": 0.5})
    left, right = drawn.axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == ["law", "“now”", "mean of the others", "mean of those still waiting"]
    points = right.collections[0].get_offsets()
    assert len(points) == (long["weight_decay"] == 0.5).sum()
    plt.close(drawn)
    with pytest.raises(ValueError, match="must be an arm with forecasts"):
        figure.draw(long, {"weight_decay": 0.7})
    plt.close(figure.draw(forecast(*made_up()), {}))
