"""Outcome of each arm: time of grokking, and final values."""

from contextlib import suppress

import pandas as pd

from analysis.claims.arguments import ArmName
from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimators.ratios import slowdown
from analysis.output.formats import estimated, number
from analysis.papers.flatness.estimates.curves import final
from analysis.papers.flatness.figures.figure_2 import ARMS
from analysis.runs.experiments import NotRun

COLUMNS = {
    "training accuracy": ("train_accuracy", 3),
    "test accuracy": ("test_accuracy", 3),
    "CDNV": ("collapse/cdnv", 3),
    "κ": ("flatness/kappa", 3),
    "surrogate": ("flatness/kappa_surrogate", 3),
    "‖W‖": ("head_norm", 1),
}
"""title → column and decimals, at the end (`curves.final`), median over the runs"""


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per arm that was run. Raises NotRun without a baseline."""
    runs.arm(BASELINE)
    rows = [_row(runs, arm) for arm in runs.there((BASELINE, *ARMS)).values()]
    return {"Arms: times of grokking, and medians at the end": pd.DataFrame(rows)}


def _row(runs: Runs, arm: Arm) -> dict[str, str]:
    whole = arm.whole("t_grok").times
    row = {"arm": arm.label, "runs that grok": f"{int(whole.observed.sum())}/{len(whole.times)}"}
    row["time over the baseline's [95 %]"] = "–"
    if arm.name != BASELINE:
        with suppress(NotRun):
            row["time over the baseline's [95 %]"] = estimated(
                slowdown(runs, ArmName(arm.name)).interval, 2
            )
    curves = arm.finished_curves().values()
    for title, (column, decimals) in COLUMNS.items():
        values = pd.Series([final(curve, column) for curve in curves], dtype=float).dropna()
        row[title] = number(float(values.median()), decimals) if len(values) else "–"
    return row
