"""Figure 4 (ours): the reported κ beside what the regulariser's constants give."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.figures import run_lines
from analysis.papers.flatness.estimates.constant import SETTINGS, surrogate

TITLE = (
    "The surrogate of κ that is reported for networks under the regulariser (diamonds; a bar where"
    " the paper gives a bound or a range) and B² U(t*/2), from λ, B, the number of classes and the"
    " temperature alone (dots)."
)
OURS = True


def draw(runs: Runs) -> Figure:
    """Needs no runs."""
    figure, axis = plt.subplots(figsize=(5.4, 2.2), layout="constrained")
    computed, published = run_lines.palette(2)
    for row, one in enumerate(SETTINGS):
        low, high = one.at_least, one.at_most
        if np.isfinite(high) and high / low < 1.01:
            axis.plot([(low + high) / 2], [row], "D", color=published, markerfacecolor="white",
                      markersize=8)  # fmt: skip
        else:
            end = high if np.isfinite(high) else low * 1.6
            axis.plot([low, end], [row, row], color=published, linewidth=5, alpha=0.4)
            if not np.isfinite(high):
                axis.plot([end], [row], ">", color=published, markersize=7, alpha=0.6)
        axis.plot([surrogate(one.weight, one.cap, one.classes)], [row], "o", color=computed,
                  markersize=4)  # fmt: skip
    names = [f"{one.network}, λB² = {one.weight * one.cap**2:g}" for one in SETTINGS]
    run_lines.named_rows(axis, names)
    axis.set_xscale("log")
    axis.set_xlabel("surrogate of κ")
    run_lines.grid(axis)
    sns.despine(figure)
    return figure
