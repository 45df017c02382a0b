"""Figure 11 (ours): the entropy at which runs grok, and how low it gets in those that do not."""

from contextlib import suppress

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs, finished
from analysis.figures import run_lines
from analysis.papers.entropy.estimates.necessity import by_arm
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY

TITLE = (
    "H̃ when a run groks (dots), and the lowest H̃ of runs that ended without it (triangles), by"
    " arm. Line: H̃*, the baseline's mean, band: the range of its runs. A dot to its right grokked"
    " without having crossed, unless H̃ came back; a triangle to its left marks a run that collapsed"
    " without grokking."
)
OURS = True
ROW = 0.2  # inches of an arm


def draw(runs: Runs) -> Figure:
    """Raises NotRun without a baseline that groks, or without any other run."""
    arms = {arm.label: arm for arm in by_arm(runs)}
    with suppress(NotRun):
        for fraction, arm in runs.divided("mlp_by_fraction").items():
            arms[f"MLP modulo 41, fraction {fraction:g}"] = arm
    levels = arms["baseline"].at(ENTROPY, "t_grok").dropna()
    if levels.empty or len(arms) == 1:
        raise NotRun("no baseline that groks, or no arm beside it")
    figure, axis = plt.subplots(figsize=(6.6, 0.8 + ROW * len(arms)), layout="constrained")
    axis.axvspan(levels.min(), levels.max(), color="0.9", zorder=0)
    axis.axvline(levels.mean(), color="black", linewidth=0.9, linestyle="--")
    for row, (arm, colour) in enumerate(
        zip(arms.values(), run_lines.palette(len(arms)), strict=True)
    ):
        events, curves = arm.events("t_grok"), arm.tables.curves
        never = events["key"][~events["observed"].astype(bool) & finished(events)]
        lowest = curves[curves["key"].isin(never)].groupby("key")[ENTROPY].min()
        run_lines.row(axis, arm.at(ENTROPY, "t_grok").dropna(), row, colour)
        run_lines.row(axis, lowest, row, colour, "<")
    run_lines.named_rows(axis, list(arms))
    axis.set_xlabel("normalised spectral entropy H̃")
    run_lines.grid(axis)
    sns.despine(figure)
    return figure
