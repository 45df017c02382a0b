"""Estimators of curves against numpy and scipy."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimators.curves import (
    change_between,
    correlation,
    mean_of_runs,
    partial_correlation,
    share_of_runs,
    synchrony,
    value_at,
    variance_at,
)
from analysis.runs.experiments import NotRun, Unmatched
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import Run, write

TIMES = [2_000, 2_500, 3_000, 2_200, 2_700]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Two columns of noise that share a third."""
    made = []
    for seed, time in enumerate(TIMES):
        run, draws = Run(seed, time), np.random.default_rng(seed)
        common, x, y = draws.standard_normal((3, len(run.steps)))
        run.curves.update({"z": common, "x": common + x, "y": common + y})
        made.append(run)
    never = Run(9, None, curves={"x": np.zeros(51), "y": np.zeros(51), "z": np.zeros(51)})
    wrote = write(tmp_path, e1_baseline=[*made, never])
    wanted = {"all": "< 9", "never": 9}
    arms = {name: ArmNode("e1_baseline", None, {"seed": seed}) for name, seed in wanted.items()}
    return Runs(wrote.experiments, arms)


def curves(runs: Runs, until: bool) -> list[pd.DataFrame]:
    arm = runs.arm("all")
    return list((arm.until("t_grok") if until else arm.curves()).values())


def test_values_and_their_variance(runs: Runs) -> None:
    at = [one["x"].iloc[-1] for one in curves(runs, until=True)]
    assert value_at(runs, "all", "x").interval.estimate == pytest.approx(np.mean(at))
    assert variance_at(runs, "all", "x").interval.estimate == pytest.approx(np.var(at, ddof=1))
    apart = [one["x"].iloc[-1] - one["y"].iloc[-1] for one in curves(runs, until=True)]
    found = value_at(runs, "all", "x", minus="y")
    assert found.interval.estimate == pytest.approx(np.mean(apart))
    start = [one["x"].iloc[0] for one in curves(runs, until=False)]
    assert value_at(runs, "all", "x", at=0).interval.estimate == pytest.approx(np.mean(start))
    with pytest.raises(Unmatched, match="no column xx; nearest: "):
        value_at(runs, "all", "xx")
    with pytest.raises(NotRun, match="never: no run with x at t_grok yet"):
        value_at(runs, "never", "x")


def test_changes_between_events(runs: Runs) -> None:
    """The whole curve memorises at step 200."""
    whole = [one["x"].iloc[-1] - one["x"].iloc[2] for one in curves(runs, until=False)]
    found = change_between(runs, "all", "x", start="t_mem")
    assert found.interval.estimate == pytest.approx(np.mean(whole))
    until = [one["x"].iloc[-1] - one["x"].iloc[2] for one in curves(runs, until=True)]
    found = change_between(runs, "all", "x", start="t_mem", end="t_grok")
    assert found.interval.estimate == pytest.approx(np.mean(until))
    before = [one["x"].iloc[-1] - one["x"].iloc[-4] for one in curves(runs, until=True)]
    found = change_between(runs, "all", "x", back=300, end="t_grok")
    assert found.interval.estimate == pytest.approx(np.mean(before))


@pytest.mark.parametrize("until", [None, "t_grok"])
def test_pooled_correlation(runs: Runs, until: str | None) -> None:
    both = pd.concat(curves(runs, until is not None))
    found = correlation(runs, "all", "x", "y", until)
    assert found.interval.estimate == pytest.approx(stats.pearsonr(both["x"], both["y"])[0])
    assert found.runs == 5 and found.note.startswith(f"{len(both):,} evaluations")


def partial_by_residuals(runs: Runs, x: str, y: str, given: str) -> float:
    """The median over runs of the correlation of what a line in the ranks of `given` leaves."""
    found = []
    for one in curves(runs, until=False):
        ranks = one[[x, y, given]].rank()
        left = [ranks[name] - np.polyval(np.polyfit(ranks[given], ranks[name], 1), ranks[given])
                for name in (x, y)]  # fmt: skip
        found.append(np.corrcoef(*left)[0, 1])
    return float(np.median(found))


