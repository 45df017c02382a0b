"""Paths of arms through a plane of two logged columns, such as the information plane."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import medians, run_lines
from analysis.figures.run_lines import Colour

FITTED = 0.99
"""training accuracy from which on the training set counts as fitted, as t_mem has it"""


def path(axis: Axes, curves: pd.DataFrame, x: str, y: str, colour: Colour) -> bool:
    """Draw the medians of the runs in both columns over training: a hollow mark where the path
    starts, a cross where the median training accuracy reaches FITTED, a full mark where it ends.
    Returns whether there is anything to draw."""
    if x not in curves or y not in curves:
        return False
    known = curves[curves[x].notna() & curves[y].notna()]
    of_x, of_y = (medians.curves_of(known, column, zero=True) for column in (x, y))
    if not len(of_x.steps):
        return False
    axis.plot(of_x.median, of_y.median, "-", color=colour, linewidth=1.1)
    axis.plot(of_x.median, of_y.median, ".", color=colour, markersize=2.5)
    for at, face in ((0, "white"), (-1, colour)):
        axis.plot(
            of_x.median[at], of_y.median[at], "o", color=colour, markerfacecolor=face,
            markersize=5, zorder=3,
        )  # fmt: skip
    accuracy = curves.groupby("step")["train_accuracy"].median()
    reached = accuracy[accuracy >= FITTED]
    if len(reached) and reached.index[0] <= of_x.steps[-1]:
        at = int(np.abs(of_x.steps - reached.index[0]).argmin())
        axis.plot(
            of_x.median[at], of_y.median[at], "X", color=colour, markersize=6,
            markeredgecolor="white", markeredgewidth=0.6, zorder=3,
        )  # fmt: skip
    run_lines.grid(axis)
    return True
