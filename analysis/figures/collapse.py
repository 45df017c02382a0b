"""Figure after Sakamoto & Sato (2026): accuracies, within-class variance, class-mean geometry."""

import math
from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter
from pandas.api.types import is_numeric_dtype

from analysis.figures.arm_styles import DASHES, Dash, name_arms, styles
from analysis.figures.run_lines import Colour
from analysis.times.labels import labelled

PANELS = {  # column → (title, logarithmic)
    "train_accuracy": ("training accuracy", False),
    "test_accuracy": ("test accuracy", False),
    "collapse/rnc1": (r"RNC1 = $\mathrm{Tr}\,\Sigma_W / B_g^2$", True),
    "collapse/nc2_cond": (r"NC2 = $\sqrt{\mathrm{cond}(M M^\top)}$", True),
}
LABELS = {"weight_decay": "weight decay λ"}
WIDTH = 6.6  # inches
MARKS = dict(zip(DASHES, "osD^", strict=True))
AROUND = 3  # factor by which an axis goes beyond a single value
ROW, FRAME = 2.0, 0.4  # inches of a row of panels, and of what is around them


def draw(curves: pd.DataFrame, by: Sequence[str]) -> Figure:
    """Draw a panel over steps (log) for each column of PANELS that `curves` has: the mean over the
    runs of each arm, with range; a mark with a bar where that is one evaluation.

    `curves` has the configuration beside the measures; an arm is the runs that share the values of
    the columns `by`. A panel in which no arm has a value says so.

    Raises ValueError for curves without any of the columns.
    """
    panels = [column for column in PANELS if column in curves]
    if not panels:
        raise ValueError(f"columns of the curves: must have one of {', '.join(PANELS)}")
    arms = _arms(curves, by)
    numeric = len(by) == 1 and is_numeric_dtype(curves[by[0]])
    across = min(len(panels), 2)
    rows = math.ceil(len(panels) / across)
    figure, axes = plt.subplots(
        rows, across, figsize=(WIDTH, ROW * rows + FRAME), sharex=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    of_arms = styles(len(arms), numeric)
    for axis, column in zip(axes.flat, panels, strict=False):
        for runs, (colour, dash) in zip(arms.values(), of_arms, strict=True):
            _band(axis, runs, column, colour, dash)
        _finish(axis, column)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(len(panels) - across, 0) : len(panels)]:
        axis.set_xlabel("optimiser steps")
        axis.tick_params(labelbottom=True)  # also above a place without a panel
    handles = [
        Line2D([], [], color=colour, linestyle=dash, linewidth=1.3, label=label)
        for label, (colour, dash) in zip(arms, of_arms, strict=True)
    ]
    counts = [runs["key"].nunique() for runs in arms.values()]
    count = " to ".join(map(str, dict.fromkeys((min(counts), max(counts)))))
    title = ", ".join(LABELS.get(column, column) for column in by)
    title += f"   (mean and range of {count} run{'s' if max(counts) > 1 else ''})"
    sns.despine(figure)
    name_arms(figure, list(axes.flat), handles, title, numeric)
    return figure


def not_drawn(curves: pd.DataFrame, by: Sequence[str], column: str) -> set[str]:
    """Return the keys of the runs that are no part of any line in a column's panel: those without a
    value after step 0, and those of arms whose mean a logarithmic axis cannot show."""
    missing: set[str] = set()
    for runs in _arms(curves, by).values():
        known = runs[(runs["step"] > 0) & runs[column].notna()]
        drawn = known["key"].unique() if len(_means(runs, column)) else ()
        missing |= set(runs["key"]) - set(drawn)
    return missing


def _arms(curves: pd.DataFrame, by: Sequence[str]) -> dict[str, pd.DataFrame]:
    runs = labelled(curves.drop_duplicates("key"), by)
    return {label: curves[curves["key"].isin(arm["key"])] for label, arm in runs.items()}


def _means(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean, least and greatest value at each step that the panel's axes can show."""
    known = runs[(runs["step"] > 0) & runs[column].notna()]  # a logarithmic axis has no zero
    by_step = known.groupby("step")[column].agg(["mean", "min", "max"]).astype(float)
    shown = np.isfinite(by_step["mean"])
    if PANELS[column][1]:
        shown &= by_step["mean"] > 0
    return by_step[shown]


def _band(axis: Axes, runs: pd.DataFrame, column: str, colour: Colour, dash: Dash) -> None:
    means = _means(runs, column)
    if means.empty:
        return
    if len(means) == 1:  # hollow marks of different shapes, so that none hides another
        axis.plot(
            means.index, means["mean"], MARKS[dash], color=colour, markersize=5,
            markerfacecolor="none", markeredgewidth=1.2, clip_on=False,
        )  # fmt: skip
        axis.vlines(means.index, means["min"], means["max"], color=colour, linewidth=1.2)
        return
    axis.plot(means.index, means["mean"], dash, color=colour, linewidth=1.3)
    axis.fill_between(means.index, means["min"], means["max"], color=colour, alpha=0.2, linewidth=0)


def _finish(axis: Axes, column: str) -> None:
    """Draw title, scales and grid or, without data, words in their place."""
    title, logarithmic = PANELS[column]
    axis.set_title(title, loc="left")
    axis.set_xscale("log")
    if not axis.lines:
        axis.text(
            0.5, 0.5, f"no run has a value of\n{column}\nafter step 0", ha="center", va="center",
            transform=axis.transAxes,
        )  # fmt: skip
        axis.set_yticks([])
        return
    _label_within_decades(axis, "x")
    if logarithmic:
        axis.set_yscale("log")
        _label_within_decades(axis, "y")
    else:
        axis.set_ylim(0, 1.02)
    axis.grid(alpha=0.3, linewidth=0.5)


def _label_within_decades(axes: Axes, name: Literal["x", "y"]) -> None:
    """Label 1, 2 and 5 by plain numbers where a logarithmic axis spans less than two decades."""
    axis: Axis = getattr(axes, f"{name}axis")
    low, high = axis.get_data_interval()
    if math.isclose(low, high):  # matplotlib's own margin depends on when it is asked for
        axes.set(**{f"{name}lim": (low / AROUND, high * AROUND)})
    low, high = axis.get_view_interval()
    if high / low < 100:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())
