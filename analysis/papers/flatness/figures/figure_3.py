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
ARMS = ("away", "unplugged", "unplugged_rate", "unplugged_decay", "unplugged_cap")


def draw(runs: Runs) -> Figure:
    """Raises NotRun where none was let go."""
    let_go = _lines.there(runs, ARMS[1:])
    arms = [*(arm for arm in _lines.there(runs, ARMS) if arm.name == "away"), *let_go]
    curvatures = {name: _lines.CURVATURES[name] for name in list(_lines.CURVATURES)[:2]}
    columns = {**_lines.ACCURACY, **curvatures, "head_norm": "norm of the head"}
    return _lines.draw({"": arms}, columns)[0]
