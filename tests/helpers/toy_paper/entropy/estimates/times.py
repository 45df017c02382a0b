"""Estimates of the made-up paper, and functions of a curve."""

import pandas as pd

from analysis.claims.arguments import ArmName
from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.stats import effects
from analysis.stats.intervals import Interval, none
from grokpipe.errors import InputError

asked: list[str] = []
"""which estimates were computed"""


def mean_time(runs: Runs) -> Estimate:
    asked.append("mean_time")
    tables = runs.arm("baseline").tables
    mean = float(times(runs).mean())
    return Estimate(
        Interval(mean, mean - 50, mean + 50, "by hand"), len(tables.cells), tables,
        note="a note with H̃* and a <script>",
    )  # fmt: skip


def grokked(runs: Runs, before: int = 1_000) -> Estimate:
    tables = runs.arm("baseline").tables
    k, n = int((times(runs) < before).sum()), len(tables.cells)
    return Estimate(effects.proportion(k, n), n, tables, k)


def delay(runs: Runs, of: ArmName) -> Estimate:
    arm = runs.arm(of)
    return Estimate(Interval(100, 50, 150, "by hand"), len(arm.tables.cells), arm.tables)


def bare(runs: Runs) -> Estimate:
    return Estimate(none(1.0, "one run"), 1, runs.arm("baseline").tables)


def lemma(runs: Runs) -> Estimate:
    return Estimate(effects.proportion(1_000, 1_000), 1_000, None, 1_000)


def refuses(runs: Runs) -> Estimate:
    raise InputError("budgets differ")


def late(curve: pd.DataFrame) -> bool:
    return bool(curve["step"].max() > 100)


def first_accuracy(curve: pd.DataFrame) -> float:
    return float(curve["test_accuracy"].iloc[0])


def times(runs: Runs) -> pd.Series:
    """First steps with test accuracy of 0.9."""
    tables = runs.arm("baseline").tables
    above = tables.curves[tables.curves["test_accuracy"] >= 0.9]
    return above.groupby("key")["step"].min().reindex(tables.cells["key"]).fillna(9_999)
