"""Estimators of slopes on logarithmic axes: of the time of an event, and of the difference of two
columns, against configuration columns of numbers."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.claims.arguments import ArmName, Column, EventName
from analysis.claims.arms import Arm, Runs, finished, require
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import GROK
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap
from analysis.stats.intervals import none
from analysis.times import power_law, regression
from analysis.times.regression import NoFit
from grokpipe.errors import InputError


def exponent(runs: Runs, of: ArmName, against: str, event: EventName = GROK) -> Estimate:
    """k of the power law τ = C x^(−k) of an event's time against a configuration column of numbers,
    by the censored likelihood (`power_law.fit`). Runs with a value that has no logarithm, such as a
    decay of 0, are left out; where the others allow no fit there is no interval."""
    return _exponent(runs, of, against, [against], event)


def joint_exponent(
    runs: Runs, of: ArmName, against: str, given: str, event: EventName = GROK
) -> Estimate:
    """k of τ = C x^(−k) y^(−l), where x is the column `against` and y the column `given`, both
    fitted at once; else as `exponent`."""
    if against == given:
        raise InputError(f"against={against}, given={given}: must be different columns")
    return _exponent(runs, of, against, [against, given], event)


def log_slope(runs: Runs, of: ArmName, column: Column, minus: Column, against: str) -> Estimate:
    """Slope of log(mean over runs of `column` less `minus`, at the last evaluation of finished
    runs) against log of a configuration column, by least squares over its values; the interval
    leaves out one seed at a time. NaN where a mean is not positive."""
    arm = runs.arm(of)
    for name in (column, minus):
        require(name, arm.tables.curves, f"arm {of}")
    require(against, arm.tables.cells, f"arm {of}")
    regression.check_columns(arm.tables.cells, [against], logarithms=True)
    gaps = _last_differences(arm, column, minus, against)
    if gaps["x"].nunique() < 2:
        raise NotRun(f"{of}: finished runs at {gaps['x'].nunique()} values of {against}")
    left = len(arm.tables.cells) - len(gaps)
    note = f"{left} of {len(arm.tables.cells)} runs are not finished" if left else ""
    means = gaps.groupby("x")["gap"].mean()
    found = bootstrap.cluster_jackknife(
        lambda kept: _slope(gaps.iloc[kept]), gaps["seed"].to_numpy()
    )
    if not (means > 0).all():
        at = ", ".join(f"{x:g}" for x in means.index[~(means > 0)])
        found = none(math.nan, f"the mean difference is not positive at {against} = {at}")
    return Estimate(
        found, len(gaps), arm.tables.only(gaps.index), note=note, seeds=gaps["seed"].nunique()
    )


def _exponent(
    runs: Runs, of: ArmName, against: str, columns: list[str], event: EventName
) -> Estimate:
    arm = runs.arm(of)
    for column in columns:
        require(column, arm.tables.cells, f"arm {of}")
    rows, notes = arm.whole(event).runs, []
    try:
        rows, left_out = regression.with_logarithms(rows, columns)
        notes = [said.removeprefix("note: ") for said in left_out]
        found = power_law.fit(rows, columns, runs.generator())
    except NoFit as refusal:
        why = none(math.nan, str(refusal))
        return Estimate(why, len(rows), arm.tables, seeds=rows["seed"].nunique())
    notes.insert(0, f"{found.observed} of {found.n} runs had {event}")
    interval, note = found.exponents[against], "; ".join(notes)
    return Estimate(interval, found.n, arm.tables, note=note, seeds=found.seeds)


def _last_differences(arm: Arm, column: str, minus: str, against: str) -> pd.DataFrame:
    """A row per finished run, by key: gap (`column` less `minus` at the last evaluation at which
    both are known), x (its value of `against`) and seed."""
    cells = arm.tables.cells.set_index("key")
    cells = cells[finished(cells)]
    curves = arm.tables.curves[["key", "step", column, minus]].dropna().sort_values("step")
    last = curves[curves["key"].isin(cells.index)].groupby("key").last()
    gap = (last[column] - last[minus]).astype(float)
    of_runs = cells.loc[gap.index]
    return pd.DataFrame({"gap": gap, "x": of_runs[against].astype(float), "seed": of_runs["seed"]})


def _slope(gaps: pd.DataFrame) -> NDArray[np.float64]:
    means = gaps.groupby("x")["gap"].mean()
    if len(means) < 2 or not (means > 0).all():
        return np.asarray(math.nan)
    x = np.log(means.index.to_numpy(float))
    return np.asarray(np.polyfit(x, np.log(means.to_numpy()), 1)[0])
