"""Figure 16 (ours): what Theorem 3.2 bounds, and the balance of the layers."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays

TITLE = (
    "Theorem 3.2 along training, by decay: its bound on the test error as it is stated, from"
    " moments of the test set (above 1 it says nothing), the sharper form with the variance along"
    " w_c − w_k, and the imbalance of the last two layers, on which the proof of Theorem 4.3 rests."
)
OURS = True
COLUMNS = {
    "theorem/bound": "bound on the error", "theorem/bound_directional": "directional bound",
    "balance/1": "imbalance of the last two layers",
}  # fmt: skip


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    return decays.draw({"": runs.arm("decays").tables}, COLUMNS)[0]
