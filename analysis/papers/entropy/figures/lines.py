"""Curves of single runs, a thin line each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from analysis.papers.entropy.estimates.conditions import groks
from analysis.runs.tables import Tables

Colour = tuple[float, float, float] | str


def runs(axis: Axes, curves: pd.DataFrame, column: str, colour: Colour, dash: str = "-") -> None:
    """A column over the steps, a line per run."""
    for _, curve in curves.groupby("key"):
        axis.plot(curve["step"], curve[column], dash, color=colour, linewidth=0.7, alpha=0.6)


def mean(axis: Axes, curves: pd.DataFrame, column: str, dash: str = "-") -> None:
    """The mean of a column over the runs, as far as all of them were followed."""
    last = curves.groupby("key")["step"].max().min()
    means = curves[curves["step"] <= last].groupby("step")[column].mean()
    axis.plot(means.index, means, color="white", linewidth=2.4, zorder=2.5)
    axis.plot(means.index, means, dash, color="black", linewidth=1.2, zorder=2.6)


def grokking(axis: Axes, tables: Tables, column: str, colour: Colour) -> None:
    """A dot on each run's curve where it groks."""
    events = groks(tables)
    grokked = events.loc[events["observed"].astype(bool), ["key", "step"]]
    at = grokked.merge(tables.curves[["key", "step", column]], on=["key", "step"])
    axis.plot(at["step"], at[column], "o", color=colour, markersize=4, markeredgecolor="black",
              markeredgewidth=0.5, zorder=3)  # fmt: skip


def thousands(axis: Axes) -> None:
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.grid(alpha=0.3, linewidth=0.5)
