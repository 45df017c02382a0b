"""Figure 5: the entropy of the three tasks modulo 97."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs, observed
from analysis.figures import run_lines
from analysis.papers.entropy.estimates.tasks import MODULAR
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Normalised spectral entropy of three tasks modulo 97, a line a run; dots: where it groks;"
    " dashed: their mean H̃*; dotted: the published one."
)
OURS = False
PUBLISHED = dict(zip(MODULAR, (0.605, 0.589, 0.589), strict=True))


def draw(runs: Runs) -> Figure:
    """Raises NotRun without the runs of multiplication or subtraction."""
    runs.there(MODULAR[1:])
    arms = list(runs.there(MODULAR).values())
    figure, axes = plt.subplots(
        1, len(arms), figsize=(6.6, 2.4), sharex=True, sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    colours = dict(zip(MODULAR, run_lines.palette(len(MODULAR)), strict=True))
    for axis, arm in zip(axes[0], arms, strict=True):
        curves, level = arm.tables.curves, float(arm.at(ENTROPY, "t_grok").mean())
        run_lines.runs(axis, curves, ENTROPY, colours[arm.name])
        grokked = observed(arm.events("t_grok"))
        run_lines.dots(axis, curves, grokked, ENTROPY, colours[arm.name])
        run_lines.level(axis, level)
        run_lines.level(axis, PUBLISHED[arm.name], published=True)
        axis.set_title(f"{arm.label},  H̃* = {level:.3f}", loc="left")
        axis.set_xlabel("optimiser steps")
        run_lines.steps(axis, 4)
    axes[0, 0].set_ylabel("H̃")
    sns.despine(figure)
    return figure
