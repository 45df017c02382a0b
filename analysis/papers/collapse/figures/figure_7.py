"""Figure 7: the CNN by decay."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays

TITLE = "CNN on MNIST: test accuracy (dashed: training), RNC1 and NC2 over training, by decay."
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    columns = {**decays.ACCURACY, **decays.RNC1, **decays.NC2}
    return decays.draw({"": runs.arm("cnn").tables}, columns)[0]
