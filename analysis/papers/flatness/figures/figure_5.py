"""Figure 5: networks that do not grok, regularised away from flatness and then let go."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.claims.arms import Arm, Runs
from analysis.papers.flatness.figures import _lines
from analysis.runs.experiments import NotRun

TITLE = (
    "MNIST with cross-entropy and ordinary initial weights, a line a run: as it is, regularised"
    " away from flatness, and under a confidence penalty of the same weight, alone and on a sphere,"
    " each until half-way; accuracies (dotted: training), κ and its surrogate."
)
OURS = True
NETWORKS = {
    name.upper(): (name, *(f"{name}_{arm}" for arm in ("away", "penalty", "sphere_penalty")))
    for name in ("mlp", "cnn")
}


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    rows: dict[str, Sequence[Arm]] = {}
    missing = []
    for title, names in NETWORKS.items():
        try:
            rows[title] = _lines.there(runs, names)
        except NotRun as error:
            missing.append(str(error))
    if not rows:
        raise NotRun("; ".join(missing))
    return _lines.draw(rows, {**_lines.ACCURACY, **_lines.KAPPAS}, log=True)[0]
