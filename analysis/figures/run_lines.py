"""Panels with a thin line for each run, and rows with a mark for each run."""

import math

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import ArrayLike

from analysis.stats.intervals import Interval
from analysis.stats.survival import Times, medians

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


def times(axis: Axes, at: float, of: Times, colour: Colour) -> None:
    """The times of an event on a row, a hollow triangle for a run that did not have it by then, and
    the median of all (Kaplan–Meier) where it is reached."""
    steps, observed = of.times, of.observed
    row(axis, steps[observed], at, colour)
    row(axis, steps[~observed], at, colour, ">")
    for step, n in zip(*np.unique(steps[~observed], return_counts=True), strict=True):
        if n > 1:  # triangles that hide one another
            axis.annotate(
                f"{n} ×", (step, at), (-5, 0), textcoords="offset points", ha="right",
                va="center", color=colour, fontsize="x-small",
            )  # fmt: skip
    if math.isfinite(median := float(medians(steps, observed))):
        axis.plot([median], [at], "|", color="black", markersize=9)


def interval(axis: Axes, at: float, found: Interval, colour: Colour) -> None:
    """An estimate on a row, with its interval if that has two ends, with an arrow if it only has a
    lower one."""
    if found.bounded:
        axis.plot([found.lower, found.upper], [at, at], color=colour, linewidth=1.3)
    if math.isfinite(found.estimate):
        only_lower = math.isfinite(found.lower) and math.isinf(found.upper)
        axis.plot([found.estimate], [at], ">" if only_lower else "s", color=colour, markersize=4)


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
