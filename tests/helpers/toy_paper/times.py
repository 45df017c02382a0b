"""Quantities of the made-up paper."""

import pandas as pd
from analysis.claims.findings import Finding

from analysis.runs.experiments import Experiments
from analysis.runs.tables import Tables
from analysis.stats import effects
from analysis.stats.intervals import Interval, none
from grokpipe.errors import InputError

asked: list[str] = []
"""which quantities were computed"""


def mean_time(experiments: Experiments) -> Finding:
    asked.append("mean_time")
    tables = experiments.tables("e1_baseline")
    mean = float(_times(tables).mean())
    return Finding(
        Interval(mean, mean - 50, mean + 50, "by hand"), len(tables.cells), tables,
        note="a note with H̃* and a <script>",
    )  # fmt: skip


def grokked(experiments: Experiments) -> Finding:
    tables = experiments.tables("e1_baseline")
    k, n = int((_times(tables) < 1_000).sum()), len(tables.cells)
    return Finding(effects.proportion(k, n), n, tables, k)


def delay(experiments: Experiments) -> Finding:
    mixing = experiments.tables("e2_mixing")
    return Finding(Interval(100, 50, 150, "by hand"), len(mixing.cells), mixing)


def bare(experiments: Experiments) -> Finding:
    tables = experiments.tables("e1_baseline")
    return Finding(none(1.0, "one run"), 1, tables)


def lemma(experiments: Experiments) -> Finding:
    return Finding(effects.proportion(1_000, 1_000), 1_000, None, 1_000)


def refuses(experiments: Experiments) -> Finding:
    raise InputError("budgets differ")


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    times = _times(experiments.tables("e1_baseline"))
    long = pd.DataFrame({"n": range(30), "x": [i / 7 for i in range(30)]})
    return {
        "Table 1: <times>": pd.DataFrame({"arm": ["a|b", "H̃*"], "T": [float(times.mean()), None]}),
        "Long": long,
    }


def _times(tables: Tables) -> pd.Series:
    """First steps with test accuracy of 0.9."""
    late = tables.curves[tables.curves["test_accuracy"] >= 0.9]
    return late.groupby("key")["step"].min().reindex(tables.cells["key"]).fillna(9_999)
