"""Figure 8 (ours): what stopping early saves and costs, and how many pilots calibrate H̃*."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis.claims.arms import Runs
from analysis.figures import run_lines
from analysis.papers.entropy.estimates.pilots import pilot_errors, reached
from analysis.papers.entropy.estimates.stopping import stops
from analysis.runs.experiments import NotRun

TITLE = (
    "Left: early stopping by four rules, a mark a run: the share of the budget that it saves, and"
    " the test accuracy that it costs; dotted: the published 86 %. Right: H̃* of so many pilot seeds"
    " against that of the others, a dot for each way to choose them; black: 95 % of them are below."
)
OURS = True
PUBLISHED = 0.86
LARGEST = 0.4  # width of a column of dots


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    found = stops(runs)
    figure, (axis, of_pilots) = plt.subplots(
        1, 2, figsize=(6.6, 3.6), width_ratios=(3, 2), layout="constrained"
    )
    rules = found["rule"].unique()
    for rule, colour, mark in zip(rules, run_lines.palette(len(rules)), "os^D", strict=True):
        of_rule = found[found["rule"] == rule]
        axis.plot(of_rule["saved"], of_rule["lost"], mark, color=colour, markersize=4.5, label=rule)
    axis.axhline(0, color="black", linewidth=0.9)
    axis.axvline(PUBLISHED, color="0.5", linewidth=0.9, linestyle=":")
    axis.set(xlabel="share of the budget saved", ylabel="test accuracy lost")
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    run_lines.grid(axis)
    figure.legend(loc="outside lower left", ncols=2, frameon=False)
    _pilots(of_pilots, runs)
    sns.despine(figure)
    return figure


def _pilots(axis: Axes, runs: Runs) -> None:
    try:
        every = pilot_errors(runs)
    except NotRun:  # the rules need three runs, pilots five
        every = {}
    for pilots, found in every.items():
        spread = np.linspace(-LARGEST / 2, LARGEST / 2, len(found))
        axis.plot(pilots + spread, found, ".", color="0.6", markersize=3)
        axis.plot([pilots - LARGEST, pilots + LARGEST], [reached(found)] * 2, color="black")
    axis.set(xlabel="pilot seeds", ylabel="error of H̃*")
    axis.set_ylim(bottom=0)
    run_lines.grid(axis)
