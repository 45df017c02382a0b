"""Figure 10: the entropy on a training and on a test probe."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs
from analysis.figures import run_lines
from analysis.papers.entropy.tables.probes import TEST, at_grok
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Entropy of the training probe against that of the test probe, all evaluations of the baseline;"
    " dots: where each run groks; the line is equality."
)
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arm = runs.arm(BASELINE)
    both, there = arm.tables.curves[[TEST, ENTROPY]], at_grok(arm)
    figure, axis = plt.subplots(figsize=(3.4, 3.2), layout="constrained")
    dark, _, light, _ = sns.color_palette("viridis", 4)
    axis.scatter(
        both[TEST], both[ENTROPY], s=4, color=light, alpha=0.4, linewidths=0, rasterized=True
    )
    axis.plot(
        there[TEST], there[ENTROPY], "o", color=dark, markersize=4, markeredgecolor="white",
        markeredgewidth=0.5,
    )  # fmt: skip
    ends = [both.min().min(), both.max().max()]
    axis.plot(ends, ends, color="black", linewidth=0.9)
    axis.set(xlabel="H̃, test probe", ylabel="H̃, training probe", aspect="equal")
    run_lines.grid(axis)
    sns.despine(figure)
    return figure
