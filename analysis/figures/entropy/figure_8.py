"""Figure 8 (ours): what stopping early saves and costs."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis.entropy.experiments import Experiments
from analysis.entropy.stopping import stops

TITLE = (
    "Early stopping by four rules, a mark a run: the share of the budget that it saves, and the"
    " test accuracy that it costs. Dotted: the published 86 %."
)
OURS = True
PUBLISHED = 0.86


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun."""
    found = stops(experiments)
    figure, axis = plt.subplots(figsize=(6.6, 2.8), layout="constrained")
    rules = found["rule"].unique()
    colours = sns.color_palette("viridis", len(rules) + 1)
    for rule, colour, mark in zip(rules, colours, "os^D", strict=False):
        of_rule = found[found["rule"] == rule]
        axis.plot(of_rule["saved"], of_rule["lost"], mark, color=colour, markersize=4.5, label=rule)
    axis.axhline(0, color="black", linewidth=0.9)
    axis.axvline(PUBLISHED, color="0.5", linewidth=0.9, linestyle=":")
    axis.set(xlabel="share of the budget saved", ylabel="test accuracy lost")
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(alpha=0.3, linewidth=0.5)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    sns.despine(figure)
    return figure
