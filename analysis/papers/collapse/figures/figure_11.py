"""Figure 11: text of SST-2."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.runs.experiments import NotRun

TITLE = "As Figure 10, for SST-2."
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun always."""
    raise NotRun("SST-2: not run; the one set of sentences that is run stands in Figure 10")
