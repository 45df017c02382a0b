"""Final values of an arm beside those of another: do networks that were kept from collapsing end as
well, and as flat? (Han et al. 2025, Figures 2 and 3)"""

import math

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import Arm, Runs, require
from analysis.claims.estimate import Estimate, Scale
from analysis.claims.estimators.times import THAN
from analysis.papers.flatness.estimates.curves import final
from analysis.runs.experiments import NotRun
from analysis.stats import means
from analysis.stats.intervals import Interval


def difference_at_end(runs: Runs, of: ArmName, column: Column, than: ArmName = THAN) -> Estimate:
    """Final value of a column in an arm's run (`curves.final`) less that in the other arm's run of
    the same seed, mean over the seeds. Runs that are not finished, diverged or failed have no final
    value and leave their seed out. Raises NotRun without a seed that is left."""
    pairs = _pairs(runs, of, than, column)
    found = means.mean((pairs["arm"] - pairs["than"]).to_numpy(float), runs.generator())
    return _estimate(runs, of, than, pairs, found)


def ratio_at_end(runs: Runs, of: ArmName, column: Column, than: ArmName = THAN) -> Estimate:
    """The same as a ratio, by the mean of its logarithm. Pairs in which a value is not positive are
    left out, too."""
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
    arms = [runs.arm(of), runs.arm(than)]
    tables = runs.joined(arms, [*pairs["key"], *pairs["base"]])
    shared = len(set.intersection(*(set(arm.seeds()) for arm in arms)))
    note = ""
    if left := shared - len(pairs):
        note = f"{left} of {shared} shared seeds have no such value in both and are left out"
    return Estimate(found, 2 * len(pairs), tables, note=note, seeds=len(pairs), scale=scale)


def _pairs(runs: Runs, of: str, than: str, column: str) -> pd.DataFrame:
    """A row per seed with a final value in both arms: key, arm, base (the other's key), than."""
    first, second = (_finals(runs.arm(name), column) for name in (of, than))
    pairs = first.merge(second.rename(columns={"key": "base", "arm": "than"}), on="seed").dropna()
    if pairs.empty:
        raise NotRun(f"{of} and {than}: no seed is finished in both")
    return pairs


def _finals(arm: Arm, column: str) -> pd.DataFrame:
    """A row per run that is done: seed, key and the final value, in `arm`."""
    require(column, arm.tables.curves, f"arm {arm.name}")
    cells, curves = arm.tables.cells, arm.curves()
    done = cells[(cells["state"] == "done") & cells["key"].isin(list(curves))]
    rows = done[["seed", "key"]].copy()
    rows["arm"] = [final(curves[key], column) for key in rows["key"]]
    return rows
