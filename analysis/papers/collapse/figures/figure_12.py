"""Figure 12: text of AG News."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.runs.experiments import NotRun

TITLE = "As Figure 10, for AG News."
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun always."""
    raise NotRun("AG News: not run; the one set of sentences that is run stands in Figure 10")
