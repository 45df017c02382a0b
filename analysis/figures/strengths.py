"""Panels of logged columns over the steps, a colour for each strength of an arm."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.figures import arm_styles, labels, medians
from analysis.figures import curves as panels
from analysis.figures.arm_layout import Arm
from analysis.figures.run_lines import Colour
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables

START = 10
"""first step of the axes"""
DASHED = {"test_accuracy": "train_accuracy"}
"""column → the one that is drawn with it, dashed and without its range"""
EDGE = 1.3  # factor between a published number and the end of the axis, at least
WIDTH, ROW = 7.0, 1.9  # inches

Columns = Mapping[str, str]
"""column → title of its panel"""


def draw(
    rows: Mapping[str, Tables],
    columns: Columns,
    by: str,
    colours: Mapping[float, Colour],
    down: int = 1,
) -> tuple[Figure, NDArray[Any]]:
    """Draw a row of panels for the runs under each title, one for each column: median and range of
    the runs at each value of `by`, from step START on. A column that is known at some evaluations
    only has lines from one of these to the next.

    Without several rows, the panels lie in `down` rows. Returns the figure and its axes, (rows,
    columns). Raises NotRun where no run of any row has a value of any of the columns.
    """
    known = {name for one in rows.values() for name in columns if _known(one.curves, name)}
    if not known:
        raise NotRun(f"{', '.join(columns)}: not measured")
    titles = {name: title for name, title in columns.items() if name in known}
    down = len(rows) if len(rows) > 1 else down
    across = len(titles) if len(rows) > 1 else -(-len(titles) // down)
    figure, axes = plt.subplots(
        down, across, figsize=(WIDTH, ROW * down + 0.6), sharex=True, squeeze=False,
        sharey="col" if len(rows) > 1 else False, layout="constrained",
    )  # fmt: skip
    places = axes if len(rows) > 1 else axes.reshape(1, -1)
    for of_row, (row, tables) in zip(places, rows.items(), strict=True):
        for axis, name in zip(of_row, titles, strict=False):
            panel(axis, tables, name, by, colours)
        if len(rows) > 1:
            of_row[0].set_ylabel(row)
    for axis, title in zip(places[0], titles.values(), strict=False):
        axis.set_title(title, loc="left")
    for axis in axes[-1]:
        axis.set_xlabel("optimiser steps")
    for axis in places[0][len(titles) :]:
        axis.set_axis_off()
    name_values(figure, list(rows.values()), by, colours)
    sns.despine(figure)
    return figure, places


def panel(axis: Axes, tables: Tables, name: str, by: str, colours: Mapping[float, Colour]) -> None:
    """Draw one column."""
    of_values = keys(tables, by)
    shown = tables.curves[tables.curves["step"] >= START]
    for column, dash in ((DASHED.get(name), "--"), (name, "-")):
        if column is None or not _known(shown, column):
            continue
        one = medians.panel(shown, of_values, column)
        for value, found in one.arms.items():
            colour = colours[float(value)]
            if dash == "-":
                panels.arm(axis, found, Arm(of_values[value], colour, "-", 0))
            else:
                axis.plot(found.steps, found.median, dash, color=colour, linewidth=0.8, alpha=0.8)
        if dash == "-":
            panels.finish(axis, one)
    if not axis.has_data():
        axis.text(
            0.5, 0.5, "not measured", ha="center", va="center", transform=axis.transAxes,
            color="0.4",
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(left=START)


def keys(tables: Tables, by: str) -> dict[str, frozenset[str]]:
    """The keys of the runs at each value of a column, ascending, by the value as text."""
    groups = sorted(tables.cells.groupby(tables.cells[by].astype(float)), key=lambda one: one[0])
    return {f"{value:g}": frozenset(cells["key"]) for value, cells in groups}


def name_values(
    figure: Figure,
    several: Sequence[Tables],
    by: str,
    colours: Mapping[float, Colour],
    what: str = "median and range",
) -> None:
    """Name the colours of the values that occur; say `what` a line is, of how many runs."""
    counts = [len(of) for one in several for of in keys(one, by).values()]
    values = sorted({float(value) for one in several for value in keys(one, by)})
    handles = [Line2D([], [], color=colours[value], label=f"{value:g}") for value in values]
    count = " to ".join(map(str, dict.fromkeys((min(counts), max(counts)))))
    said = f"{what} of {count} runs" if max(counts) > 1 else "1 run"
    arm_styles.legend(figure, handles, f"{labels.setting(by)}   ({said})")


def published(
    axis: Axes, step: float, value: float, colour: Colour, marker: str = "D", size: float = 5
) -> None:
    """Mark a published number: hollow, with a dark edge around its colour. The logarithmic axis of
    steps, or of what else is across, reaches as far."""
    left, right = axis.get_xlim()
    axis.set_xlim(min(left, step / EDGE), max(right, step * EDGE))
    for edge, width in (("black", 2.4), (colour, 1.2)):
        axis.plot(
            [step], [value], marker, markersize=size, markerfacecolor="white",
            markeredgecolor=edge, markeredgewidth=width, linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip


def _known(curves: pd.DataFrame, name: str) -> bool:
    return name in curves and bool(np.isfinite(curves[name].astype(float)).any())
