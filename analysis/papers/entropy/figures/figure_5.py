"""Figure 5: the entropy of the three tasks modulo 97."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.papers.entropy.estimates.universality import (
    ADDITION,
    MULTIPLICATION,
    SUBTRACTION,
    TASKS,
    modular,
)
from analysis.papers.entropy.figures import lines
from analysis.runs.experiments import Experiments
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Normalised spectral entropy of three tasks modulo 97, a line a run; dots: where it groks;"
    " dashed: their mean H̃*; dotted: the published one."
)
OURS = False
PUBLISHED = {ADDITION: 0.605, MULTIPLICATION: 0.589, SUBTRACTION: 0.589}


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun without the runs of multiplication or subtraction."""
    of_tasks = modular(experiments)
    figure, axes = plt.subplots(
        1, len(of_tasks), figsize=(6.6, 2.4), sharex=True, sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    colours = dict(zip(TASKS, sns.color_palette("viridis", len(TASKS) + 1), strict=False))
    for axis, (task, tables) in zip(axes[0], of_tasks.items(), strict=True):
        level = float(at_grok(tables).mean())
        lines.runs(axis, tables.curves, ENTROPY, colours[task])
        lines.grokking(axis, tables, ENTROPY, colours[task])
        axis.axhline(level, color="black", linewidth=0.9, linestyle="--")
        axis.axhline(PUBLISHED[task], color="0.5", linewidth=0.9, linestyle=":")
        axis.set_title(f"{TASKS[task]},  H̃* = {level:.3f}", loc="left")
        axis.set_xlabel("optimiser steps")
        lines.thousands(axis)
        axis.locator_params(axis="x", nbins=4)
    axes[0, 0].set_ylabel("H̃")
    sns.despine(figure)
    return figure
