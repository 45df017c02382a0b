"""Figure 7, ours: composition in S5 by the share of the pairs that is trained on."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs, observed
from analysis.figures import run_lines
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Composition in S5 by the share of pairs in the training set (published: 0.1): test accuracy"
    " and entropy, a line a run; dots: where it groks; dashed: mean H̃*; dotted: the published one."
)
OURS = True
PUBLISHED = 0.655


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arms = runs.divided("s5_by_fraction")
    figure, axes = plt.subplots(
        2, len(arms), figsize=(6.6, 3.6), sharex=True, sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for (accuracy, entropy), (fraction, arm), colour in zip(
        axes.T, arms.items(), run_lines.palette(len(arms)), strict=True
    ):
        grokked = observed(arm.events("t_grok"))
        for axis, column in ((accuracy, "test_accuracy"), (entropy, ENTROPY)):
            run_lines.runs(axis, arm.tables.curves, column, colour)
            run_lines.dots(axis, arm.tables.curves, grokked, column, colour)
            run_lines.steps(axis, 4)
        if len(grokked):
            run_lines.level(entropy, float(arm.at(ENTROPY, "t_grok").mean()))
        run_lines.level(entropy, PUBLISHED, published=True)
        of = f"{len(grokked)} of {len(arm.events('t_grok'))} grok"
        accuracy.set_title(f"{fraction:g} of the pairs: {of}", loc="left")
        entropy.set_xlabel("optimiser steps")
    axes[0, 0].set_ylabel("test accuracy")
    axes[1, 0].set_ylabel("H̃")
    axes[0, 0].set_ylim(-0.02, 1.02)
    sns.despine(figure)
    return figure
