"""Figure 8: signed distances of the CNN's features."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs, observed
from analysis.figures import margins

TITLE = (
    "CNN at λ = 0.1: signed distance of samples of the classes 0 and 1 as in Figure 2, at the"
    " evaluation nearest to where the training set is fitted (median of τ1), and at the end."
)
OURS = False
PAIR = (0, 1)


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arm = runs.arm("cnn_0_1")
    curves = arm.tables.curves
    end = float(curves.groupby("key")["step"].max().min())
    fitted = observed(arm.events("tau1"))["step"]
    targets = [float(fitted.median()), end] if len(fitted) else [end]
    return margins.draw(curves, [PAIR], targets)
