"""Figure 2: signed distances of the classes 0 and 1, before and after grokking."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.figures import margins

TITLE = (
    "Signed distance (⟨w₀ − w₁, g⟩ + b₀ − b₁)/‖w₀ − w₁‖ of samples of the classes 0 and 1 at"
    " λ = 0.01, at the snapshots nearest to steps 16,000 and 100,000, where the paper has test"
    " accuracies of 15 % and 88 %; all runs together, from their quantiles. Left half: training"
    " set, right half: test set; dashes: quartiles."
)
OURS = False
ARM = "decay_0_01"
STEPS = (16_000, 100_000)


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    return of_pairs(runs, [(0, 1)])


def of_pairs(runs: Runs, pairs: Sequence[margins.Pair]) -> Figure:
    """The figure of several pairs of classes. Raises NotRun."""
    return margins.draw(runs.arm(ARM).tables.curves, pairs, STEPS)
