"""Final values of an arm beside those of another: do networks that were kept from collapsing end as
well, and as flat? (Han et al. 2025, Figures 2 and 3)"""

import math

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import Arm, Runs, finished, require
from analysis.claims.estimate import Estimate, Scale
from analysis.claims.estimators.times import THAN
from analysis.papers.flatness.estimates.curves import final
from analysis.runs.experiments import NotRun
from analysis.stats import means
from analysis.stats.intervals import Interval


def difference_at_end(runs: Runs, of: ArmName, column: Column, than: ArmName = THAN) -> Estimate:
    """Final value of a column in an arm's run (`curves.final`) less that in the other arm's run of
    the same seed, mean over the seeds of finished runs. Raises NotRun without such a seed."""
    pairs = _pairs(runs, of, than, column)
    found = means.mean((pairs["arm"] - pairs["than"]).to_numpy(float), runs.generator())
    return _estimate(runs, of, than, pairs, found)


def ratio_at_end(runs: Runs, of: ArmName, column: Column, than: ArmName = THAN) -> Estimate:
    """The same as a ratio, by the mean of its logarithm. Pairs in which a value is not positive are
    left out."""
    pairs = _pairs(runs, of, than, column)
    pairs = pairs[(pairs[["arm", "than"]] > 0).all(axis=1)]
    if pairs.empty:
        raise NotRun(f"{of} and {than}: no seed with a positive {column} in both")
    logs = np.log(pairs["arm"] / pairs["than"]).to_numpy(float)
    found = means.mean(logs, runs.generator())
    centre, lower, upper = (math.exp(x) for x in (found.estimate, found.lower, found.upper))
    return _estimate(runs, of, than, pairs, Interval(centre, lower, upper, found.method), "log")


def _estimate(
    runs: Runs,
    of: ArmName,
    than: ArmName,
    pairs: pd.DataFrame,
    found: Interval,
    scale: Scale = "linear",
) -> Estimate:
    tables = runs.joined([runs.arm(of), runs.arm(than)], [*pairs["key"], *pairs["base"]])
    return Estimate(found, 2 * len(pairs), tables, seeds=len(pairs), scale=scale)


def _pairs(runs: Runs, of: str, than: str, column: str) -> pd.DataFrame:
    """A row per seed that both arms have finished: key, arm, base (the other's key), than."""
    first, second = (_finals(runs.arm(name), column) for name in (of, than))
    pairs = first.merge(second.rename(columns={"key": "base", "arm": "than"}), on="seed").dropna()
    if pairs.empty:
        raise NotRun(f"{of} and {than}: no seed is finished in both")
    return pairs


def _finals(arm: Arm, column: str) -> pd.DataFrame:
    """A row per finished run: seed, key and the final value, in `arm`."""
    require(column, arm.tables.curves, f"arm {arm.name}")
    cells, curves = arm.tables.cells, arm.curves()
    done = cells[finished(cells) & cells["key"].isin(list(curves))]
    rows = done[["seed", "key"]].copy()
    rows["arm"] = [final(curves[key], column) for key in rows["key"]]
    return rows
