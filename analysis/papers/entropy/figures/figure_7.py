"""Figure 7, ours: composition in S5 by the share of the pairs that is trained on."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates.conditions import groks
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.papers.entropy.estimates.universality import fractions
from analysis.papers.entropy.figures import lines
from analysis.runs.experiments import Experiments
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Composition in S5 by the share of pairs in the training set (published: 0.1): test accuracy"
    " and entropy, a line a run; dots: where it groks; dashed: mean H̃*; dotted: the published one."
)
OURS = True
PUBLISHED = 0.655


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun."""
    by_fraction = fractions(experiments)
    figure, axes = plt.subplots(
        2, len(by_fraction), figsize=(6.6, 3.6), sharex=True, sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    colours = sns.color_palette("viridis", len(by_fraction) + 1)
    for (accuracy, entropy), (fraction, tables), colour in zip(
        axes.T, by_fraction.items(), colours, strict=False
    ):
        for axis, column in ((accuracy, "test_accuracy"), (entropy, ENTROPY)):
            lines.runs(axis, tables.curves, column, colour)
            lines.grokking(axis, tables, column, colour)
            lines.thousands(axis)
            axis.locator_params(axis="x", nbins=4)
        observed = groks(tables)["observed"].astype(bool)
        if observed.any():
            level = float(at_grok(tables).mean())
            entropy.axhline(level, color="black", linewidth=0.9, linestyle="--")
        entropy.axhline(PUBLISHED, color="0.5", linewidth=0.9, linestyle=":")
        accuracy.set_title(
            f"{fraction:g} of the pairs: {observed.sum()} of {len(observed)} grok", loc="left"
        )
        entropy.set_xlabel("optimiser steps")
    axes[0, 0].set_ylabel("test accuracy")
    axes[1, 0].set_ylabel("H̃")
    axes[0, 0].set_ylim(-0.02, 1.02)
    sns.despine(figure)
    return figure
