"""Figure 1: the baseline over training."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.papers.entropy.figures import lines
from analysis.runs.experiments import Experiments
from grokpipe.curves.events import ENTROPY

TITLE = (
    "The baseline: accuracies (dashed: training), normalised spectral entropy and norm of the"
    " weights; a line a run, dots where it groks, black: the mean while all runs last; dashed: mean"
    " H̃*, band: its range over seeds, dotted: the published 0.609."
)
OURS = False
PUBLISHED = 0.609


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun."""
    tables = experiments.tables(BASELINE)
    colours = sns.color_palette("viridis", 4)
    figure, (accuracy, entropy, norm) = plt.subplots(
        1, 3, figsize=(6.6, 2.5), sharex=True, layout="constrained"
    )
    lines.runs(accuracy, tables.curves, "train_accuracy", "0.6", "--")
    lines.runs(accuracy, tables.curves, "test_accuracy", colours[0])
    lines.mean(accuracy, tables.curves, "test_accuracy")
    lines.runs(entropy, tables.curves, ENTROPY, colours[1])
    lines.mean(entropy, tables.curves, ENTROPY)
    lines.grokking(entropy, tables, ENTROPY, colours[1])
    levels = at_grok(tables).dropna()
    if len(levels):
        entropy.axhspan(levels.min(), levels.max(), color="black", alpha=0.08, linewidth=0)
        entropy.axhline(levels.mean(), color="black", linewidth=0.9, linestyle="--")
    entropy.axhline(PUBLISHED, color="0.5", linewidth=0.9, linestyle=":")
    lines.runs(norm, tables.curves, "weight_norm", colours[2])
    lines.mean(norm, tables.curves, "weight_norm")
    lines.grokking(norm, tables, "weight_norm", colours[2])
    titles = ("A  accuracy", "B  entropy H̃", "C  norm ‖θ‖")
    for axis, title in zip((accuracy, entropy, norm), titles, strict=True):
        axis.set_title(title, loc="left")
        axis.set_xlabel("optimiser steps")
        lines.thousands(axis)
        axis.locator_params(axis="x", nbins=4)
    norm.set_ylim(0, None)
    sns.despine(figure)
    return figure
