"""Figure 5: signed distances of further pairs of classes."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import figure_2

TITLE = "As Figure 2, for the classes 4 and 5 (above), 8 and 9 (below)."
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    return figure_2.of_pairs(runs, [(4, 5), (8, 9)])
