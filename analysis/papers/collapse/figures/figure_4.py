"""Figure 4: redundant information and RNC1 by decay."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays
from analysis.runs.experiments import NotRun

TITLE = (
    "Redundant information I(Z;X) − I(Z;Y) of the test set over training, by decay: by compression"
    " with the paper's estimator, by the same with five nearest neighbours on jointly whitened"
    " pairs (ours), by nHSIC; and RNC1. Known at snapshots."
)
OURS = False
COLUMNS = {
    "information/compression_difference": "by compression (nats)",
    "information/compression_5nn_difference": "by 5 neighbours, ours (nats)",
    "information/nhsic_difference": "by nHSIC",
}


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    tables = runs.arm("decays").tables
    if not tables.curves.columns.intersection(list(COLUMNS)).size:
        raise NotRun("information/…: not measured (python -m grokpipe.remeasure)")
    return decays.draw({"": tables}, {**COLUMNS, **decays.RNC1}, down=2)[0]
