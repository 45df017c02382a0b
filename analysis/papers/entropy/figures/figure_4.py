"""Figure 4: norm and entropy together, and the law of the time left."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.laws import forecasts
from analysis.figures import forecast, run_lines
from grokpipe.curves.events import ENTROPY

TITLE = (
    "A: norm and entropy of all evaluations of the baseline, coloured by test accuracy. B: steps"
    " until grokking against the entropy gap, a colour a run, with the power law and the"
    " logarithmic law fitted to all of them."
)
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    curves, long = runs.arm(BASELINE).tables.curves, forecasts(runs, BASELINE)
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 2.9), layout="constrained")
    for _, curve in curves.groupby("key"):
        left.plot(curve["weight_norm"], curve[ENTROPY], color="0.8", linewidth=0.4, zorder=1)
    points = left.scatter(
        curves["weight_norm"], curves[ENTROPY], c=curves["test_accuracy"], s=5, linewidths=0,
        cmap="viridis", vmin=0, vmax=1, rasterized=True, zorder=2,
    )  # fmt: skip
    figure.colorbar(points, ax=left, label="test accuracy", shrink=0.8)
    left.set(xlabel="norm ‖θ‖", ylabel="entropy H̃")
    left.set_title("A", loc="left")
    run_lines.grid(left)
    forecast.laws(right, long)
    right.set_title("B  steps until grokking, ΔT", loc="left")
    right.set_xlabel("entropy gap, H̃ − H̃*")
    sns.despine(figure)
    return figure
