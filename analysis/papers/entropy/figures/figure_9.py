"""Figure 9: an MLP and the Transformer on the same splits of addition modulo 41."""

import math

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs, observed
from analysis.figures import run_lines
from analysis.papers.entropy.estimates.networks import MLP, TRANSFORMER, threshold
from analysis.papers.entropy.estimates.phases import ALIGNMENT, NULL
from analysis.papers.entropy.tables.networks import fractions, of_networks
from grokpipe.curves.events import ENTROPY

TITLE = (
    "MLP and Transformer on the same splits of a + b mod 41, by training fraction: test accuracy,"
    " entropy (dashed: H̃* of the Transformers), Fourier alignment (grey: with permuted labels); a"
    " line a run, dots where it groks. The paper shows one fraction and does not tell which."
)
OURS = False
ROWS = {"test_accuracy": "test accuracy", ENTROPY: "H̃", ALIGNMENT: "Fourier alignment"}
STYLES = {MLP: ("MLP", 3, "-"), TRANSFORMER: ("Transformer", 0, "--")}
"""label, colour of five, line"""


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    by_network, viridis = of_networks(runs), sns.color_palette("viridis", 5)
    shown = fractions(by_network)
    figure, axes = plt.subplots(
        3, len(shown), figsize=(6.6, 4.8), sharex=True, sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for fraction, column in zip(shown, axes.T, strict=True):
        for network, (_, colour, dash) in STYLES.items():
            if fraction not in by_network[network]:
                continue
            arm = by_network[network][fraction]
            every, grokked = arm.tables.curves, observed(arm.events("t_grok"))
            curves = every[every["step"] > 0]  # a logarithmic axis has no zero
            run_lines.runs(column[2], curves, NULL, "0.7")
            for axis, name in zip(column, ROWS, strict=True):
                run_lines.runs(axis, curves, name, viridis[colour], dash)
                run_lines.dots(axis, every, grokked, name, viridis[colour])
        transformer = by_network[TRANSFORMER].get(fraction)
        if transformer and not math.isnan(level := threshold(transformer)):
            run_lines.level(column[1], level)
        column[0].set_title(f"{fraction:g} of the pairs", loc="left")
        column[2].set_xlabel("optimiser steps")
        column[0].set_xscale("log")
        for axis in column:
            run_lines.steps(axis)
    for axis, label in zip(axes[:, 0], ROWS.values(), strict=True):
        axis.set_ylabel(label)
    axes[0, 0].set_ylim(-0.02, 1.02)
    for label, colour, dash in STYLES.values():
        axes[0, 0].plot([], [], dash, color=viridis[colour], label=label)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
    )
    sns.despine(figure)
    return figure
