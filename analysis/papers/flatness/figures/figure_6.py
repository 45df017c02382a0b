"""Figure 6 (ours): κ against the training loss, at the same loss before and after grokking."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs
from analysis.figures import run_lines
from analysis.papers.flatness.estimates.curves import KAPPA

TITLE = (
    "κ against training loss, an evaluation a dot, a grey line a run, coloured by test accuracy: at"
    " one loss, is a network that generalises flatter than one that only memorises?"
)
OURS = True
ARMS = (BASELINE, "away", "penalty")


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arms = list(runs.there(ARMS).values())
    figure, axes = plt.subplots(
        1, len(arms), figsize=(2.4 * len(arms) + 1.2, 2.7), sharex=True, sharey=True,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, arm in zip(axes[0], arms, strict=True):
        curves = arm.tables.curves
        curves = curves[(curves["train_loss"] > 0) & (curves[KAPPA] > 0)]
        for _, curve in curves.groupby("key"):
            axis.plot(curve["train_loss"], curve[KAPPA], color="0.85", linewidth=0.4, zorder=1)
        points = axis.scatter(
            curves["train_loss"], curves[KAPPA], c=curves["test_accuracy"], s=5, linewidths=0,
            cmap="viridis", vmin=0, vmax=1, rasterized=True, zorder=2,
        )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="training loss")
        axis.set_title(arm.label, loc="left")
        run_lines.grid(axis)
    axes[0, 0].set_ylabel("relative flatness κ")
    figure.colorbar(points, ax=axes[0], label="test accuracy", shrink=0.8)
    sns.despine(figure)
    return figure
