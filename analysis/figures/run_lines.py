"""Panels with a thin line for each run, and rows with a mark for each run."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import ArrayLike

Colour = tuple[float, float, float] | str


def palette(count: int) -> list[Colour]:
    """So many colours, none too light to be seen on white."""
    return sns.color_palette("viridis", count + 1)[:count]


def runs(axis: Axes, curves: pd.DataFrame, column: str, colour: Colour, dash: str = "-") -> None:
    """A column over the steps, a line per run."""
    for _, curve in curves.groupby("key"):
        axis.plot(curve["step"], curve[column], dash, color=colour, linewidth=0.7, alpha=0.6)


def mean(axis: Axes, curves: pd.DataFrame, column: str) -> None:
    """The mean of a column over the runs, as far as all of them were followed."""
    last = curves.groupby("key")["step"].max().min()
    means = curves[curves["step"] <= last].groupby("step")[column].mean()
    axis.plot(means.index, means, color="white", linewidth=2.4, zorder=2.5)
    axis.plot(means.index, means, color="black", linewidth=1.2, zorder=2.6)


def dots(
    axis: Axes, curves: pd.DataFrame, events: pd.DataFrame, column: str, colour: Colour
) -> None:
    """A dot on each run's curve at an event: `events` has the rows (key, step) of those that had
    it."""
    at = events[["key", "step"]].merge(curves[["key", "step", column]], on=["key", "step"])
    axis.plot(at["step"], at[column], "o", color=colour, markersize=4, markeredgecolor="black",
              markeredgewidth=0.5, zorder=3)  # fmt: skip


def level(axis: Axes, value: float, published: bool = False) -> None:
    """A horizontal line: dashed for a mean of ours, dotted for a published number."""
    colour, dash = ("0.5", ":") if published else ("black", "--")
    axis.axhline(value, color=colour, linewidth=0.9, linestyle=dash)


def row(axis: Axes, values: ArrayLike, at: float, colour: Colour, marker: str = "o") -> None:
    """A mark for each run on a row; filled for "o", hollow for others."""
    values = np.asarray(values, dtype=float)
    axis.plot(
        values, np.full(len(values), at), marker, color=colour, markersize=4, alpha=0.7,
        markerfacecolor=colour if marker == "o" else "none", linestyle="none",
    )  # fmt: skip


def named_rows(axis: Axes, labels: list[str]) -> None:
    """Names for the rows 0, 1, …, from above."""
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)


def grid(axis: Axes) -> None:
    """Thin lines behind the data."""
    axis.grid(alpha=0.3, linewidth=0.5)


def steps(axis: Axes, bins: int | None = None) -> None:
    """Steps along the horizontal axis, thousands separated, with so many numbers at most."""
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    grid(axis)
    if bins is not None:
        axis.locator_params(axis="x", nbins=bins)