def test_correlations_within_runs(runs: Runs) -> None:
    each = [stats.spearmanr(one["x"], one["y"])[0] for one in curves(runs, until=False)]
    found = synchrony(runs, "all", "x", "y", "levels")
    assert found.interval.estimate == pytest.approx(np.median(each))
    found = partial_correlation(runs, "all", "x", "y", "z")
    assert found.interval.estimate == pytest.approx(partial_by_residuals(runs, "x", "y", "z"))


def test_the_clock_is_a_column_to_correlate_with(runs: Runs) -> None:
    """Claim F6 of the flatness paper holds κ beside it, and failed once its baseline was run."""
    found = partial_correlation(runs, "all", "step", "y", "z")
    assert found.interval.estimate == pytest.approx(partial_by_residuals(runs, "step", "y", "z"))


def test_a_lag_is_that_of_the_half_changes(runs: Runs) -> None:
    """Test accuracy is half-way at T_grok, the entropy half of its 500 steps of fall before."""
    found = synchrony(runs, "all", "spectral/entropy_train", "test_accuracy")
    assert found.interval.estimate == pytest.approx(200, abs=100)
    assert found.note == "5 of 5 lags observed"


def test_functions_of_a_curve(runs: Runs) -> None:
    def grows(curve: pd.DataFrame) -> bool | None:
        return None if curve["seed"].iloc[0] == 0 else bool(curve["step"].max() > 2_400)

    found = share_of_runs(runs, "all", grows, until="t_grok")
    assert (found.shown, found.runs, found.note) == (3, 4, "1 of 5 runs have nothing to test")

    def last(curve: pd.DataFrame) -> float:
        return math.nan if curve["seed"].iloc[0] == 0 else float(curve["step"].iloc[-1])

    mean = mean_of_runs(runs, "all", last)
    assert mean.interval.estimate == np.mean([time + 1_000 for time in TIMES[1:]])
    assert mean.note == "1 of 5 runs have no such number"
    with pytest.raises(NotRun, match="never: no run had t_grok yet"):
        share_of_runs(runs, "never", grows, until="t_grok")


def test_levels_after_an_event_at_the_evaluations_that_are_known(tmp_path: Path) -> None:
    """A column that is known at every third evaluation; a run without the event is left out."""
    made = []
    for seed, time in enumerate([*TIMES, None]):
        run, draws = Run(seed, time), np.random.default_rng(seed)
        x, y = draws.standard_normal((2, len(run.steps))) + np.linspace(0, 3, len(run.steps))
        y[np.arange(len(y)) % 3 > 0] = math.nan
        run.curves.update(x=x, y=y)
        made.append(run)
    every = write(tmp_path, e1_baseline=made)
    each = []
    for curve, time in zip(every.arm("baseline").curves().values(), TIMES):
        late = curve[curve["step"] >= time][["x", "y"]].dropna()
        each.append(stats.spearmanr(late["x"], late["y"]).statistic)
    first = every.arm("baseline").after("t_grok").curves.groupby("key")["step"].min()
    assert first.tolist() == TIMES  # the evaluation that shows it is the first
    found = synchrony(every, "baseline", "x", "y", "levels", after="t_grok")
    assert found.interval.estimate == pytest.approx(np.median([r for r in each if not np.isnan(r)]))
    assert found.note == "1 of 6 runs without t_grok are left out"
    with pytest.raises(InputError, match="after=t_grok: is of levels and increments, not of a lag"):
        synchrony(every, "baseline", "x", "y", after="t_grok")
    with pytest.raises(Unmatched, match="no column w; nearest"):
        synchrony(every, "baseline", "x", "w")
    changes = [float(known.iloc[-1] - known[curve["step"] <= 200].iloc[-1])
               for curve in every.arm("baseline").curves().values()
               if len(known := curve["y"].dropna())]  # fmt: skip
    found = change_between(every, "baseline", "y", start="t_mem")
    assert found.interval.estimate == pytest.approx(np.mean(changes))
