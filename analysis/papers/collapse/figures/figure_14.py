"""Figure 14: the information plane of ResNet-18."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import figure_13

TITLE = "ResNet-18 on CIFAR-10: its information plane, as Figure 13. It needs a GPU."
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    return figure_13.of(runs.arm("resnet").tables)
