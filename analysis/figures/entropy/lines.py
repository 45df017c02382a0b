"""Curves of single runs, a thin line each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from analysis.entropy.conditions import groks
from analysis.gather import Tables

Colour = tuple[float, float, float] | str


def runs(axis: Axes, curves: pd.DataFrame, column: str, colour: Colour, dash: str = "-") -> None:
    """A column over the steps, a line per run."""
    for _, curve in curves.groupby("key"):
        axis.plot(curve["step"], curve[column], dash, color=colour, linewidth=0.7, alpha=0.6)


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
