"""Panels of logged columns over the steps, a colour for each arm and a line for each run."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.claims.arms import Arm, Runs
from analysis.figures import arm_styles, run_lines
from analysis.runs.experiments import NotRun

ACCURACY = {"test_accuracy": "test accuracy (dotted: training)"}
CDNV = {"collapse/cdnv": "CDNV"}
KAPPAS = {"flatness/kappa": "κ", "flatness/kappa_surrogate": "surrogate of κ"}
CURVATURES = {**KAPPAS, "flatness/kappa_released": "released formula"}
WIDTH, ROW = 7.0, 1.9  # inches
ACROSS = 3  # panels in a row


def draw(
    rows: Mapping[str, Sequence[Arm]], columns: Mapping[str, str], log: bool = False
) -> tuple[Figure, dict[str, Axes]]:
    """Draw a panel for each column; with several rows, a row of panels for the arms under each
    title. `log` spreads what comes early, without step 0. Returns the axes of the first row by
    column. Raises NotRun where none of the columns is known."""
    every = [arm for arms in rows.values() for arm in arms]
    known = [name for name in columns if any(_known(arm.tables.curves, name) for arm in every)]
    if not known:
        raise NotRun(f"{', '.join(columns)}: not measured")
    across = len(known) if len(rows) > 1 else min(ACROSS, len(known))
    down = len(rows) if len(rows) > 1 else -(-len(known) // across)
    figure, axes = plt.subplots(
        down, across, figsize=(WIDTH, ROW * down + 0.5), sharex="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    places = axes if len(rows) > 1 else axes.reshape(1, -1)
    colours = dict(zip([a.name for a in every], run_lines.palette(len(every)), strict=True))
    for of_row, (title, arms) in zip(places, rows.items(), strict=True):
        for axis, name in zip(of_row, known, strict=False):
            for arm in arms:
                _panel(axis, arm.tables.curves, name, colours[arm.name])
            if log:
                axis.set_xscale("log")
            else:
                run_lines.steps(axis, 4)
        if len(rows) > 1:
            of_row[0].set_ylabel(title)
    for axis, name in zip(places[0], known, strict=False):
        axis.set_title(columns[name], loc="left")
    for axis in places[0][len(known) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel("optimiser steps")
    if len(every) > 1:
        handles = [Line2D([], [], color=colours[arm.name], label=arm.label) for arm in every]
        arm_styles.legend(figure, handles, "")
    sns.despine(figure)
    return figure, dict(zip(known, places[0], strict=False))


def there(runs: Runs, names: Sequence[str]) -> list[Arm]:
    """Those arms that were run. Raises NotRun if none was."""
    return list(runs.there(names).values())


def published(axis: Axes, points: Mapping[float, float]) -> None:
    """Published values by step, as hollow diamonds."""
    axis.plot(list(points), list(points.values()), "D", color="black", markersize=4,
              markerfacecolor="white", linestyle="none", zorder=4)  # fmt: skip


def _panel(axis: Axes, curves: pd.DataFrame, name: str, colour: run_lines.Colour) -> None:
    if not _known(curves, name):
        return
    if name == "test_accuracy":
        run_lines.runs(axis, curves, "train_accuracy", colour, ":")
        axis.set_ylim(-0.03, 1.03)
    elif (curves[name].dropna() > 0).all():
        axis.set_yscale("log")
    run_lines.runs(axis, curves.dropna(subset=[name]), name, colour)


def _known(curves: pd.DataFrame, name: str) -> bool:
    return name in curves and bool(np.isfinite(curves[name].astype(float)).any())
