"""Figure of logged columns over the steps: the median of each arm with its range, or its runs."""

import math
from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter, StrMethodFormatter

from analysis.figures.arm_layout import Arm, Layout
from analysis.figures.arm_styles import DASHES, beside, moved, name_arms, name_both
from analysis.figures.medians import Curves, Panel

PANELS = (
    "train_accuracy",
    "test_accuracy",
    "collapse/rnc1",
    "collapse/nc2_cond",
    "spectral/entropy_train",
    "fourier/alignment",
    "test_loss",
)
"""the columns that are drawn unless others are asked for: the first MOST that are logged"""
PAPERS = PANELS[:5]
"""those of them that the papers' figures have"""
MOST = 6
WIDTH, ALONE = 6.6, 4.4  # inches of a figure, and of one with a single panel
ACROSS = 2.1  # inches of a panel beside others in a row that has a label
MARKS = dict(zip(DASHES, "osD^", strict=True))
AROUND = 3  # factor by which an axis goes beyond a single value
ROW, FRAME = 2.0, 0.4  # inches of a row of panels, and of what is around them
BOLD, THIN = 1.3, 0.5  # widths of a median and of a run


def draw(
    panels: Sequence[Panel], layout: Layout, single: bool = False, linear: bool = False
) -> Figure:
    """Draw a panel over the steps for each column: the median of each arm and the range of its
    runs, as far as all of them go, then thin lines; a mark with a bar where that is one evaluation.

    Where rows tell arms apart, each has all panels, beside one another. A panel in which no arm has
    a value says so.

    Args:
        panels: the columns, of `medians.panel`; steps without 0 unless `linear`.
        layout: how the arms are drawn, by the labels of the panels' arms.
        single: draw each run as a thin line under the median, instead of the range.
        linear: a linear axis of steps instead of a logarithmic one.
    """
    rows = len(layout.rows)
    across = len(panels) if rows > 1 else min(len(panels), 2)
    down = rows if rows > 1 else math.ceil(len(panels) / across)
    width = max(ALONE if across == 1 else WIDTH, ACROSS * across * (rows > 1))
    height = ROW + 0.4 * (across == 1)
    figure, axes = plt.subplots(
        down, across, figsize=(width, height * down + FRAME), sharex=True, squeeze=False,
        sharey="col" if rows > 1 else False, layout="constrained",
    )  # fmt: skip
    for at, axis in enumerate(axes.flat):
        row, column = divmod(at, across) if rows > 1 else (0, at)
        if column >= len(panels):
            axis.set_axis_off()
            continue
        one = panels[column]
        shown = [label for label in one.arms if layout.arms[label].row == row]
        for place, label in enumerate(shown):
            arm(axis, one.arms[label], layout.arms[label], single, beside(place, len(shown)))
        finish(axis, one, linear)
        if rows == 1 or row == 0:
            axis.set_title(one.column.title, loc="left")
        if rows > 1 and column == 0:
            axis.set_ylabel(layout.rows[row])
        if (row == rows - 1) if rows > 1 else at >= len(panels) - across:
            axis.set_xlabel("optimiser steps")
            axis.tick_params(labelbottom=True)  # also above a place without a panel
    sns.despine(figure)
    beyond = any(arm.beyond() for one in panels for arm in one.arms.values())
    _keys(figure, list(axes.flat), layout, single, beyond)
    return figure


def _keys(figure: Figure, axes: Sequence[Axes], layout: Layout, single: bool, beyond: bool) -> None:
    """Name colours and dashes; the title of the colours counts the runs of an arm, and says what
    thin lines are if there are any `beyond` the medians."""
    colours = [
        Line2D([], [], color=colour, linestyle=dash, linewidth=BOLD, label=label)
        for label, colour, dash in layout.colours
    ]
    counts = [len(arm.keys) for arm in layout.arms.values()]
    count = " to ".join(map(str, dict.fromkeys((min(counts), max(counts)))))
    what = "median, and each" if single else "median and range"
    said = f"{what} of {count} runs" if max(counts) > 1 else "1 run"
    title = f"{layout.title}   ({said}{'; thin: single runs' * (beyond and not single)})"
    if not layout.dashes:
        name_arms(figure, axes, colours, title, layout.numeric)
        return
    dashes = [
        Line2D([], [], color="0.3", linestyle=dash, linewidth=BOLD, label=label)
        for label, dash in layout.dashes
    ]
    name_both(figure, axes, (colours, title, layout.numeric), (dashes, layout.dashes_title))


def arm(axis: Axes, curves: Curves, style: Arm, single: bool = False, points: float = 0) -> None:
    """Draw an arm; a single evaluation so many points beside its step."""
    runs = list(curves.runs.values()) if single else curves.beyond()
    axis.add_collection(
        LineCollection(
            [run.T for run in runs if run.shape[1] > 1], colors=[style.colour], linewidths=THIN,
            alpha=0.6, linestyles=style.dash,
        )
    )  # fmt: skip
    steps, median = curves.steps, curves.median
    if len(steps) == 1:  # hollow marks of different shapes, so that none hides another
        (mark,) = axis.plot(
            steps, median, MARKS[style.dash], color=style.colour, markersize=5, markeredgewidth=1.2,
            markerfacecolor="none", clip_on=False,
        )  # fmt: skip
        bar = axis.vlines(steps, curves.least, curves.greatest, color=style.colour, linewidth=BOLD)
        for artist in (mark, bar):
            artist.set_transform(moved(axis, points))
    elif len(steps):
        axis.plot(steps, median, style.dash, color=style.colour, linewidth=BOLD, zorder=2.5)
        if not single:
            known = np.isfinite(curves.least) & np.isfinite(curves.greatest)
            axis.fill_between(
                steps, curves.least, curves.greatest, where=known, color=style.colour, alpha=0.2,
                linewidth=0,
            )  # fmt: skip


def finish(axis: Axes, one: Panel, linear: bool = False) -> None:
    """Set scales and grid or, without data, write words in their place."""
    axis.set_xscale("linear" if linear else "log")
    if not axis.has_data():
        axis.text(
            0.5, 0.5, f"no run has a value of\n{one.name}" + "\nafter step 0" * (not linear),
            ha="center", va="center", transform=axis.transAxes,
        )  # fmt: skip
        axis.tick_params(left=False, labelleft=False)
        return
    if linear:
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.locator_params(axis="x", nbins=5)
    else:
        _label_within_decades(axis, "x")
    if one.logarithmic:
        axis.set_yscale("log")
        _label_within_decades(axis, "y")
    elif one.column.limits is not None:
        axis.set_ylim(*one.column.limits)
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
