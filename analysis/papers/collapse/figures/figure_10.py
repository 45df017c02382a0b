"""Figure 10: text, by scale of the initial weights."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays

TITLE = (
    "Transformer on the polarity of sentences from film reviews: test accuracy (dashed: training),"
    " RNC1 and NC1 over training, by decay, for each scale of the initial weights. The paper has"
    " this of TREC (Figure 10), SST-2 (11) and AG News (12), which are not run here."
)
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    tables = runs.arm("sentences").tables
    rows = decays.by(tables, "init_scale", "× initial weights")
    return decays.draw(rows, {**decays.ACCURACY, **decays.RNC1, **decays.NC1})[0]
