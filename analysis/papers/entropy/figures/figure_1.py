"""Figure 1: the baseline over training."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs, observed
from analysis.figures import run_lines
from grokpipe.curves.events import ENTROPY

TITLE = (
    "The baseline: accuracies (dashed: training), normalised spectral entropy and norm of the"
    " weights; a line a run, dots where it groks, black: the mean while all runs last; dashed: mean"
    " H̃*, band: its range over seeds, dotted: the published 0.609."
)
OURS = False
PUBLISHED = 0.609


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arm = runs.arm(BASELINE)
    curves, grokked = arm.tables.curves, observed(arm.events("t_grok"))
    figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.5), sharex=True, layout="constrained")
    accuracy, entropy, norm = axes
    run_lines.runs(accuracy, curves, "train_accuracy", "0.6", "--")
    columns = ("test_accuracy", ENTROPY, "weight_norm")
    titles = ("A  accuracy", "B  entropy H̃", "C  norm ‖θ‖")
    colours = sns.color_palette("viridis", 4)
    for axis, column, title, colour in zip(axes, columns, titles, colours, strict=False):
        run_lines.runs(axis, curves, column, colour)
        run_lines.mean(axis, curves, column)
        if axis is not accuracy:
            run_lines.dots(axis, curves, grokked, column, colour)
        axis.set_title(title, loc="left")
        axis.set_xlabel("optimiser steps")
        run_lines.steps(axis, 4)
    levels = arm.at(ENTROPY, "t_grok").dropna()
    if len(levels):
        entropy.axhspan(levels.min(), levels.max(), color="black", alpha=0.08, linewidth=0)
        run_lines.level(entropy, levels.mean())
    run_lines.level(entropy, PUBLISHED, published=True)
    norm.set_ylim(0, None)
    sns.despine(figure)
    return figure
