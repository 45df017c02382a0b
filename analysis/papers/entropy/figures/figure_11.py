"""Figure 11 (ours): the entropy at which runs grok, and how low it gets in those that do not."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates import networks
from analysis.papers.entropy.estimates.conditions import groks
from analysis.papers.entropy.estimates.necessity import by_arm
from analysis.papers.entropy.estimates.shares import finished
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from grokpipe.curves.events import ENTROPY

TITLE = (
    "H̃ when a run groks (dots), and the lowest H̃ of runs that ended without it (triangles), by"
    " arm. Line: H̃*, the baseline's mean, band: the range of its runs. A dot on its right grokked"
    " without having crossed, unless H̃ came back; a triangle on its left collapsed in vain."
)
OURS = True
ROW = 0.2  # inches of an arm


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun without a baseline that groks, or without any other run."""
    arms = [*by_arm(experiments), *_mlps(experiments)]
    (_, base), *others = arms
    levels = at_grok(base).dropna()
    if levels.empty or not others:
        raise NotRun("no baseline that groks, or no arm beside it")
    figure, axis = plt.subplots(figsize=(6.6, 0.8 + ROW * len(arms)), layout="constrained")
    colours = sns.color_palette("viridis", len(arms) + 1)
    axis.axvspan(levels.min(), levels.max(), color="0.9", zorder=0)
    axis.axvline(levels.mean(), color="black", linewidth=0.9, linestyle="--")
    for row, ((_, runs), colour) in enumerate(zip(arms, colours, strict=False)):
        events = groks(runs)
        never = events["key"][~events["observed"].astype(bool) & finished(events)]
        lowest = runs.curves[runs.curves["key"].isin(never)].groupby("key")[ENTROPY].min()
        for shown, marker in ((at_grok(runs).dropna(), "o"), (lowest, "<")):
            axis.plot(
                shown, np.full(len(shown), row), marker, color=colour, markersize=4, alpha=0.7,
                markerfacecolor=colour if marker == "o" else "none", linestyle="none",
            )  # fmt: skip
    axis.set_yticks(range(len(arms)), [label for label, _ in arms])
    axis.set_ylim(len(arms) - 0.5, -0.5)
    axis.set_xlabel("normalised spectral entropy H̃")
    axis.grid(alpha=0.3, linewidth=0.5)
    sns.despine(figure)
    return figure


def _mlps(experiments: Experiments) -> Iterator[tuple[str, Tables]]:
    try:
        for fraction in networks.fractions(experiments):
            runs = networks.of_network(experiments, networks.MLP, fraction)
            yield f"MLP modulo 41, fraction {fraction:g}", runs
    except NotRun:
        return
