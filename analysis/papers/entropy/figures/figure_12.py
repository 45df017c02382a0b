"""Figure 12: Fourier alignment against the entropy."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs, require
from analysis.claims.estimators.laws import way_to
from analysis.figures import run_lines
from analysis.papers.entropy.estimates.alignment import PUBLISHED
from analysis.papers.entropy.estimates.phases import ALIGNMENT
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Fourier alignment against H̃ in the baseline until T_grok: max |r| of the first eigenvector (A)"
    " and by regression on waves of any phase (B); a line a run, the darker the sooner it groks, a"
    " dot there; crosses: the ends of the path in the paper's second version."
)
OURS = True
ENDS = ((0.80, 0.55), (0.11, 0.65))
"""published H̃ and alignment at the start and at the end"""


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    for column in (PUBLISHED, ALIGNMENT):
        require(column, runs.arm(BASELINE).tables.curves, BASELINE)
    curves = sorted(way_to(runs, BASELINE).curves, key=lambda curve: curve["step"].iloc[-1])
    colours = sns.color_palette("viridis", len(curves))
    figure, axes = plt.subplots(
        1, 2, figsize=(6.6, 2.8), sharex=True, sharey=True, layout="constrained"
    )
    for axis, column, title in zip(axes, (PUBLISHED, ALIGNMENT), "AB", strict=True):
        for curve, colour in zip(curves, colours, strict=True):
            axis.plot(curve[ENTROPY], curve[column], color=colour, linewidth=0.6, alpha=0.6)
            axis.plot(*curve[[ENTROPY, column]].iloc[-1], "o", color=colour, markersize=4)
        axis.set_title(f"{title}  {column}", loc="left")
        axis.set_xlabel("entropy H̃")
        run_lines.grid(axis)
    axes[0].plot(*ENDS, "x", color="black", markersize=7)
    axes[0].invert_xaxis()  # time runs from left to right; both axes share it
    axes[0].set(ylabel="alignment", ylim=(0, 1))
    sns.despine(figure)
    return figure
