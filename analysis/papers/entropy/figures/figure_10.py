"""Figure 10: the entropy on a training and on a test probe."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.probes import TEST
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Entropy of the training probe against that of the test probe, all evaluations of the baseline;"
    " dots: where each run groks; the line is equality."
)
OURS = False


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun."""
    tables = experiments.tables(BASELINE)
    figure, axis = plt.subplots(figsize=(3.4, 3.2), layout="constrained")
    colours = sns.color_palette("viridis", 4)
    axis.scatter(
        tables.curves[TEST], tables.curves[ENTROPY], s=4, color=colours[2], alpha=0.4,
        linewidths=0, rasterized=True,
    )  # fmt: skip
    axis.plot(
        at_grok(tables, TEST), at_grok(tables), "o", color=colours[0], markersize=4,
        markeredgecolor="white", markeredgewidth=0.5,
    )  # fmt: skip
    ends = tables.curves[[TEST, ENTROPY]].stack()
    axis.plot([ends.min(), ends.max()], [ends.min(), ends.max()], color="black", linewidth=0.9)
    axis.set(xlabel="H̃, test probe", ylabel="H̃, training probe", aspect="equal")
    axis.grid(alpha=0.3, linewidth=0.5)
    sns.despine(figure)
    return figure
