"""Figure 3: networks that are let go, one further change at a time."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.flatness.figures import _lines

TITLE = (
    "Networks regularised away from flatness, and let go at one step with at most one further"
    " change, a line a run: accuracies (dotted: training), κ, its surrogate, both under one"
    " definition throughout, and the norm of the head."
)
OURS = False
LET_GO = ("unplugged", "unplugged_rate", "unplugged_decay", "unplugged_cap")


def draw(runs: Runs) -> Figure:
    """Raises NotRun where none was let go."""
    runs.there(LET_GO)
    columns = {**_lines.ACCURACY, **_lines.KAPPAS, "head_norm": "norm of the head"}
    return _lines.draw({"": _lines.there(runs, ("away", *LET_GO))}, columns)[0]
