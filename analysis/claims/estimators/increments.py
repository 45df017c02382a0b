"""Estimators that compare rank correlations of a run's increments: which of two columns another one
moves with, and whether it does so more closely than a rival."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import Runs, require
from analysis.claims.estimate import Estimate
from analysis.forecasting.synchrony import increment_correlations
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap


def correlation_difference(
    runs: Runs, of: ArmName, column: Column, first: Column, second: Column
) -> Estimate:
    """Median over runs of Spearman's correlation of the increments of a column with those of
    `first`, less that with those of `second`. The interval resamples seeds."""
    return _median(
        runs,
        of,
        [column, first, second],
        lambda r: r.loc[column, first] - r.loc[column, second],
    )


def tracking_gain(
    runs: Runs, of: ArmName, column: Column, rival: Column, target: Column
) -> Estimate:
    """Median over runs of the size of Spearman's correlation of the increments of a column with
    those of `target`, less that of a rival with them, at the evaluations at which all three are
    known. The interval resamples seeds."""
    return _median(
        runs,
        of,
        [column, rival, target],
        lambda r: abs(r.loc[column, target]) - abs(r.loc[rival, target]),
    )


def _median(
    runs: Runs, of: ArmName, columns: list[Column], of_run: Callable[[pd.DataFrame], float]
) -> Estimate:
    arm = runs.arm(of)
    for name in columns:
        require(name, arm.tables.curves, f"arm {of}")
    every = increment_correlations(arm.tables, columns)
    values = pd.Series({key: of_run(found) for key, found in every.items()}, dtype=float)
    known = values.dropna()
    if known.empty:
        raise NotRun(f"{of}: {', '.join(columns)} do not vary together in any run")
    note = ""
    if left := len(arm.tables.cells) - len(known):
        note = f"{left} of {len(arm.tables.cells)} runs have no such correlation"
    by_seed = known.groupby(arm.seeds().reindex(known.index)).apply(list)
    longest = max(map(len, by_seed))
    table = np.array([[*own, *[np.nan] * (longest - len(own))] for own in by_seed])  # (seed, run)
    found = bootstrap.interval(
        lambda drawn: np.nanmedian(table[drawn].reshape(*drawn.shape[:-1], -1), axis=-1),
        [len(table)], runs.generator(), "percentile",
    )  # fmt: skip
    return Estimate(found, len(known), arm.tables.only(known.index), note=note, seeds=len(table))
