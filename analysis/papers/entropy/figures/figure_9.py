"""Figure 9: an MLP and the Transformer on the same splits of addition modulo 41."""

import math

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates import networks
from analysis.papers.entropy.figures import lines
from analysis.runs.experiments import Experiments, NotRun
from grokpipe.curves.events import ENTROPY

TITLE = (
    "MLP and Transformer on the same splits of a + b mod 41, by training fraction: test accuracy,"
    " entropy (dashed: H̃* of the Transformers), Fourier alignment (grey: with permuted labels); a"
    " line a run, dots where it groks. The paper shows one fraction and does not tell which."
)
OURS = False
ROWS = {
    "test_accuracy": "test accuracy", ENTROPY: "H̃", networks.ALIGNMENT: "Fourier alignment"
}  # fmt: skip
DASHES = {networks.MLP: "-", networks.TRANSFORMER: "--"}


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun."""
    fractions = networks.fractions(experiments)
    viridis = sns.color_palette("viridis", 5)
    colours = {networks.MLP: viridis[3], networks.TRANSFORMER: viridis[0]}
    figure, axes = plt.subplots(
        3, len(fractions), figsize=(6.6, 4.8), sharex=True, sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for fraction, column in zip(fractions, axes.T, strict=True):
        for arch, colour in colours.items():
            try:
                tables = networks.of_network(experiments, arch, fraction)
            except NotRun:
                continue
            curves = tables.curves[tables.curves["step"] > 0]  # a logarithmic axis has no zero
            lines.runs(column[2], curves, networks.NULL, "0.7")
            for axis, name in zip(column, ROWS, strict=True):
                lines.runs(axis, curves, name, colour, DASHES[arch])
                lines.grokking(axis, tables, name, colour)
        if not math.isnan(level := networks.threshold(experiments, fraction)):
            column[1].axhline(level, color="black", linewidth=0.9, linestyle="--")
        column[0].set_title(f"{fraction:g} of the pairs", loc="left")
        column[2].set_xlabel("optimiser steps")
        column[0].set_xscale("log")
        for axis in column:
            lines.thousands(axis)
    for axis, label in zip(axes[:, 0], ROWS.values(), strict=True):
        axis.set_ylabel(label)
    axes[0, 0].set_ylim(-0.02, 1.02)
    for arch, colour in colours.items():
        axes[0, 0].plot([], [], DASHES[arch], color=colour, label=networks.NAMES[arch])
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
    )
    sns.despine(figure)
    return figure
